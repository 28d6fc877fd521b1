"""Figures of two models beside each other, and of how sure the models are."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.two_models import two_models
from ivan_core.figures.chart import WILSON, Drawn, own_rows
from ivan_core.metrics.sentences import the

_SEED = 0
"""Of the range that a calibrated model would show; the same as on the page."""


def verdicts(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.paired import verdict_cells
    from ivan_core.metrics.comparison_sentences import discordance_sentence
    from ivan_core.metrics.paired import verdict_table

    first, second = models
    two = two_models(results, first, second)
    table = verdict_table(two.shared)
    return Drawn(
        lambda: verdict_cells(table, first, second, dark=False),
        table.assign(first_model=first, second_model=second),
        f"Where {first} (across) and {second} (down) part: pairs counted by the verdicts of both."
        f" {two.sentence(results)} {discordance_sentence(two.found, first, second)}",
        "Pairs that both models rated; a tie is agreement with neither reply. The interval of the"
        " difference is Newcombe's for paired proportions (1998, method 10), the test McNemar's"
        " exact test with mid-p; neither is corrected for multiple comparisons.",
    )


def two_margins(results: Results, models: Sequence[str]) -> Drawn:
    from ivan_core.charts.paired import margin_squares
    from ivan_core.metrics.paired import margin_cells

    first, second = models
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


def coverage(results: Results, _: Sequence[str]) -> Drawn:
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


def reliable(results: Results, models: Sequence[str]) -> Drawn:
    import numpy as np

    from ivan_core.charts.reliability import reliability_points
    from ivan_core.metrics.comparison_sentences import reliability_sentence, temperature_sentence
    from ivan_core.metrics.reliability import reliability

    model = models[0]
    turns = results.dataset.numbers(["row_id", "first_turn"]).set_index("row_id")["first_turn"]
    found = reliability(own_rows(results, model), np.random.default_rng(_SEED), turns)
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
