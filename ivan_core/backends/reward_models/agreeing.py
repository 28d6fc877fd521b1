"""Whether a faster way of scoring gives the scores and verdicts of single texts, up to rounding."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.backends.reward_models.probes import same_verdicts

LARGEST_DIFFERENCE = 1e-4
"""In float32, of the spread of the probes' scores; 7e-6 is what was seen."""
ROUNDING_STEPS = 4
"""In half precision, of the spread, in steps of its rounding, where padding moves no score."""


def why_not_alike(
    alone: Sequence[float], padded: Sequence[float], found: Sequence[float], rounding: float
) -> str:
    """Why scores `found` in a faster way are not those of texts `alone`; empty where they are.

    In float32 no score may move by more than 1e-4 of the scores' spread, and no verdict. In half
    precision (`rounding` is the step of its numbers at 1) padding alone moves scores by a hundredth
    of that spread and more, and padded batches are used all the same: so twice what they move is
    allowed, or four steps of rounding, whichever is more, and verdicts are the same up to that.
    """
    spread = max(alone) - min(alone)
    allowed, noise = LARGEST_DIFFERENCE * spread, 0.0
    if rounding > LARGEST_DIFFERENCE:
        allowed = max(2 * _largest(alone, padded), ROUNDING_STEPS * rounding * spread)
        noise = allowed / 4
    if not same_verdicts(alone, found, noise):
        return "its verdicts differed"
    if not _largest(alone, found) <= allowed:
        return "its scores differed"
    return ""


def _largest(expected: Sequence[float], found: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(expected, found, strict=True))
