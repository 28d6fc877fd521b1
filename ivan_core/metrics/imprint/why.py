"""Which features of either reply go with going against the choice.

The logit of misaligned (a tie or the other reply) on a constant, the features of both replies and
the difference in log length. A column is shown as points: how much more often pairs go against the
choice if the reply has the feature, averaged over the pairs as they are in all else; of a column
that is no yes or no, the average slope (Bartus, 2005, Stata Journal 5:309-329). Their errors follow
from the sandwich of the log odds by the delta method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.imprint.groups import Floats, Ints
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate, independent
from ivan_core.metrics.imprint.logit import Logit, NoFit, chance_of, estimates, logit
from ivan_core.metrics.imprint.preference import Bools
from ivan_core.metrics.imprint.rows import LENGTH
from ivan_core.metrics.labels.answers import SENTIMENT
from ivan_core.metrics.paired import holm

LEAST_AWAY = 10
"""Texts whose label is not the most common one."""
LEAST_EACH = 5
"""Of these, so many in pairs that go against the choice and so many in pairs that do not."""


@dataclass(frozen=True, slots=True)
class Why:
    """How one column goes with going against the choice.

    `column` is `chosen:` or `rejected:` and a feature, or log length. `points` lie between -1 and
    1. `p_holm` is the p of the log odds, adjusted over the feature columns, NaN for length: of
    simulated families without effect it finds one in 4-5%, the p of the points in 7%. `away` of
    `n` texts have not the most common label (of length: differ in it), `away_against` of them in
    pairs that go against the choice. Where there is no number, `why` says so.
    """

    column: str
    log_odds: Estimate
    odds_ratio: float
    points: Estimate
    p_holm: float
    n: int
    away: int
    away_against: int
    why: str = ""


def why_against(
    chosen: Floats,
    rejected: Floats,
    features: Sequence[str],
    length: Floats,
    misaligned: Bools,
    groups: Ints,
) -> tuple[Why, ...]:
    """How each feature of the chosen reply, of the rejected one, and log length go with it.

    `chosen` and `rejected`, shape (n, k), are the labels of both replies: 0 or 1, of sentiment -1,
    0 or 1; `length`, shape (n,), is ln of the chosen reply's characters less that of the rejected
    one's; `misaligned`, shape (n,), says where a model goes against the choice; `groups` has a
    number for each pair, the same for pairs of one prompt. A column needs 10 texts away from the
    most common label, 5 of them in pairs that go against the choice and 5 in pairs that do not.
    """
    names = (*(f"{side}:{feature}" for side in SIDES for feature in features), LENGTH)
    columns, n = np.column_stack([chosen, rejected, length]), len(length)
    rarer = [*(away(labels) for labels in columns.T[:-1]), length != 0]
    counts = [(int(rows.sum()), int(misaligned[rows].sum())) for rows in rarer]
    why = {place: few for place in range(len(names) - 1) if (few := _too_few(*counts[place]))}
    if not n or np.ptp(length) == 0:
        why[len(names) - 1] = "the same in all pairs"
    wanted = [place for place in range(len(names)) if place not in why]
    # Less their means, since the constant is among the columns.
    kept, dropped = independent(columns[:, wanted] - columns[:, wanted].sum(axis=0) / max(1, n))
    for place, by in dropped.items():
        why[wanted[place]] = f"cannot be told apart from {names[wanted[by]]}"
    places = [wanted[place] for place in kept]
    graded = np.array([names[place].endswith((SENTIMENT, LENGTH)) for place in places], dtype=bool)
    found = _fitted(columns[:, places], graded, misaligned, groups)
    told = dict.fromkeys(range(len(names)), (NOTHING, NOTHING))
    if isinstance(found, NoFit):
        why |= dict.fromkeys(places, found.reason)
    else:
        told |= zip(places, found, strict=True)
    adjusted = [*holm([told[place][0].p for place in range(len(names) - 1)]), nan]
    entries = []
    for place, name in enumerate(names):
        odds, points = told[place]
        ratio, p_holm = float(np.exp(odds.estimate)), float(adjusted[place])
        reason = why.get(place, "")
        entries.append(Why(name, odds, ratio, points, p_holm, n, *counts[place], reason))
    return tuple(entries)


def average_effects(columns: Floats, fit: Logit, graded: Bools) -> tuple[Floats, Floats]:
    """The average effect on the chance of each column, shape (k,), and its slopes, shape (k, k).

    A row of slopes says how the effect of a column moves with each of the log odds. Of a column of
    0 and 1 the effect is the chance with 1 less the chance with 0 in all rows, else (`graded`) the
    slope of the chance.
    """
    at_rows, n = columns @ fit.log_odds, len(columns)
    steep = fit.chance * (1 - fit.chance)
    bend = steep * (1 - 2 * fit.chance)
    effects, slopes = np.zeros(len(graded)), np.zeros((len(graded),) * 2)
    for place, (column, odds) in enumerate(zip(columns.T, fit.log_odds, strict=True)):
        if graded[place]:
            effects[place] = odds * steep.mean()
            slopes[place] = odds * (bend @ columns) / n
            slopes[place, place] += steep.mean()
        else:
            without = at_rows - odds * column
            high, low = chance_of(without + odds), chance_of(without)
            above, below = high * (1 - high), low * (1 - low)
            effects[place] = (high - low).mean()
            slopes[place] = (above - below) @ columns / n
            slopes[place, place] = above.mean()
    return effects, slopes


def _fitted(
    columns: Floats, graded: Bools, misaligned: Bools, groups: Ints
) -> tuple[tuple[Estimate, Estimate], ...] | NoFit:
    """Log odds and points of each column, beside a constant."""
    if misaligned.all() or not misaligned.any():
        return NoFit(f"{'every' if misaligned.any() else 'no'} pair goes against the choice")
    with_constant = np.column_stack([np.ones(len(columns)), columns])
    fit = logit(with_constant, misaligned.astype(np.float64), groups)
    if isinstance(fit, NoFit):
        return fit
    effects, slopes = average_effects(with_constant, fit, np.concatenate([[True], graded]))
    points = estimates(effects, slopes @ fit.variance @ slopes.T)
    return tuple(zip(estimates(fit.log_odds, fit.variance), points, strict=True))[1:]


def away(labels: Floats) -> Bools:
    """Where a label is not the most common one."""
    most = max((-1.0, 0.0, 1.0), key=lambda label: np.count_nonzero(labels == label))
    return np.asarray(labels != most)


def _too_few(away: int, against: int) -> str:
    """Why a column says too little; empty if it does not."""
    if away < LEAST_AWAY:
        return f"too few: {away} of at least {LEAST_AWAY}"
    for count, word in ((against, "against"), (away - against, "with")):
        if count < LEAST_EACH:
            return f"too few: {count} of at least {LEAST_EACH} go {word} the choice"
    return ""
