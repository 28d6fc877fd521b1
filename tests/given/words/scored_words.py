"""A short list of words that two models have scored, and the answer kept of it."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.words import asking
from ivan_core.words.asking import Asked, Scored

LIST = ("love", "peace", "cheese", "mud", "war")


def asked(words: Sequence[str] = LIST, prompt: str = asking.PROMPT) -> Asked:
    """What is asked of the two models that ship with IVAN."""
    return Asked(models=asking.pair_named(asking.shipped()), prompt=prompt, own=tuple(words))


def keep(question: Asked, first: Sequence[float | None], second: Sequence[float | None]) -> Scored:
    """Keep the rewards of every word, as if the warm worker had given them."""
    asking._keep(question, [tuple(first), tuple(second)])
    found = asking.kept(question)
    assert found is not None
    return found
