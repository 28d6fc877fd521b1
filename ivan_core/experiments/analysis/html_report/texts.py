"""Pairs of the dataset that show the strongest effects: only where their texts are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.findings import pair_that_shows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence, shown_effects
from ivan_core.figures.html.frame import paragraph, text
from ivan_core.figures.html.texts import pair
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH

_STRONGEST = 5


def pairs_that_show(analysed: Analysed, most_bytes: int) -> list[str]:
    """For each model and labeler the pairs that show its five strongest effects the most."""
    found: list[str] = []
    size = 0
    for part in _pairs(analysed):
        size += len(part.encode())
        if size > most_bytes:
            found.append(paragraph("More pairs would make this file too large.", "small"))
            break
        found.append(part)
    return found or [paragraph("No pair shows an effect here.")]


def _pairs(analysed: Analysed) -> Iterator[str]:
    control = analysed.spec.control
    for who in analysed.labelers:
        for model in analysed.models:
            effects = shown_effects(analysed, who.run_id, "together", control, model)
            effects = effects[
                effects["estimate"].notna() & ~effects["feature"].isin([LENGTH, CHOSEN])
            ]
            order = effects["estimate"].abs().sort_values(ascending=False, kind="stable").index
            for row in effects.loc[order[:_STRONGEST]].to_dict("records"):
                feature, estimate = str(row["feature"]), float(row["estimate"])
                shown = pair_that_shows(analysed, model, who.run_id, feature, estimate)
                if shown is not None:
                    words = paragraph(effect_sentence(row, who))
                    yield f"<h3>{text(TITLES.get(feature, feature))}</h3>\n{words}\n" + pair(
                        analysed.dataset, shown
                    )
