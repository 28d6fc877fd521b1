"""What runs say of the numbers that a text takes from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.engine import figures
from ivan_core.figures.choices import Wish, figure_command
from ivan_core.figures.files import named
from ivan_core.report.checked.tags import Place, Tag, place, tags

if TYPE_CHECKING:
    import pandas as pd

_GRAMMAR = (
    "Write it as NUMBER<!-- ivan RUN CHART COLUMN model=NAME -->, as `ivan check --help` tells."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A tag, and what is wrong with its number in a sentence; empty where it is what is said."""

    tag: Tag
    wrong: str


def checked(text: str, *, markdown: bool = True) -> list[Checked]:
    """Every tagged number of a text, which is `markdown` or HTML.

    Raises:
        BadInput: it tags none.
    """
    found = [Checked(tag, _wrong(tag)) for tag in tags(text, markdown=markdown)]
    if not found:
        raise BadInput("No number names the run it comes from.", _GRAMMAR)
    return found


def _wrong(tag: Tag) -> str:
    if not tag.closed:
        return f"Nothing ends the comment “{tag.words}”, so all that follows is hidden. {_GRAMMAR}"
    wanted = place(tag.words)
    if wanted is None:
        return f"“{tag.words}” names no number of a run. {_GRAMMAR}"
    if tag.written is None:
        return f"No number stands right before “{tag.words}”."
    try:
        value = _value(wanted)
    except IvanError as error:
        return " ".join(filter(None, (error.message, error.hint)))
    if wanted.percent or tag.written.percent:
        value *= 100
    if tag.written.says(value):
        return ""
    exact = tag.written.as_written(value)
    return f"{tag.written.words} is not what run {wanted.run} says: {exact} ({tag.words})."


def _value(wanted: Place) -> float:
    """The one number that stands there.

    Raises:
        BadInput: there is no such run, chart or column, or not just one number.
    """
    chart = next((one for one in figures.figures(wanted.run) if one.name == wanted.chart), None)
    left = {choice.option.name for choice in chart.choices} if chart else set()
    wish = {name: value for name, value in wanted.conditions.items() if name in left}
    picked, found = figures.drawn(wanted.run, wanted.chart, **cast("Wish", wish))
    rows = found.data
    for name, value in wanted.conditions.items():
        if name not in left:
            cells = _column(rows, name, wanted.chart).astype("string").fillna("")
            rows = rows[[_is(named(cell, picked.shown), value) for cell in cells]]
            if rows.empty:
                raise BadInput(f"No row of {wanted.chart} has {name}={value}.", _see(wanted))
    return _one_number(rows, wanted)


def _is(cell: str, value: str) -> bool:
    """Whether a cell holds what a condition names: the same words, or the same number."""
    if cell == value:
        return True
    try:
        return float(cell) == float(value)
    except ValueError:
        return False


def _one_number(rows: pd.DataFrame, wanted: Place) -> float:
    import pandas as pd

    cells = pd.to_numeric(_column(rows, wanted.column, wanted.chart), errors="coerce")
    values = [float(value) for value in cells.dropna().unique()]
    if len(values) > 1:
        words = rows.select_dtypes(exclude="number")
        apart = [str(name) for name in words if words[name].nunique() > 1]
        raise BadInput(
            f"{len(values)} numbers of {wanted.column} fit “{wanted.chart}” as it stands there.",
            f"Add a condition on {', '.join(apart)}." if apart else _see(wanted),
        )
    if not values:
        raise BadInput(f"No number of {wanted.column} stands there.", _see(wanted))
    return values[0]


def _column(rows: pd.DataFrame, name: str, chart: str) -> pd.Series:
    if name not in rows.columns:
        having = ", ".join(map(str, rows.columns))
        raise BadInput(f"The numbers of {chart} have no column {name!r}.", f"They have {having}.")
    return rows[name]


def _see(wanted: Place) -> str:
    return f"`{figure_command(wanted.run, wanted.chart, 'csv')}` gives them all."
