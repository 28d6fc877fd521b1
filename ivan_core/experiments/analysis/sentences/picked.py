"""Numbers of pairs that somebody picked by conditions, in sentences: intervals, and no test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivan_core.domain.words import number_of, one_line
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.against import against_sentence, preference_sentence
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence

_LONGEST = 200
_FOLLOWS = (
    "A condition is on verdicts or margins themselves, so these numbers follow from it, in whole or"
    " in part, and tell nothing of other pairs."
)
_UNTESTED = (
    "Intervals alone, of pairs chosen after looking: nothing here is clear. Typical margins"
    " are those of all pairs. Figures, files and sentences to copy are of all pairs."
)


def which_sentence(analysed: Analysed, words: str, count: int) -> str:
    """Which pairs count, and that they were chosen after looking."""
    every = number_of(len(analysed.row_ids), "pair")
    return f"{count:,} of {every}, chosen after looking: {one_line(words, _LONGEST)}."


def beware(*, follows: bool) -> str:
    """What must not be concluded from them; `follows` where a condition is on what is counted."""
    return f"{_UNTESTED} {_FOLLOWS}" if follows else _UNTESTED


def picked_effect(row: Mapping[str, Any], who: WhoLabelled, words: str) -> str:
    """One effect among such pairs."""
    return _among(effect_sentence(row, who), words)


def picked_shares(analysed: Analysed, model: str, labeler: str, words: str) -> str:
    """How often a model goes against the choice among such pairs, and by what the labels prefer.

    `analysed` has the shares of these pairs in its table.
    """
    told = against_sentence(analysed, model, labeler)
    apart = preference_sentence(analysed, model, labeler)
    return _among(f"{told} {apart}".strip(), words)


def _among(sentence: str, words: str) -> str:
    lead = f"Chosen after looking ({one_line(words, _LONGEST)})"
    return f"{lead}: {_lower(sentence)}"


def _lower(sentence: str) -> str:
    """Its first word as within a sentence; names of models stay as they are."""
    for word in ("Alike", "By itself", "Of "):
        if sentence.startswith(word):
            return f"{sentence[0].lower()}{sentence[1:]}"
    return sentence
