"""What a chart of a run hands over to become a figure, and words that several charts use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ivan_core.domain.models import ModelCard
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.sentences import as_if, interval, percent

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from ivan_core.metrics.intervals import Rate

GROUPS = (
    "where pairs share their first human turn and are more alike for it (a design effect above"
    " 1.05), they are those of as many independent pairs as would vary as much."
)
WILSON = (
    "Intervals are 95% Wilson score intervals without correction for multiple comparisons;"
    f" {GROUPS}"
)


@dataclass(frozen=True)
class Drawn:
    """The numbers of a chart, how to draw them for a light page, and what is said of it alone.

    `caption` says what is seen, with its numbers; `methods` how they were computed.
    """

    chart: Callable[[], alt.LayerChart]
    data: pd.DataFrame
    caption: str
    methods: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of a comparison: its name on the command line and how many models it shows.

    `models` is 0 for a chart of all models, else the number that the options `model` and `other`
    choose. `names_them` says that the chart itself names those models. A chart `of_column` is drawn
    for the id of a user column in place of models, one `by` a "column" for the name of a column
    that the dataset brings along, and one `by` a "row" for a row id (after its model, and before
    the side, if it shows one model).
    """

    name: str
    title: str
    models: int
    draw: Callable[[Results, Sequence[str]], Drawn]
    names_them: bool = False
    of_column: bool = False
    by: Literal["", "column", "row"] = ""

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `ivan figure` that choose what it shows."""
        if self.by == "row":
            return ("--row", "--model", "--side") if self.models else ("--row",)
        if self.of_column or self.by:
            return ("--column",)
        return ("--model", "--other")[: self.models]


def own_rows(results: Results, model: str) -> pd.DataFrame:
    """The rows of one model on which its figures rest."""
    return results.fair[results.fair["model"].eq(model).to_numpy(bool, na_value=False)]


def rate_words(rate: Rate | None) -> str:
    if rate is None:
        return "none rated"
    wide = f" ({as_if(rate).removeprefix('; ')})" if rate.design > 1 else ""
    return f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}{wide}"


def agreed(results: Results, model: str) -> str:
    """One model's agreement, as the summary has it."""
    return next(
        f"{rate_words(s.headline)} rated pairs (95% interval)"
        for s in results.summaries
        if s.model == model
    )


def counted(table: pd.DataFrame) -> str:
    """How many pairs the cells or bars of a chart come to."""
    return f"n = {int(table['count'].sum()):,} rated pairs."


def model_words(card: ModelCard) -> str:
    """A reward model: what exactly it is, and how it reads a text."""
    facts = [f"revision {card.revision or 'unknown'}"]
    if card.input_format:
        facts.append(f"input format {card.input_format}")
    if card.system == "drop":
        facts.append("system turns left out")
    if card.max_tokens:
        facts.append(f"at most {card.max_tokens:,} tokens")
    if card.revision:
        facts.append(card.dtype)
    return f"{card.id} ({', '.join(facts)})"


def first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
