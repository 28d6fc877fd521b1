"""Which columns a source has and pairs are taken from: what is refused, and what is asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import USUAL, Columns
from ivan_core.domain.words import is_unicode, one_line

_LISTED, _LONGEST_LISTED = 20, 60
"""So many names of columns stand in a sentence, each of so many characters at the most."""
_MOST_ASKED, _LONGEST_ASKED = 1_000, 200
"""So many names of columns are offered to choose from, none of more characters."""


class WrongColumns(BadInput):
    """Data without the columns that were named for a pair's two replies; `found` are those it has,
    as far as a person can be asked about them."""

    def __init__(self, found: Sequence[str], columns: Columns) -> None:
        super().__init__(
            f"The columns {columns.chosen} and {columns.rejected} are needed; found: "
            f"{listed(found)}.",
            "Say which columns hold the two replies: --chosen-column and --rejected-column.",
        )
        self.found = tuple(can_be_asked(found))


def can_be_asked(names: Iterable[str], taken: Columns = USUAL) -> list[str]:
    """The names of columns that a person can be asked about.

    These are the first thousand, and those that pairs are taken from; no empty or endless ones, nor
    any with half a character.
    """
    sound = [name for name in names if 0 < len(name) <= _LONGEST_ASKED and is_unicode(name)]
    parts = (*taken.needed, taken.prompt, taken.subset)
    return [name for at, name in enumerate(sound) if at < _MOST_ASKED or name in parts]


def listed(names: Sequence[str]) -> str:
    """The first names of columns on one line, as a part of a sentence."""
    return ", ".join(one_line(name, _LONGEST_LISTED) for name in names[:_LISTED]) or "none"


def check_table(found: Sequence[str], columns: Columns) -> None:
    """Refuse a table without the columns that a pair needs, or with some read wrongly.

    Raises:
        WrongColumns: those of the replies are missing.
        BadInput: a column comes twice, or as `check_prompts`.
    """
    if not set(columns.needed) <= set(found):
        raise WrongColumns(found, columns)
    twice = sorted(name for name, count in Counter(found).items() if count > 1)
    if twice:
        raise BadInput(
            f"The column {listed(twice[:5])} comes twice; found: {listed(found)}.",
            "Nobody can tell which of them is meant: rename or remove one.",
        )
    check_prompts(dict.fromkeys(found), columns)


def check_prompts(found: Mapping[str, None], columns: Columns) -> None:
    """Refuse data whose prompts lie where IVAN does not read them, and would be missing.

    Raises:
        BadInput: they do.
    """
    if "trajectory" in found and columns.prompt == "prompt" and "prompt" not in found:
        raise BadInput(
            "The prompts lie in the column trajectory (the layout of UltraInteract), which IVAN "
            f"does not read yet; found: {listed(list(found))}.",
            "Put each prompt into a column prompt, as a text or as chat messages.",
        )
