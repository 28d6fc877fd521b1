"""How often a model could side with the choice at best, if people themselves choose differently.

From blind second choices on random pairs: if two people each pick the better reply with the same
probability p, independently, they agree with probability q = p² + (1 − p)², so that
p = (1 + √(2q − 1)) / 2. A model that always knows the better reply sides with a choice in p.

In general 2q − 1 is the mean over pairs of (2p − 1)(2r − 1), for a first person who is right with
p and a second with r. Where p = r varies by pair this is the mean of a square, above the square of
the mean: the ceiling is too high. Where r < p throughout, the root is a geometric mean below
2p − 1: the ceiling is too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Rate, wilson
from ivan_core.metrics.sentences import as_if_apart, interval, interval_ends, percent

LEAST_CHOICES = 100
ASSUMPTION = (
    "It assumes that both people err equally often, on every pair alike, and independently of each"
    " other. Pairs of unequal difficulty raise it above the truth (to 85% where half of the pairs"
    " are clear to everybody and half a toss-up, so that the truth is 75%); second people who err"
    " more often than the first lower it (to 80% where the first err in 15% and the second in 25%,"
    " so that the truth is 85%)."
)
SHORT_ASSUMPTION = "if two people err equally often and independently"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The ceiling with the ends of its 95% interval, and q, the agreement it rests on.

    `undecided` pairs, on which the second person saw no difference or could not tell, are not part
    of q. An end of q's interval at or below one half gives a ceiling of one half.
    """

    rate: float
    low: float
    high: float
    agreed: Rate
    undecided: int

    @property
    def label(self) -> str:
        """What is written on its line."""
        return f"ceiling {percent(self.rate, self.agreed.n)}, {SHORT_ASSUMPTION}"

    @property
    def sentence(self) -> str:
        """The ceiling with its n, interval and assumption."""
        n = self.agreed.n
        return (
            f"No model can be expected to side with the choice in more than"
            f" {percent(self.rate, n)} {interval_ends(self.low, self.high, n)} of pairs: second"
            f" people who chose blindly on {n:,} random pairs met the recorded choice in"
            f" {percent(self.agreed.rate, n)} {interval(self.agreed)}"
            f"{as_if_apart(n, self.agreed.effective_n)}{_beside(self.undecided)}. {ASSUMPTION}"
        )


def ceiling(agreed: int, n: int, undecided: int = 0, design: float = 1.0) -> Ceiling | None:
    """The ceiling from `agreed` of `n` blind second choices that named a side.

    `design` is the design effect of repeated prompts, which widens its interval. None with fewer
    than 100 of them, or if they agree in no more than half.
    """
    q = wilson(agreed, n, design=design)
    if q is None or n < LEAST_CHOICES or 2 * agreed <= n:
        return None
    return Ceiling(_best(q.rate), _best(q.low), _best(q.high), q, undecided)


def no_ceiling_sentence(agreed: int, n: int, undecided: int = 0) -> str:
    """Why there is no ceiling yet."""
    beside = _beside(undecided)
    if n < LEAST_CHOICES:
        return (
            f"On {number_of(n, 'random pair')} somebody chose a second time without knowing the"
            f" first choice{beside}; from {LEAST_CHOICES} on that tells how often a model could"
            " side with the choice at best."
        )
    return (
        f"Second people who chose blindly met the recorded choice on {agreed:,} of {n:,} random"
        f" pairs{beside},"
        " no more than half: that gives no ceiling."
    )


def _best(q: float) -> float:
    return (1 + sqrt(max(2 * q - 1, 0.0))) / 2


def _beside(undecided: int) -> str:
    if not undecided:
        return ""
    pairs = "pair" if undecided == 1 else "pairs"
    return f" ({undecided:,} more {pairs} with no difference or no answer left out)"
