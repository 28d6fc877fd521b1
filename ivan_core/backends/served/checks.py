"""Is it a raw logit, is it still the same model, and does it agree with a pass on this machine?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import MEASURED, Reward
from ivan_core.domain.transcripts import Dialogue

PROBES = tuple(
    Dialogue(f"\n\nHuman: {question}\n\nAssistant: {reply}")
    for question, reply in (
        ("How do I boil an egg?", "Put it in boiling water for eight minutes, then cool it."),
        ("How do I boil an egg?", "eggs eggs eggs"),
        ("Is the Earth flat?", "No. It is round, and people have sailed and flown around it."),
        ("I feel sad today.", "Why would I care?"),
    )
)
"""Never changed: a run that is resumed asks for them again."""
_ACTIVATED = 1e-3
_SAME = 1e-6
_EXACT_SHIFT, _SHIFT = 1e-3, 0.02
_EXACT_SHARE, _SHARE = 1e-3, 0.10
_LEAST_CORRELATION, _SLOPES = 0.999, (0.95, 1.05)
_FULL_PRECISION = ("float32", "fp32")


def activated(logits: Sequence[float]) -> list[float]:
    """What an engine makes of logits when it is not told otherwise: a sigmoid, or a softmax."""
    if len(logits) == 1:
        return [1 / (1 + math.exp(-logits[0])) if logits[0] > -700 else 0.0]
    most = max(logits)
    shares = [math.exp(logit - most) for logit in logits]
    return [share / math.fsum(shares) for share in shares]


def is_raw(raw: Sequence[Sequence[float]], squashed: Sequence[Sequence[float]]) -> bool:
    """Whether numbers are raw logits, by the same texts' numbers with the activation on.

    Equal numbers tell of a flag that was ignored, unless some lie where no activation gets: then
    the model has none.
    """
    pairs = [
        pair
        for one, other in zip(raw, squashed, strict=True)
        for pair in zip(one, other, strict=True)
    ]
    if all(abs(one - other) <= _SAME for one, other in pairs):
        return beyond_activation(raw)
    return all(
        abs(expected - given) <= _ACTIVATED
        for one, other in zip(raw, squashed, strict=True)
        for expected, given in zip(activated(one), other, strict=True)
    )


def beyond_activation(raw: Sequence[Sequence[float]]) -> bool:
    """Whether a number lies outside of 0 to 1, where neither sigmoid nor softmax gets."""
    return any(not 0 <= value <= 1 for one in raw for value in one)


def measured_revision(rewards: Sequence[float]) -> str:
    """A name for weights of which the server tells no revision: a hash of what they give.

    Three digits, as the last ones depend on what else a server is doing.
    """
    digits = ",".join(f"{reward:.3g}" for reward in rewards)
    return MEASURED + sha256(digits.encode()).hexdigest()[:8]


def same_weights(before: Sequence[float], now: Sequence[float], dtype: str) -> bool:
    """Whether two measurements of the fixed texts can come from the same weights."""
    if len(before) != len(now):
        return False
    share = _EXACT_SHIFT if dtype in _FULL_PRECISION else _SHIFT
    most = share * (max(before) - min(before))
    return all(abs(one - other) <= most for one, other in zip(before, now, strict=True))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a server's rewards of the same texts stand to our own; texts come pair by pair.

    `spread` is the range of our own rewards, `slope` and `offset` those of the line that gives the
    server's from ours.
    """

    texts: int
    largest: float
    spread: float
    correlation: float
    slope: float
    offset: float
    verdicts_changed: int

    @property
    def words(self) -> str:
        return (
            f"compared with a local pass on {self.texts} texts: at most {self.largest:.2g} apart "
            f"where rewards span {self.spread:.3g}, correlation {self.correlation:.4f}, "
            f"{self.verdicts_changed} of {self.texts // 2} verdicts differ"
        )


def in_rated_pairs(
    own: Sequence[Reward], served: Sequence[Reward]
) -> tuple[list[float], list[float]]:
    """Our rewards and the server's of the pairs that have all four; texts come pair by pair."""
    ours: list[float] = []
    theirs: list[float] = []
    for place in range(0, len(own) - 1, 2):
        sides = [one.value for one in (*own[place : place + 2], *served[place : place + 2])]
        values = [value for value in sides if value is not None]
        if len(values) == len(sides):
            ours += values[:2]
            theirs += values[2:]
    return ours, theirs


def agreement(own: Sequence[float], served: Sequence[float]) -> Agreement:
    """Compare at least two rewards of ours with the server's. Raises ValueError for fewer."""
    count = len(own)
    if count < 2 or count != len(served):
        raise ValueError("needs two rewards from each")
    middle, other = math.fsum(own) / count, math.fsum(served) / count
    across = math.fsum((a - middle) * (b - other) for a, b in zip(own, served, strict=True))
    ours = math.fsum((a - middle) ** 2 for a in own)
    theirs = math.fsum((b - other) ** 2 for b in served)
    slope = across / ours if ours else 0.0
    changed = sum(
        _sign(own[i] - own[i + 1]) != _sign(served[i] - served[i + 1])
        for i in range(0, count - 1, 2)
    )
    return Agreement(
        count,
        _largest(own, served),
        max(own) - min(own),
        across / math.sqrt(ours * theirs) if ours and theirs else 0.0,
        slope,
        other - slope * middle,
        changed,
    )


def disagreement(found: Agreement, dtype: str) -> str:
    """Why rewards cannot be those of the same model, with a likely cause; empty if they can."""
    share = _EXACT_SHARE if dtype in _FULL_PRECISION else _SHARE
    close = found.largest <= share * found.spread
    if found.correlation < _LEAST_CORRELATION:
        near = found.correlation < 0.2
        return (
            "texts are cut at the other end, read at another place, or the head is random"
            if near
            else "weights, template or cut are others"
        )
    if not _SLOPES[0] <= found.slope <= _SLOPES[1]:
        return "an activation may stand behind its scores"
    return "" if close else "the template or the mark of the beginning may be others"


def check_apart(served: Sequence[float], host: str) -> None:
    """Refuse scores that cannot be rewards of different texts.

    Raises:
        BackendUnavailable: all are equal.
    """
    if len(served) > 1 and len(set(served)) == 1:
        raise BackendUnavailable(
            f"{host} gives every text the same score ({served[0]:g}).",
            "It serves another kind of model, or puts an activation behind its scores.",
        )


def _largest(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
