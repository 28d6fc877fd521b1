"""What many models are to each other, and together, as sentences to copy."""

from __future__ import annotations

from functools import partial

from ivan_core.domain.runs import RunState
from ivan_core.experiments.compare.many_figures import NAMES, bare_of
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.words import Quote
from ivan_core.metrics.models.joint import LEAST_MODELS
from ivan_core.metrics.models.likeness import MEASURES
from ivan_core.metrics.models.sentences import (
    alike_sentence,
    disguise_sentence,
    doubtful_sentence,
    extremes_sentence,
    fewest_sentence,
    joint_sentences,
)
from ivan_core.metrics.training import trained_somewhere

_ALIKE = "How alike are they?"
_TOGETHER = "And all together?"


def joint_told(results: Results) -> list[str]:
    """What the models come to together beside the best of them; nothing below three models."""
    doubtful = [
        one.model
        for one in results.training.values()
        if one.card_says and not one.seen and not one.unseen
    ]
    return joint_sentences(
        results.many.joint,
        results.dataset.chosen_by,
        complete=results.run.state is RunState.DONE,
        picked=results.whole is not None,
        never_clear=trained_somewhere(doubtful),
    )


def many_quotes(results: Results) -> list[Quote]:
    """How alike the models are, which are the same, and what few or all of them show."""
    if len(results.models) < 2:
        return []
    many, quote = results.many, partial(Quote, measure=REWARDS)
    found = [
        quote(_ALIKE, alike_sentence(bare_of(results, many.alike), measure), NAMES[measure])
        for measure in MEASURES
    ]
    same = [quote(_ALIKE, disguise_sentence(one), NAMES["margins"]) for one in many.disguises]
    if len(results.models) < LEAST_MODELS:
        return [*found, *same]
    grid, choice = bare_of(results, many.singles), results.dataset.chosen_by
    doubtful = doubtful_sentence(list(results.training.values()))
    together = [] if results.bare else joint_told(results)
    return [
        *found,
        *same,
        quote(_TOGETHER, f"{extremes_sentence(grid, choice)} {doubtful}".strip(), "grid"),
        *(quote(_TOGETHER, told, "grid") for told in together),
        quote(_TOGETHER, fewest_sentence(many.fewest, len(results.models)), "fewest"),
    ]
