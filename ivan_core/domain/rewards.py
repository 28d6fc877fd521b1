"""Rewards, margins and verdicts."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agree", "tie", "disagree"]


@dataclass(frozen=True, slots=True)
class Reward:
    """What a reward model gave one text, in its own units (comparable inside one model only).

    `value` is a float32 held in a Python float, or None with the `failure` that says why.
    `truncated` tells that the model did not read the whole text.
    """

    value: float | None
    truncated: bool = False
    failure: str | None = None

    @classmethod
    def measured(cls, value: float, truncated: bool = False) -> Reward:
        """A reward as a float32; one that is not finite is kept as a failure, with its reason."""
        try:
            (rounded,) = struct.unpack("f", struct.pack("f", value))
        except OverflowError:
            rounded = math.inf
        if math.isfinite(rounded):
            return cls(rounded, truncated)
        return cls(None, truncated, f"the model gave {value}, which is not a finite number")


def margin(chosen: Reward, rejected: Reward) -> float | None:
    """How much more the model rewards what the person preferred; None if a side has no reward."""
    if chosen.value is None or rejected.value is None:
        return None
    return chosen.value - rejected.value


def verdict(chosen: Reward, rejected: Reward) -> Verdict | None:
    """Whether the model sides with the person; a tie is an equal float32, None an absent reward."""
    if chosen.value is None or rejected.value is None:
        return None
    if chosen.value == rejected.value:
        return "tie"
    return "agree" if chosen.value > rejected.value else "disagree"
