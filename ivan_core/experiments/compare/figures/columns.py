"""Figures of a user column on both sides, and of agreement by what the columns of a dataset say."""

from __future__ import annotations

from math import nan

from ivan_core.domain.specs import ColumnSpec
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.results import Floats, UserColumn
from ivan_core.experiments.compare.figures.models import check_rated, every_pair
from ivan_core.experiments.compare.results import Results
from ivan_core.figures.chart import Drawn
from ivan_core.figures.words import wilson_words
from ivan_core.metrics.sentences import the

_COUNTS = {
    "regex": "The column counts the matches of a regular expression in each text.",
    "search": "The column counts how often the words occur in each text.",
    "expression": "The column is the value of the expression for each reply.",
}


def values(results: Results, spec: ColumnSpec) -> Drawn:
    from ivan_core.charts.sides import column_sides
    from ivan_core.metrics.columns import column_bins, sides_sentence

    column, chosen, rejected = _of_run(results, spec)
    bins = column_bins(chosen, rejected)
    return Drawn(
        lambda: column_sides(bins, dark=False),
        bins,
        f"Column {column.label}: shares of the chosen and of the rejected replies by value."
        f" {sides_sentence(chosen, rejected)}",
        f"{_COUNTS[column.spec.form]} Shares are of the replies that have a value.",
    )


def agreement_by_more(results: Results, spec: ColumnSpec) -> Drawn:
    import pandas as pd

    from ivan_core.charts.sides import agreement_by_larger_bars
    from ivan_core.metrics.columns import agreement_by_larger, sides_sentence

    column, chosen, rejected = _of_run(results, spec)
    difference = pd.Series(chosen - rejected, index=results.aligned.row_ids)
    rows = agreement_by_larger(results.fair, difference)
    if results.bare:
        rows = rows.assign(rate_low=nan, rate_high=nan, effective_n=nan)
    return Drawn(
        lambda: agreement_by_larger_bars(rows, dark=False),
        rows,
        f"Agreement of each reward model with {the(results.dataset.chosen_by)} by the side on which"
        f" the column {column.label} is larger{'' if results.bare else ', with 95% intervals'}."
        f" {sides_sentence(chosen, rejected)}",
        f"{_COUNTS[column.spec.form]} Pairs without a value on a side are left out."
        f"{wilson_words(results)}",
    )


def by_own_column(results: Results, name: str) -> Drawn:
    """Agreement by the values of a column that the dataset brings along."""
    from ivan_core.charts.agreement import agreement_bars

    check_rated(results)
    bars = results.by_own_column(name)
    if results.bare:
        bars = bars.assign(low=nan, high=nan, effective_n=nan)
    return Drawn(
        lambda: agreement_bars(bars, every=every_pair(results), dark=False),
        bars.rename(columns={"subset": name if name not in bars.columns else "value"}),
        f"How often each reward model sides with {the(results.dataset.chosen_by)}, by {name}:"
        " shares of rated pairs on which it agrees, ties and disagrees. Numbers are agreement"
        f"{'' if results.bare else ' with its 95% interval'}.",
        f"Pairs are grouped by the column {name} of the dataset: by its 12 most frequent"
        " values, or by quarters of its numbers where there are more."
        f"{wilson_words(results)}",
    )


def _of_run(results: Results, spec: ColumnSpec) -> tuple[UserColumn, Floats, Floats]:
    """A column and its numbers of both sides for the rows of the run."""
    column = columns.column(results.dataset.fingerprint, spec.id)
    rows = results.aligned.row_ids
    return column, column.chosen[rows], column.rejected[rows]
