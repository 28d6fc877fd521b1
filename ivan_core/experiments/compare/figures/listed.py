"""The charts of a comparison that can be had as figures: to add one, write it into `CHARTS`.

A chart is a function from the results and the models (or the user column) it shows to the numbers,
the drawing, and the words that only this chart needs; what all figures say of rows, models and
versions is added in `ivan_core/figures/figure.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.engine.opinions import ceiling_of
from ivan_core.experiments.compare.figures.columns import agreement, values
from ivan_core.experiments.compare.figures.models import coverage, reliable, two_margins, verdicts
from ivan_core.experiments.compare.figures.rows import by_own_column, pair_margins, sentences
from ivan_core.experiments.compare.results import Results
from ivan_core.figures.chart import (
    WILSON,
    Chart,
    Drawn,
    agreed,
    counted,
    own_rows,
    rate_words,
)
from ivan_core.metrics.sentences import balanced_words, percent, the


def _agreement(results: Results, _: Sequence[str]) -> Drawn:
    from ivan_core.charts.agreement import agreement_bars
    from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset

    bars = by_subset(results.fair)
    several = bars["subset"].nunique() > 1
    choice = the(results.dataset.chosen_by)
    told = "; ".join(f"{s.model} {rate_words(s.headline)}" for s in results.summaries)
    rules = bars[(bars["subset"] == ALL_SUBSETS) & bars["rule"].notna()]
    rules = rules.drop_duplicates(["rule", "rule_rate", "n"])
    rule = " or ".join(
        f"always picking the {row.rule} reply would reach"
        f" ({percent(float(row.rule_rate), int(row.n))} of all pairs)"
        for row in rules.itertuples()
    )
    marked = f"; the mark below a bar shows what {rule}" if rule else ""
    best = ceiling_of(results.dataset)
    return Drawn(
        lambda: agreement_bars(bars, ceiling=best, dark=False),
        bars,
        f"How often each reward model sides with {choice}{', by subset' if several else ''}: shares"
        " of rated pairs on which it agrees, ties and disagrees. Numbers are agreement with its 95%"
        f" interval; all pairs: {told}. The light line marks 50%{marked}."
        + (f" The line on the bars of all pairs is a ceiling. {best.sentence}" if best else ""),
        "A model agrees with a pair if it gives the chosen reply the higher reward; equal rewards"
        f" (as float32) are ties and count among the rated pairs. {WILSON} Baseline: the better of"
        " always picking the longer or always the shorter reply, by characters.",
    )


def _rewards(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.rewards import reward_cells
    from ivan_core.metrics.bins import reward_bins

    cells = reward_bins(own_rows(results, models[0]))
    return Drawn(
        lambda: reward_cells(cells, dark=False),
        cells,
        f"Rewards that {models[0]} gives to both replies: each cell counts the pairs by the reward"
        f" of the chosen reply (across) and of the rejected one (up). {counted(cells)} On the"
        " dashed line both rewards are equal; below it the model sides with"
        f" {the(results.dataset.chosen_by)} in {agreed(results, models[0])}.",
        "Rewards were counted in 24 by 24 cells of one common scale. Their unit and zero are"
        " the model's own and cannot be set beside those of another model.",
    )


def _margins(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.rewards import margin_bars
    from ivan_core.metrics.bins import margin_histogram

    histogram = margin_histogram(own_rows(results, models[0]))
    own = next(one for one in results.summaries if one.model == models[0])
    typical = (
        f" The typical margin (root mean square of {own.counts.rated:,} margins) is"
        f" {own.typical_margin:.3g}."
        if own.typical_margin
        else ""
    )
    return Drawn(
        lambda: margin_bars(histogram, dark=False),
        histogram,
        f"How much more {models[0]} likes the chosen reply: pairs by margin, the reward of the"
        f" chosen reply minus that of the rejected one. {counted(histogram)} The model sides with"
        f" {the(results.dataset.chosen_by)} in {agreed(results, models[0])}.{typical}",
        "Margins were counted in 41 bins of equal width, the middle one centred on 0.",
    )


def _length(results: Results, _: Sequence[str]) -> Drawn:
    import pandas as pd

    from ivan_core.charts.length import length_bars

    summaries = results.summaries
    records = [
        {"model": s.model, "where": where, "agree": rate.count, "n": rate.n, "rate": rate.rate,
         "low": rate.low, "high": rate.high}
        for s in summaries
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
        f"{s.model} {rate_words(s.length_balanced.longer_chosen)} where the longer reply was chosen"
        f" and {rate_words(s.length_balanced.shorter_chosen)} where the shorter was,"
        f" {balanced_words(s.length_balanced)} if both counted the same"
        for s in results.summaries
    )
    return Drawn(
        lambda: length_bars(summaries, dark=False),
        data,
        "Is it just length? Agreement of each reward model with"
        f" {the(results.dataset.chosen_by)} where the longer reply was chosen, beside where the"
        f" shorter was, with 95% intervals: {told}. A model that only sees length has bars far"
        " apart; the short upright line marks 50%.",
        "Lengths are characters of the replies; pairs of equal length are left out. Length-balanced"
        " agreement is the mean of the two rates; its interval joins theirs by MOVER (Zou and"
        f" Donner 2008). {WILSON}",
    )


CHARTS: tuple[Chart, ...] = (
    Chart("agreement", "Agree, tie and disagree, by model and subset", 0, _agreement),
    Chart(
        "agreement-by",
        "Agree, tie and disagree, by a column of the dataset",
        0,
        by_own_column,
        by="column",
    ),
    Chart("verdicts", "The verdicts of two models, pair by pair", 2, verdicts, names_them=True),
    Chart(
        "two-margins", "The margins of two models, pair by pair", 2, two_margins, names_them=True
    ),
    Chart("coverage", "Agreement if only the surest pairs counted", 0, coverage),
    Chart("reliability", "Whether one model is right when it is sure", 1, reliable),
    Chart("length", "Is it just length?", 0, _length),
    Chart("rewards", "The rewards of both replies, for one model", 1, _rewards),
    Chart("margins", "How much more one model likes the chosen reply", 1, _margins),
    Chart("column", "The values of a user column on both sides", 0, values, of_column=True),
    Chart(
        "column-agreement",
        "Agreement by which side has more of a user column",
        0,
        agreement,
        of_column=True,
    ),
    Chart("pair-margins", "Which reply of a pair the models like more", 0, pair_margins, by="row"),
    Chart("sentences", "What each sentence of a reply adds to the reward", 1, sentences, by="row"),
)
