"""Figures of reward models: how often and how far they agree, alone and two beside each other.

Also agreement by what columns say, and the values of a user column on both sides.
"""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine.opinions import ceiling_of
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.results import Floats, UserColumn
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.sentences import two_models
from ivan_core.figures.chart import Drawn
from ivan_core.figures.words import WILSON, counted, shown_rate, wilson_words, with_ends
from ivan_core.metrics.sentences import balanced_words, percent, rate_words, the

if TYPE_CHECKING:
    import pandas as pd

_NEWCOMBE = (
    "The interval of the difference is Newcombe's for paired proportions (1998, method 10), the"
    " test McNemar's exact test with mid-p; neither is corrected for multiple comparisons."
)
_MOVER = "its interval joins theirs by MOVER (Zou and Donner 2008)."


def agreement(results: Results) -> Drawn:
    from ivan_core.charts.agreement import agreement_bars
    from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset

    _check_rated(results)
    bars = _without_ends(results, by_subset(results.fair))
    several = bars["subset"].nunique() > 1
    every = _every_pair(results)
    choice = the(results.dataset.chosen_by)
    told = "; ".join(
        f"{s.model} {rate_words(shown_rate(results, s.headline))}" for s in results.summaries
    )
    rules = bars[(bars["subset"] == ALL_SUBSETS) & bars["rule"].notna()]
    rules = rules.drop_duplicates(["rule", "rule_rate", "n"])
    rule = " or ".join(
        f"always picking the {row.rule} reply would reach"
        f" ({percent(float(row.rule_rate), int(row.n))} of {every.lower()})"
        for row in rules.itertuples()
    )
    marked = f"; the mark below a bar shows what {rule}" if rule else ""
    best = None if results.whole else ceiling_of(results.dataset)
    ends = "" if results.bare else " with its 95% interval"
    return Drawn(
        lambda: agreement_bars(bars, ceiling=best, every=every, dark=False),
        bars,
        f"How often each reward model sides with {choice}{', by subset' if several else ''}: shares"
        f" of rated pairs on which it agrees, ties and disagrees. Numbers are agreement{ends};"
        f" {every.lower()}: {told}. The light line marks 50%{marked}."
        + (f" The line on the bars of all pairs is a ceiling. {best.sentence}" if best else ""),
        "A model agrees with a pair if it gives the chosen reply the higher reward; equal rewards"
        f" (as float32) are ties and count among the rated pairs.{wilson_words(results)} Baseline:"
        " the better of always picking the longer or always the shorter reply, by characters.",
    )


def rewards(results: Results, model: str) -> Drawn:
    from ivan_core.charts.rewards import reward_cells
    from ivan_core.metrics.bins import reward_bins

    cells = reward_bins(results.fair_rows(model))
    return Drawn(
        lambda: reward_cells(cells, dark=False),
        cells,
        f"Rewards that {model} gives to both replies: each cell counts the pairs by the reward"
        f" of the chosen reply (across) and of the rejected one (up). {counted(cells)} On the"
        " dashed line both rewards are equal; below it the model sides with"
        f" {the(results.dataset.chosen_by)} in {_agreed(results, model)}.",
        "Rewards were counted in 24 by 24 cells of one common scale. Their unit and zero are"
        " the model's own and cannot be set beside those of another model.",
    )


def margins(results: Results, model: str) -> Drawn:
    from ivan_core.charts.rewards import margin_bars
    from ivan_core.metrics.bins import margin_histogram

    histogram = margin_histogram(results.fair_rows(model))
    own = next(one for one in results.summaries if one.model == model)
    typical = (
        f" The typical margin (root mean square of {own.counts.rated:,} margins) is"
        f" {own.typical_margin:.3g}."
        if own.typical_margin
        else ""
    )
    return Drawn(
        lambda: margin_bars(histogram, dark=False),
        histogram,
        f"How much more {model} likes the chosen reply: pairs by margin, the reward of the"
        f" chosen reply minus that of the rejected one. {counted(histogram)} The model sides with"
        f" {the(results.dataset.chosen_by)} in {_agreed(results, model)}.{typical}",
        "Margins were counted in 41 bins of equal width, the middle one centred on 0.",
    )


def length(results: Results) -> Drawn:
    import pandas as pd

    from ivan_core.charts.sides import length_bars

    summaries = results.summaries
    if results.bare:
        summaries = [
            replace(s, length_balanced=s.length_balanced.without_ends()) for s in summaries
        ]
    records = [
        {
            "model": s.model,
            "where": where,
            "agree": rate.count,
            "n": rate.n,
            "rate": rate.rate,
            "low": rate.low,
            "high": rate.high,
        }
        for s in summaries
        for where, rate in (
            ("the longer reply was chosen", s.length_balanced.longer_chosen),
            ("the shorter reply was chosen", s.length_balanced.shorter_chosen),
        )
        if rate is not None
    ]
    data = pd.DataFrame.from_records(
        records, columns=["model", "where", "agree", "n", "rate", "low", "high"]
    )
    told = "; ".join(
        f"{s.model} {rate_words(s.length_balanced.longer_chosen)} where the longer reply was chosen"
        f" and {rate_words(s.length_balanced.shorter_chosen)} where the shorter was,"
        f" {balanced_words(s.length_balanced)} if both counted the same"
        for s in summaries
    )
    return Drawn(
        lambda: length_bars(summaries, dark=False),
        data,
        "Is it just length? Agreement of each reward model with"
        f" {the(results.dataset.chosen_by)} where the longer reply was chosen, beside where the"
        f" shorter was{with_ends(results)}: {told}. A model that only"
        " sees length has bars far apart; the short upright line marks 50%.",
        "Lengths are characters of the replies; pairs of equal length are left out. Length-balanced"
        " agreement is the mean of the two rates"
        + ("." if results.bare else f"; {_MOVER} {WILSON}"),
    )


