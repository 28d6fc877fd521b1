"""Licences by the names that the hub has for them.

https://huggingface.co/docs/hub/repositories-licenses, as of 2026-11: a card that names another one
is refused.
"""

from __future__ import annotations

UNKNOWN = "unknown"
_NAMES = """
afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m
bigscience-bloom-rail-1.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause
bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0
cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0
cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0
epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community
h-research intel-research isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2
llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 open-mdw openrail
openrail++ osl-3.0 pddl postgresql unlicense wtfpl zlib
"""
KNOWN = frozenset(_NAMES.split())


def identifiers(licence: str) -> list[str]:
    """The hub's names for licences that are told with commas between; none where one is not known.

    What is known in part is left to a person.
    """
    named = [one.strip().lower() for one in licence.split(",") if one.strip()]
    return list(dict.fromkeys(named)) if named and KNOWN.issuperset(named) else []


def licence_sentence(licence: str) -> str:
    """Under what the source stands, or that nobody here knows."""
    if licence and licence != UNKNOWN:
        return (
            f"The source stands under {licence}, by what it says itself. Whether that allows what "
            "is done with it is for whoever publishes and uses it to check."
        )
    return (
        "The licence of the source is not known: state it here before anybody uses this. Nothing "
        "says that it may be passed on."
    )
