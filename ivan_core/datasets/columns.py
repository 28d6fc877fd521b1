"""Which columns a source has and pairs are taken from: what is refused, and what is asked about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ivan_core.datasets.layouts import known
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
            f"{listed(found)}.{_nearest(found)}",
            "Say which columns hold the two replies: --chosen-column and --rejected-column.",
        )
        self.found = tuple(can_be_asked(found))


def _nearest(found: Sequence[str]) -> str:
    """Which other layout lacks the fewest columns, in a sentence; "" where none is near."""
    near = known.nearest(found)
    if near is None or not near[1]:
        return ""
    return f" It would be the layout of {near[0].title} with {listed(near[1])}."


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
    """Refuse a table without the columns of any layout that is read.

    Raises:
        WrongColumns: those of the replies are missing.
        BadInput: a column comes twice.
    """
    if not known.possible(columns.take(dict.fromkeys(found))):
        raise WrongColumns(found, columns)
    twice = sorted(name for name, count in Counter(found).items() if count > 1)
    if twice:
        raise BadInput(
            f"The column {listed(twice[:5])} comes twice; found: {listed(found)}.",
            "Nobody can tell which of them is meant: rename or remove one.",
        )
