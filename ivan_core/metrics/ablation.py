"""What single sentences add to a reward, in words: numbers with signs, the largest, the flip."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Literal

from ivan_core.domain.ablation import Flip

Side = Literal["A", "B"]


def signed(values: Sequence[float | None]) -> list[str]:
    """Numbers with their sign and as many decimals as give the largest two digits.

    What rounds to zero has no sign, and None is a dash.
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    decimals = min(max(1 - floor(log10(largest)), 0), 6) if largest else 0
    return ["–" if value is None else _signed(value, decimals) for value in values]


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text if any(digit in text for digit in "123456789") else text[1:]


def effects_sentence(model: str, adds: Sequence[float | None], typical: float | None) -> str:
    """Which sentence moved the reward most, as in "Without sentence 2 … by 0.41 less"."""
    known = [(abs(value), -i, value) for i, value in enumerate(adds) if value is not None]
    if not known:
        return f"{model} could not score the reply without its sentences."
    size, place, value = max(known)
    if size == 0:
        return f"No single sentence changes what {model} gives this reply."
    amount = signed([size])[0][1:]
    unit = f" ({size / typical:.1f} typical margins)" if typical else ""
    word = "less" if value > 0 else "more"
    return f"Without sentence {1 - place}, {model} gives the reply {amount} {word}{unit}."


def flip_sentence(flip: Flip, model: str, winner: Side) -> str:
    """What a search for the shortest deletion that flips the verdict found, and how it looked.

    `winner` is the side that the model likes less now, and would prefer after a flip.
    """
    if flip.possible == 0:
        return "The reply is one sentence: nothing would be left to judge without it."
    if flip.tried == 0:
        return f"{model} likes both sides the same: there is no verdict to flip."
    tried = f"{flip.tried:,} of {flip.possible:,} possible deletions"
    if flip.left_out is None:
        if flip.shortest:
            return f"No deletion makes {model} prefer {winner}: all {flip.possible:,} were tried."
        return f"No deletion was found that makes {model} prefer {winner}, among {tried}."
    numbers = _listed([i + 1 for i in flip.left_out])
    start = f"Without {numbers}, {model} prefers {winner}"
    if flip.shortest:
        return f"{start}: no shorter deletion does that ({tried} were tried, the shortest first)."
    return f"{start}: the shortest found among {tried}; a shorter one may exist."


def _listed(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"sentences {', '.join(most)} and {last}" if most else f"sentence {last}"
