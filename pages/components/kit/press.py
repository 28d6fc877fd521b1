"""What one presses in the browser for an option or a command that a sentence names.

Errors are kept with their runs and are read in a terminal too, so they name options and commands.
Where a page shows one, what stands there for these takes their place.
"""

from __future__ import annotations

import re

from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.domain.options import form_names
from ivan_core.domain.specs import CompareSpec, DatasetRequest, TaxonomySpec

_FIELDS = {
    **form_names(CompareSpec),
    **form_names(TaxonomySpec),
    **form_names(EngineChoice),
    "--again": "I know that it may be charged twice",
    "--force": "Leave lines of other texts aside",
    "--model": "Who judged, labelled or reworded",
    "--yes": "I accept this cost",
}
"""What a field is called, by the option that the sentences name for it."""
_UNDER = {
    **{
        option: "Bring your own pairs" if option.endswith("-column") else "More options"
        for option in form_names(DatasetRequest)
        if option != "--dataset"
    },
    **dict.fromkeys(
        ("--input-format", "--max-tokens", "--max-usd", "--quantization", "--queue-tokens"),
        "More options",
    ),
    **dict.fromkeys(form_names(EngineChoice), "More options"),
}
"""Where a field stands that is not in view at once."""

_PLACES = {
    "ivan compare": "on the page Compare",
    "ivan runs cancel": "“Cancel” on its page",
    "ivan runs delete": "“Delete” on the page Runs",
    "ivan runs export": "“Export as a zip” on the page Runs",
    "ivan runs list": "the page Runs",
    "ivan runs resume": "“Resume” on its page",
}
"""What does the same as a command."""

_ONE = r"(?<![\w./-])--[a-z][a-z-]*"
_OPTIONS = re.compile(rf"{_ONE}(?:(?:, | and | or ){_ONE})*")
_SET = re.compile(r"`--[a-z][a-z-]* ([^`\s]+)`")
_COMMAND = re.compile(r"`(ivan [a-z]+(?: [a-z]+)?)[^`]*`")
_HELP = re.compile(r"`[^`]+ --help`")


def in_browser(sentence: str) -> str:
    """A sentence of an error as a page says it.

    Options and commands that have nothing here in their place stay as they are: they are for the
    command line, and the sentence says so.
    """
    said = _HELP.sub("the question mark beside each field", sentence)
    said = _COMMAND.sub(_place, said)
    # Which field takes the value depends on the page: a form's, or that of a card without one.
    said = _SET.sub(r"“\1”", said)
    return _OPTIONS.sub(_fields, said)


def _place(found: re.Match[str]) -> str:
    words = found[1].split()
    named = (" ".join(words[:count]) for count in (3, 2))
    return next((_PLACES[one] for one in named if one in _PLACES), found[0])


def _fields(found: re.Match[str]) -> str:
    options = re.findall(_ONE, found[0])
    if not all(option in _FIELDS for option in options):
        return found[0]
    said = re.sub(_ONE, lambda one: f"“{_FIELDS[one[0]]}”", found[0])
    under = next((_UNDER[option] for option in options if option in _UNDER), "")
    return f"{said} under “{under}”" if under else said
