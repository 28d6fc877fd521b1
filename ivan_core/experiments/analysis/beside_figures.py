"""Charts beside what a model rewards: what the choice rewards, and what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.beside import GAP, GAP_NEEDS
from ivan_core.experiments.analysis.sentences.published import BARS_ARE, OTHERS, published_rows
from ivan_core.experiments.analysis.sentences.words import FEATURES
from ivan_core.figures.chart import Drawn
from ivan_core.metrics.imprint.choice import CHOICE
from ivan_core.metrics.imprint.effects import CLEAR_FOR_ONE
from ivan_core.metrics.paired import SIGNIFICANT
from ivan_core.metrics.sentences import the

if TYPE_CHECKING:
    import pandas as pd


def choice_dots_rows(analysed: Analysed, model: str, labeler: str) -> pd.DataFrame:
    """The log odds of the choice, of a model and of their gap, feature by feature, to draw."""
    gap = f"{model} - {CHOICE}"
    series = {CHOICE: the(analysed.dataset.chosen_by), model: model, gap: GAP}
    table = analysed.table("choice", labeler=labeler).drop(columns=["why"])
    table = table[table["who"].isin(series)].reset_index(drop=True)
    sure = table["who"].eq(gap) & (table["p_holm"] < SIGNIFICANT)
    return table.assign(
        series=table["who"].map(series),
        estimate=table["log_odds"],
        clear=sure.map({True: CLEAR_FOR_ONE, False: ""}),
    )


def draw_choice(analysed: Analysed, model: str, labeler: str) -> Drawn:
    """What the choice rewards, beside what a model prefers."""
    from ivan_core.charts.imprint import choice_dots

    rows = choice_dots_rows(analysed, model, labeler)
    return Drawn(
        lambda: choice_dots(rows, FEATURES, dark=False),
        rows,
        "Of two replies alike in all else, the log odds that the one with a feature is chosen,"
        f" that {model} prefers it, and the gap of the two. {analysed.labeler(labeler).sentence}"
        f" {GAP_NEEDS}",
        "Logits of winning on differences of labels and of log length, without a constant; the"
        " choice wins each of its pairs, a tie of the model is half a win. Intervals are 95%, from"
        " a sandwich by prompt; that of a gap is from what each pair does to both. P-values are"
        " adjusted by Holm over the features; of gaps alone it is told whether they are clear.",
    )


def draw_published(analysed: Analysed, model: str) -> Drawn:
    """The imprint by the published rule, beside the paper's."""
    from ivan_core.charts.imprint import published_dots

    rows = published_rows(analysed, model)
    labeler = analysed.labeler(analysed.manifest["published"]["labeler"])
    return Drawn(
        lambda: published_dots(rows, FEATURES, dark=False),
        rows,
        f"What a text with a feature is rewarded more by {model}, in its reward points, by the"
        f" published rule, beside the paper's. {OTHERS} {labeler.sentence}",
        "One regression of the rewards of all texts on a constant, the labels of each text and its"
        f" row id, with classical errors, which know no pairs and no prompts. {BARS_ARE}",
    )
