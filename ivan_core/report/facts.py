"""How a run came to be, for its report: which data, by whom, with what, and the command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.figures.files import named
from ivan_core.figures.html.frame import fold, paragraph, text

_MINUTE = "%Y-%m-%d %H:%M UTC"


def how(run: Run, manifest: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """Facts of a finished run, the command that makes it anew, and its manifest, as HTML.

    `names` are those of files by their paths.
    """
    about = manifest.get("dataset", {})
    versions = manifest.get("versions", {})
    facts = {
        "Run": run.id,
        "Dataset": about.get("label", ""),
        "Revision": about.get("revision", ""),
        "Fingerprint": about.get("fingerprint", ""),
        "Pairs": f"{manifest['rows']:,}" if isinstance(manifest.get("rows"), int) else "",
        "Who preferred": about.get("chosen_by", ""),
        "Seed": manifest.get("seed", ""),
        "Finished": _minute(run.finished),
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    whole = json.dumps(named(dict(manifest), names), indent=1, ensure_ascii=False)
    return [
        fact_table({name: named(str(value), names) for name, value in facts.items()}),
        *_command(run, names),
        *(paragraph(note, "small") for note in run.notes),
        fold("The whole manifest", f"<pre>{text(whole)}</pre>"),
    ]


def fact_table(facts: Mapping[str, str]) -> str:
    """Facts by their names; those that are empty are left out."""
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>'
        for name, value in facts.items()
        if value != ""
    )
    return f'<div class="wide facts" tabindex="0"><table><tbody>{rows}</tbody></table></div>'


def _command(run: Run, names: Mapping[str, str]) -> list[str]:
    try:
        command = named(runs.command(run), names)
    except BadInput:  # no command makes it
        return []
    return [paragraph("The same from the command line:"), f"<pre>{text(command)}</pre>"]


def _minute(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime(_MINUTE)
