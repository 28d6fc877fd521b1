"""Which words of two replies moved a model's reward, in steps that a legend can tell and in words.

What a word adds is the reward of its reply minus that of the reply without it (leave one out). It
is judged in typical margins of the model (`agreement.typical_margin`), so that pairs and models
compare; where a model has none, in the largest effect of the pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ivan_core.metrics.intervals import with_minus
from ivan_core.metrics.margin_words import margin_size
from ivan_core.metrics.sentences import signed

STEPS = (0.1, 0.25, 0.5)
"""From how many typical margins on a word is marked, marked more, and marked most.

On the bundled sample about two words in three move either bundled model by less than the first, and
one in fifty by more than the last.
"""
_LONGEST_QUOTED = 40
_AROUND = ".,;:!?()[]\"“”'‘’*_"
"""Marks around a word that are left out with it, and are not quoted."""


@dataclass(frozen=True, slots=True)
class MovedWord:
    """A word, or a few of a long reply, in its reply, and what it adds; None if nobody knows."""

    side: Literal["A", "B"]
    text: str
    adds: float | None

    @property
    def quoted(self) -> str:
        words = " ".join(self.text.split())
        words = words.strip(_AROUND) or words
        return f"“{words if len(words) <= _LONGEST_QUOTED else words[:_LONGEST_QUOTED] + '…'}”"


def unit_of(words: Sequence[MovedWord], typical: float | None) -> float:
    """What effects are judged by: the typical margin, else the largest effect; 0 if all are 0."""
    return typical or max((abs(word.adds) for word in words if word.adds is not None), default=0.0)


def step(adds: float | None, unit: float) -> int:
    """How many of the `STEPS` an effect has reached, with its sign."""
    if not adds or not unit:
        return 0
    reached = sum(abs(adds) / unit >= least for least in STEPS)
    return reached if adds > 0 else -reached


def strongest(words: Sequence[MovedWord], unit: float, most: int) -> list[MovedWord]:
    """Those that reached a step, the strongest first, at most `most`."""
    moved = [word for word in words if step(word.adds, unit)]
    return sorted(moved, key=lambda word: -abs(word.adds or 0.0))[:most]


def moved_sentence(model: str, words: Sequence[MovedWord], typical: float | None) -> str:
    """Which word moved a model most, as in "Without “kill”, minilm gives B 0.31 more …"."""
    known = [word for word in words if word.adds is not None]
    if not known:
        return f"{model} could not score the replies without their words."
    unit = unit_of(words, typical)
    found = strongest(words, unit, 1)
    if not found:
        least = f"{STEPS[0]:g} typical margins" if typical else "anything"
        return f"No word alone moves {model} by {least}: what it likes lies in the whole."
    (word,) = found
    adds = word.adds or 0.0
    amount = signed([abs(adds)])[0][1:]
    size = f" ({margin_size(adds / typical)})" if typical else ""
    change = "less" if adds > 0 else "more"
    return f"Without {word.quoted}, {model} gives {word.side} {amount} {change}{size}."


def next_sentence(words: Sequence[MovedWord], typical: float | None, most: int = 5) -> str:
    """The strongest after the first, each with its number; empty where there are none."""
    found = strongest(words, unit_of(words, typical), most + 1)[1:]
    told = [f"{word.quoted} in {word.side} {number_of(word.adds, typical)}" for word in found]
    unit = ", in typical margins" if typical else ""
    return f"Next{unit}: {', '.join(told)}." if told else ""


def number_of(adds: float | None, typical: float | None) -> str:
    """What a word adds, with its sign: in typical margins where the model has some."""
    if adds is None:
        return "–"
    return with_minus(adds / typical, "+.2f") if typical else signed([adds])[0]