def verdicts(results: Results, first: str, second: str) -> Drawn:
    from ivan_core.charts.rewards import verdict_cells
    from ivan_core.metrics.comparison_sentences import discordance_sentence
    from ivan_core.metrics.paired import verdict_table

    two = two_models(results, first, second)
    table = verdict_table(two.shared)
    return Drawn(
        lambda: verdict_cells(table, first, second, dark=False),
        table.assign(first_model=first, second_model=second),
        f"Where {first} (across) and {second} (down) part: pairs counted by the verdicts of both."
        f"{'' if results.bare else f' {two.sentence(results)}'}"
        f" {discordance_sentence(two.found, first, second)}",
        "Pairs that both models rated; a tie is agreement with neither reply."
        + ("" if results.bare else f" {_NEWCOMBE}"),
    )


def two_margins(results: Results, first: str, second: str) -> Drawn:
    from ivan_core.charts.rewards import margin_squares
    from ivan_core.metrics.paired import margin_cells

    two = two_models(results, first, second)
    shared = two.shared
    cells = margin_cells(shared)
    left_out = (
        f" ({two.left_out:,} more that one of them was trained on are left out)"
        if two.left_out
        else ""
    )
    return Drawn(
        lambda: margin_squares(cells, first, second, dark=False),
        cells.assign(first_model=first, second_model=second),
        f"How far {first} (across) and {second} (up) lean to {the(results.dataset.chosen_by)}:"
        f" pairs counted by the margins of both. n = {len(shared):,} pairs that both rated"
        f"{left_out}; in {int(cells['same'].sum()):,} of them the verdicts are the same. Right of"
        " the middle the first model agrees, above it the second.",
        "A margin is the reward of the chosen minus that of the rejected reply, in units of the"
        " model's own root-mean-square margin; margins beyond 4 of these count in the outermost"
        " cells.",
    )


def coverage(results: Results) -> Drawn:
    from ivan_core.charts.reliability import risk_coverage_curves
    from ivan_core.metrics.comparison_sentences import coverage_sentence
    from ivan_core.metrics.reliability import risk_coverage

    curves = risk_coverage(results.fair)
    told = " ".join(coverage_sentence(curves, model) for model in results.models)
    return Drawn(
        lambda: risk_coverage_curves(curves, dark=False),
        curves,
        f"If only its surest pairs counted: agreement with {the(results.dataset.chosen_by)} among"
        f" the pairs with the largest margins, by the share of pairs that count. {told}",
        "Pairs are ordered by the size of the margin; pairs of equal size enter together, ties"
        f" count as pairs without agreement, and curves start at 50 pairs. {WILSON}",
    )


def reliable(results: Results, model: str) -> Drawn:
    from ivan_core.charts.reliability import reliability_points
    from ivan_core.metrics.comparison_sentences import reliability_sentence, temperature_sentence

    found = results.reliability(model)
    return Drawn(
        lambda: reliability_points(found, model, dark=False),
        found.bins,
        f"When {model} is surer, is it right more often? Agreement with"
        f" {the(results.dataset.chosen_by)} by how sure the model is, with 95% intervals; on the"
        f" dashed line it is exactly as right as it is sure. {reliability_sentence(found, model)}"
        f" {temperature_sentence(found, model)}",
        "A margin m claims the probability 1/(1 + exp(-m/T)) for the reply it favours, with one"
        " temperature T a model, fitted on the other folds (pairs with the same first Human turn"
        f" stay in one fold) and set to 1 for the hollow points. Ties are left out. {WILSON}",
    )


def _without_ends(results: Results, rates: pd.DataFrame, before: str = "") -> pd.DataFrame:
    """A table of rates, without intervals where they mean nothing; `before` begins their names."""
    ends = (f"{before}low", f"{before}high", "effective_n")
    return rates.assign(**dict.fromkeys(ends, nan)) if results.bare else rates


def _check_rated(results: Results) -> None:
    """Refuse, with BadInput, bars of picked rows of which no model rated one."""
    if results.whole and not any(summary.counts.rated for summary in results.summaries):
        raise BadInput("No model rated one of these pairs.", "Take a condition away.")


def _every_pair(results: Results) -> str:
    """What the bar of all pairs is called."""
    return "All picked pairs" if results.whole else "All pairs"


def _agreed(results: Results, model: str) -> str:
    """One model's agreement, as the summary has it."""
    return next(
        f"{rate_words(shown_rate(results, s.headline))} rated pairs"
        + ("" if results.bare else " (95% interval)")
        for s in results.summaries
        if s.model == model
    )


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
    rows = _without_ends(results, agreement_by_larger(results.fair, difference), "rate_")
    return Drawn(
        lambda: agreement_by_larger_bars(rows, dark=False),
        rows,
        f"Agreement of each reward model with {the(results.dataset.chosen_by)} by the side on which"
        f" the column {column.label} is larger{with_ends(results)}."
        f" {sides_sentence(chosen, rejected)}",
        f"{_COUNTS[column.spec.form]} Pairs without a value on a side are left out."
        f"{wilson_words(results)}",
    )


def by_own_column(results: Results, name: str) -> Drawn:
    """Agreement by the values of a column that the dataset brings along."""
    from ivan_core.charts.agreement import agreement_bars

    _check_rated(results)
    bars = _without_ends(results, results.by_own_column(name))
    return Drawn(
        lambda: agreement_bars(bars, every=_every_pair(results), dark=False),
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
