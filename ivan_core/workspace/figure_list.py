"""The charts of a comparison that can be had as figures: to add one, write it into `CHARTS`.

A chart is a function from the results and the models it shows to the drawing, its data, and the
words that only this chart needs; what all figures say of rows, models and versions is added in
`figures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.metrics.sentences import interval, percent
from ivan_core.workspace.results import Results

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from ivan_core.metrics.intervals import Rate


@dataclass(frozen=True)
class Drawn:
    """A chart for a light page, the numbers it draws, and what is said of it alone.

    `caption` says what is seen, with its numbers; `methods` how they were computed.
    """

    chart: alt.LayerChart
    data: pd.DataFrame
    caption: str
    methods: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of a comparison: its name on the command line and how many models it shows.

    `models` is 0 for a chart of all models, else the number that the options `model` and `other`
    choose.
    """

    name: str
    title: str
    models: int
    draw: Callable[[Results, Sequence[str]], Drawn]


def _agreement(results: Results, _: Sequence[str]) -> Drawn:
    from ivan_core.charts.agreement import agreement_bars
    from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset

    bars = by_subset(results.table)
    several = bars["subset"].nunique() > 1
    choice = _the(results.dataset.chosen_by)
    told = "; ".join(f"{s.model} {_rate(s.agreement)}" for s in results.summaries)
    rules = bars[(bars["subset"] == ALL_SUBSETS) & bars["rule"].notna()]
    rules = rules.drop_duplicates(["rule", "rule_rate", "n"])
    rule = " or ".join(
        f"always picking the {row.rule} reply would reach"
        f" ({percent(float(row.rule_rate), int(row.n))} of all pairs)"
        for row in rules.itertuples()
    )
    marked = f"; the mark below a bar shows what {rule}" if rule else ""
    return Drawn(
        agreement_bars(bars, dark=False),
        bars,
        f"How often each reward model sides with {choice}{', by subset' if several else ''}: shares"
        " of rated pairs on which it agrees, ties and disagrees. Numbers are agreement with its 95%"
        f" interval; all pairs: {told}. The light line marks 50%{marked}.",
        "A model agrees with a pair if it gives the chosen reply the higher reward; equal rewards"
        " (as float32) are ties and count among the rated pairs. Intervals are 95% Wilson score"
        " intervals without correction for multiple comparisons. Baseline: the better of always"
        " picking the longer or always the shorter reply, by characters.",
    )


def _rewards(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.rewards import reward_cells
    from ivan_core.metrics.bins import reward_bins

    cells = reward_bins(_own(results, models[0]))
    return Drawn(
        reward_cells(cells, dark=False),
        cells,
        f"Rewards that {models[0]} gives to both replies: each cell counts the pairs by the reward"
        f" of the chosen reply (across) and of the rejected one (up). {_pairs(cells)} On the dashed"
        " line both rewards are equal; below it the model sides with"
        f" {_the(results.dataset.chosen_by)} in {_agreed(results, models[0])}.",
        "Rewards were counted in 24 by 24 cells of one common scale. Their unit and zero are"
        " the model's own and cannot be set beside those of another model.",
    )


def _margins(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.rewards import margin_bars
    from ivan_core.metrics.bins import margin_histogram

    histogram = margin_histogram(_own(results, models[0]))
    unit = results.typical_margins[models[0]]
    typical = f" The typical margin (root mean square) is {unit:.3g}." if unit else ""
    return Drawn(
        margin_bars(histogram, dark=False),
        histogram,
        f"How much more {models[0]} likes the chosen reply: pairs by margin, the reward of the"
        f" chosen reply minus that of the rejected one. {_pairs(histogram)} The model sides with"
        f" {_the(results.dataset.chosen_by)} in {_agreed(results, models[0])}.{typical}",
        "Margins were counted in 41 bins of equal width, the middle one centred on 0.",
    )


def _length(results: Results, _: Sequence[str]) -> Drawn:
    import pandas as pd

    from ivan_core.charts.length import length_bars

    records = [
        {"model": s.model, "where": where, "agree": rate.count, "n": rate.n, "rate": rate.rate,
         "low": rate.low, "high": rate.high}
        for s in results.summaries
        for where, rate in (
            ("the longer reply was chosen", s.length_balanced.longer_chosen),
            ("the shorter reply was chosen", s.length_balanced.shorter_chosen),
        )
        if rate is not None
    ]  # fmt: skip
    data = pd.DataFrame.from_records(
        records, columns=["model", "where", "agree", "n", "rate", "low", "high"]
    )
    told = "; ".join(
        f"{s.model} {_rate(s.length_balanced.longer_chosen)} where the longer reply was chosen and"
        f" {_rate(s.length_balanced.shorter_chosen)} where the shorter was"
        for s in results.summaries
    )
    return Drawn(
        length_bars(results.summaries, dark=False),
        data,
        "Is it just length? Agreement of each reward model with"
        f" {_the(results.dataset.chosen_by)} where the longer reply was chosen, beside where the"
        f" shorter was, with 95% intervals: {told}. A model that only sees length has bars far"
        " apart; the short upright line marks 50%.",
        "Lengths are characters of the replies; pairs of equal length are left out. Intervals are"
        " 95% Wilson score intervals without correction for multiple comparisons.",
    )


CHARTS: tuple[Chart, ...] = (
    Chart("agreement", "Agree, tie and disagree, by model and subset", 0, _agreement),
    Chart("length", "Is it just length?", 0, _length),
    Chart("rewards", "The rewards of both replies, for one model", 1, _rewards),
    Chart("margins", "How much more one model likes the chosen reply", 1, _margins),
)


def _own(results: Results, model: str) -> pd.DataFrame:
    return results.table[results.table["model"].eq(model).to_numpy(bool, na_value=False)]


def _rate(rate: Rate | None) -> str:
    return f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}" if rate else "none rated"


def _agreed(results: Results, model: str) -> str:
    return next(
        f"{_rate(s.agreement)} rated pairs (95% interval)"
        for s in results.summaries
        if s.model == model
    )


def _pairs(counted: pd.DataFrame) -> str:
    return f"n = {int(counted['count'].sum()):,} rated pairs."


def _the(choice: str) -> str:
    return choice if "'" in choice or "’" in choice else f"the {choice}"
