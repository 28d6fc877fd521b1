"""Figures of one pair: the margins of all models, and what each sentence adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import Results, judged_pair
from ivan_core.figures.chart import Drawn
from ivan_core.metrics.sentences import pair_sentence

if TYPE_CHECKING:
    import altair as alt

_UNIT = (
    "A margin is the reward of the chosen minus that of the rejected reply, in units of the model's"
    " own root-mean-square margin in this run."
)


def pair_margins(results: Results, row: int) -> Drawn:
    """Which reply of one pair each model likes more, and by how much."""
    import pandas as pd

    from ivan_core.charts.one_pair import margin_strip

    margins = margins_of(results, row)
    data = pd.DataFrame(
        [(row, model, margin) for model, margin in margins],
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


def sentences(results: Results, model: str, row: int, side: str) -> Drawn:
    """What each sentence of a reply adds to the reward; known once it was asked for."""
    import pandas as pd

    from ivan_core.charts.one_pair import effect_bars
    from ivan_core.domain.pairs import Side
    from ivan_core.experiments.compare.ablation import sentence_effects
    from ivan_core.experiments.compare.quick_rewards import Pending
    from ivan_core.metrics.sentences import effects_sentence

    found = sentence_effects(results, row, model, cast("Side", side))
    if isinstance(found, Pending):
        raise BadInput(
            f"What the sentences of row {row} add is not known yet; it is being computed.",
            "Ask again in a moment, or follow it on the page Pairs: What moved the reward?",
        )
    adds = [sentence.adds for sentence in found.sentences]
    data = pd.DataFrame(
        [
            (row, side, number, sentence.sentence, sentence.without, sentence.adds)
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
