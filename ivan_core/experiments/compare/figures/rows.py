"""Figures of what a dataset says of its rows, and of one pair: margins, and single sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import Results, judged_pair
from ivan_core.figures.chart import WILSON, Drawn
from ivan_core.metrics.sentences import pair_sentence, the

if TYPE_CHECKING:
    import altair as alt

_UNIT = (
    "A margin is the reward of the chosen minus that of the rejected reply, in units of the model's"
    " own root-mean-square margin in this run."
)


def by_own_column(results: Results, names: Sequence[str]) -> Drawn:
    """Agreement by the values of a column that the dataset brings along."""
    from ivan_core.charts.agreement import agreement_bars

    bars = results.by_own_column(names[0])
    return Drawn(
        lambda: agreement_bars(bars, dark=False),
        bars.rename(columns={"subset": names[0] if names[0] not in bars.columns else "value"}),
        f"How often each reward model sides with {the(results.dataset.chosen_by)}, by {names[0]}:"
        " shares of rated pairs on which it agrees, ties and disagrees. Numbers are agreement with"
        " its 95% interval.",
        f"Pairs are grouped by the column {names[0]} of the dataset: by its 12 most frequent"
        f" values, or by quarters of its numbers where there are more. {WILSON}",
    )


def pair_margins(results: Results, shown: Sequence[str]) -> Drawn:
    """Which reply of one pair each model likes more, and by how much."""
    import pandas as pd

    from ivan_core.charts.margins import margin_strip

    (row,) = shown
    margins = margins_of(results, int(row))
    data = pd.DataFrame(
        [(int(row), model, margin) for model, margin in margins],
        columns=["row_id", "model", "typical_margins"],
    )
    return Drawn(
        lambda: _titled(margin_strip(margins, dark=False), "Which reply each model likes more"),
        data,
        f"Row {row}: which reply each reward model likes more. A is the chosen one."
        f" {pair_sentence('A', margins, results.dataset.chooser)}",
        _UNIT,
    )


def margins_of(results: Results, row_id: int) -> list[tuple[str, float | None]]:
    """Each model and its margin of a pair in typical margins; None where it did not rate it."""
    import pandas as pd

    found: list[tuple[str, float | None]] = []
    for judged in judged_pair(results, row_id).judged:
        unit = results.typical_margins[judged["model"]]
        # Without a unit all margins of the model are 0.
        margin = None if pd.isna(judged["margin"]) else judged["margin"] / unit if unit else 0.0
        found.append((judged["model"], margin))
    return found


def _titled(chart: alt.LayerChart, title: str) -> alt.LayerChart:
    """A chart that needs no title on its page, with one for where it stands alone."""
    titled: alt.LayerChart = chart.properties(title=title)
    return titled


def sentences(results: Results, shown: Sequence[str]) -> Drawn:
    """What each sentence of a reply adds to the reward; known once it was asked for."""
    import pandas as pd

    from ivan_core.charts.effects import effect_bars
    from ivan_core.domain.pairs import Side
    from ivan_core.experiments.compare.ablation import sentence_effects
    from ivan_core.experiments.compare.quick_rewards import Pending
    from ivan_core.metrics.effects import effects_sentence

    model, row, side = shown
    found = sentence_effects(results, int(row), model, cast("Side", side))
    if isinstance(found, Pending):
        raise BadInput(
            f"What the sentences of row {row} add is not known yet; it is being computed.",
            "Ask again in a moment, or follow it on the page Pairs: What moved the reward?",
        )
    adds = [sentence.adds for sentence in found.sentences]
    data = pd.DataFrame(
        [
            (int(row), side, number, sentence.sentence, sentence.without, sentence.adds)
            for number, sentence in enumerate(found.sentences, 1)
        ],
        columns=["row_id", "side", "sentence", "text", "reward_without", "adds"],
    )
    return Drawn(
        lambda: _titled(effect_bars(adds, dark=False), "What each sentence adds to the reward"),
        data,
        f"Row {row}, the {side} reply: what each of its {len(adds)} sentences adds to the reward of"
        f" {model}. {effects_sentence(model, adds, found.typical)}",
        "The reward of the reply minus that of the reply without the sentence, in the model's own"
        " units; one sentence at a time was left out.",
    )
