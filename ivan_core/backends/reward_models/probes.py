"""Texts that two ways of computing the same scores are tried on, and whether both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from ivan_core.domain.transcripts import Dialogue

_SENTENCES = (
    "Boil the potatoes for twenty minutes.",
    "I will not help with that!",
    "Why do you ask?",
    "The capital of France is Paris.",
    "No.",
    "That sounds hard, and I am sorry to hear it.",
    "First, unplug the machine; then open the lid.",
    "x = 3 * (y + 1)",
)


def probe_dialogues() -> list[Dialogue]:
    """Eight texts of very different lengths."""
    return [
        Dialogue(f"\n\nHuman: Question {i}?\n\nAssistant: {' '.join([sentence] * (1 + 3 * i))}")
        for i, sentence in enumerate(_SENTENCES)
    ]


def probe_pairs() -> list[Dialogue]:
    """Sixteen texts, the two sides of eight pairs by turns; prompts of one turn and of three."""
    replies = (*_SENTENCES, _SENTENCES[0])
    texts = []
    for i in range(8):
        asked = f"\n\nHuman: Question {i}: what would you say, and why?"
        earlier = f"{asked}\n\nAssistant: {replies[i]}\n\nHuman: And then?"
        prompt = earlier if i % 2 else asked
        texts += [Dialogue(f"{prompt}\n\nAssistant: {reply}") for reply in replies[i : i + 2]]
    return texts


def same_verdicts(expected: Sequence[float], found: Sequence[float], noise: float) -> bool:
    """Whether both lists order every two texts alike, where scores may be `noise` off.

    A margin is off by twice that in each list, so two margins that differ by no more than four
    times it are the same. Scores that are no numbers are not.
    """
    for (a, b), (c, d) in zip(combinations(expected, 2), combinations(found, 2), strict=True):
        before, after = a - b, c - d
        if not abs(before - after) <= 4 * noise and not before * after > 0:
            return False
    return True
