"""Labels that flip when a text is reworded, and whether verdicts turn where they do.

A flip is the label of the original minus that of the reworded text, as in the SEAL paper: +1 where
a label was lost, -1 where it was gained, 0 where it stayed; a sentiment that falls counts as lost.

Odds ratios are those of Firth's logistic regression, which stay finite in small and separated
samples. The likelihood is penalised by the root of the information's determinant: Firth (1993),
Biometrika 80:27-38; intervals and p-values from the profile of the penalised likelihood: Heinze and
Schemper (2002), Statistics in Medicine 21:2409-2419.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, erfc, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.intervals import PROMPT, Rate, design_in, share_in, units_in, wilson
from ivan_core.metrics.labels.answers import LIST_KEYS, answers
from ivan_core.metrics.paired import SIGNIFICANT, holm

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

LOST, SAME, GAINED = 1, 0, -1
DIRECTIONS = {"lost": LOST, "gained": GAINED}
LEAST_FLIPS = 15
LEAST_EVENTS = 5
LEAST_UNCHANGED = 50
"""Texts labelled twice unchanged, below which the labeler's own flips are not known."""
FLIPS = ["row_id", "preference", "feature", "flip"]
RATES = [
    "feature",
    "n",
    "lost",
    "gained",
    "same",
    "rate",
    "low",
    "high",
    "own_n",
    "own_rate",
    "excess",
    "excess_low",
    "excess_high",
    "effective_n",
    "own_low",
    "own_high",
    "own_effective_n",
]
RISKS = [
    "feature",
    "preference",
    "direction",
    "n",
    "flips",
    "events",
    "events_flipped",
    "risk_flipped",
    "risk_same",
    "difference",
    "low",
    "high",
    "odds_ratio",
    "odds_low",
    "odds_high",
    "p",
    "clear",
    "needs",
    "effective_n",
]


def label_flips(before: pd.DataFrame, after: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row a text and label that both tables answer: row_id, preference, feature, flip.

    Both tables have one row a text: row_id, preference, and a column for each key; where `before`
    has the column `PROMPT`, the result has it too. Lists have no single flip and are left out.
    """
    named = ["row_id", "preference", *([PROMPT] if PROMPT in before.columns else [])]
    after = after.drop(columns=PROMPT, errors="ignore")
    both = before.merge(after, on=["row_id", "preference"], suffixes=("", " after"))
    parts = []
    for key in keys:
        if key in LIST_KEYS:
            continue
        first = answers(both[[key]], key).codes()
        then = answers(both[[f"{key} after"]].set_axis([key], axis=1), key).codes()
        known = (first >= 0) & (then >= 0)
        part = both.loc[known, named]
        parts.append(part.assign(feature=key, flip=np.sign(first - then)[known]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FLIPS)


def flip_rates(flips: pd.DataFrame, unchanged: pd.DataFrame | None = None) -> pd.DataFrame:
    """How often each label flips, beyond what the labeler flips by itself.

    `unchanged` are flips between two labellings of the same, unchanged texts. Columns: feature, n,
    lost, gained, same, rate, low, high (Wilson), own_n, own_rate, and excess, excess_low,
    excess_high: the rate less the labeler's own, missing with fewer than 50 such texts;
    own_low and own_high; effective_n and own_effective_n, as if of how many texts on their own:
    both of a pair, and all of a prompt, are one group.
    """
    rows: list[dict[str, object]] = []
    for feature, part in flips.groupby("feature", sort=False):
        lost, gained = int((part["flip"] == LOST).sum()), int((part["flip"] == GAINED).sum())
        rate = _flip_rate(part)
        if rate is None:
            continue
        row: dict[str, object] = {
            "feature": feature,
            "n": len(part),
            "lost": lost,
            "gained": gained,
            "same": len(part) - lost - gained,
            "rate": rate.rate,
            "low": rate.low,
            "high": rate.high,
            "effective_n": rate.effective_n,
        }
        own = _own_rate(unchanged, str(feature))
        row |= {"own_n": own.n if own else 0, "own_effective_n": own.effective_n if own else 0}
        if own is not None and own.n >= LEAST_UNCHANGED:
            low, high = difference_interval(rate, own)
            row |= {"own_rate": own.rate, "excess": rate.rate - own.rate}
            row |= {"own_low": own.low, "own_high": own.high}
            row |= {"excess_low": low, "excess_high": high}
        rows.append(row)
    return pd.DataFrame(rows, columns=RATES)


def difference_interval(first: Rate, second: Rate) -> tuple[float, float]:
    """The interval of the difference of two shares of different pairs.

    Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    difference = first.rate - second.rate
    below = sqrt((first.rate - first.low) ** 2 + (second.high - second.rate) ** 2)
    above = sqrt((first.high - first.rate) ** 2 + (second.rate - second.low) ** 2)
    return difference - below, difference + above


def misalignment_risks(moved: pd.DataFrame, flips: pd.DataFrame) -> pd.DataFrame:
    """Do pairs become misaligned more often where a label flips? One row a label, side, direction.

    `moved` is one model's table of `changes`; only pairs that agreed before are
    at risk. Pairs whose label was lost (or gained) are set beside those whose label stayed.

    Columns: feature, preference, direction, n, flips, events (pairs that became misaligned),
    events_flipped, risk_flipped, risk_same, difference, low, high (Newcombe), odds_ratio, odds_low,
    odds_high, p (Firth's regression, adjusted for the size of the margin), clear (by Holm over all
    rows), and needs: the pairs it would need. With fewer than 15 flips or 5 events a row has only
    counts and needs, which is missing where there is no flip or no event to go by. effective_n: as
    if of how many pairs, where prompts repeat; the design effect of the difference of both risks
    widens its interval, and divides the likelihood ratio behind odds and p (Rao and Scott, 1984,
    Annals of Statistics 12:46-60, the first-order correction).
    """
    at_risk = moved[moved["verdict_before"].eq("agree")]
    at_risk = at_risk.assign(misaligned=~at_risk["verdict_after"].eq("agree"))
    joined = flips.merge(at_risk[["row_id", "margin_before", "misaligned"]], on="row_id")
    rows = []
    for feature in dict.fromkeys(flips["feature"]):
        for side in SIDES:
            own = joined[joined["feature"].eq(feature) & joined["preference"].eq(side)]
            for direction, flip in DIRECTIONS.items():
                compared = own[own["flip"].isin([flip, SAME])]
                row = {"feature": feature, "preference": side, "direction": direction}
                rows.append(row | _risk(compared, compared["flip"].eq(flip).to_numpy(bool)))
    found = pd.DataFrame(rows, columns=RISKS)
    adjusted = holm(found["p"].to_numpy(float)) if len(found) else np.empty(0)
    found["clear"] = adjusted < SIGNIFICANT
    return found


def _risk(compared: pd.DataFrame, exposed: Bools) -> dict[str, float]:
    """The numbers of one cell, as far as it has enough flips and events."""
    misaligned = compared["misaligned"].to_numpy(bool)
    n, flips, events = len(compared), int(exposed.sum()), int(misaligned.sum())
    both = int((exposed & misaligned).sum())
    counts: dict[str, float] = {"n": n, "flips": flips, "events": events, "events_flipped": both}
    design = design_in(compared, _off(exposed, misaligned))
    counts["effective_n"] = round(n / design)
    first, second = (
        wilson(hit, of, design=design) for hit, of in ((both, flips), (events - both, n - flips))
    )
    if first is None or second is None or flips < LEAST_FLIPS or events < LEAST_EVENTS:
        return counts | ({"needs": _needs(n, flips, events)} if flips and events else {})
    low, high = difference_interval(first, second)
    counts |= {"risk_flipped": first.rate, "risk_same": second.rate}
    counts |= {"difference": first.rate - second.rate, "low": low, "high": high}
    size = compared["margin_before"].abs().to_numpy(float)
    return counts | _odds(exposed, misaligned, size, design)


def _off(exposed: Bools, misaligned: Bools) -> Floats:
    """What each pair adds to the error of the difference of both risks (its linearised value)."""
    off = np.zeros(len(exposed))
    for own, sign in ((exposed, 1.0), (~exposed, -1.0)):
        if own.any():
            off[own] = sign * (misaligned[own] - misaligned[own].mean()) / own.sum()
    return off


def _odds(exposed: Bools, misaligned: Bools, size: Floats, design: float) -> dict[str, float]:
    """Firth's odds ratio of a flip, adjusted for the size of the margin where that varies."""
    columns = np.column_stack([exposed.astype(float), (size - size.mean()) / (size.std() or 1.0)])
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(size)), columns])) < 3:
        columns = columns[:, :1]
    found = firth(columns, misaligned.astype(float), design_effect=design)
    value, low, high = (float(np.exp(x)) for x in (found.value, found.low, found.high))
    return {"odds_ratio": value, "odds_low": low, "odds_high": high, "p": found.p}


def _needs(n: int, flips: int, events: int) -> int:
    return ceil(n * max(LEAST_FLIPS / flips, LEAST_EVENTS / events))


def _own_rate(unchanged: pd.DataFrame | None, feature: str) -> Rate | None:
    if unchanged is None:
        return None
    own = unchanged[unchanged["feature"].eq(feature)]
    return _flip_rate(own)


def _flip_rate(flips: pd.DataFrame) -> Rate | None:
    return share_in(flips["flip"].ne(SAME).to_numpy(bool), units_in(flips))


_MOST_STEPS = 200
_LONGEST_STEP = 5.0
_CLOSE = 1e-9
FURTHEST = 30.0
"""A log odds ratio beyond this has no end that could be told from infinity."""


@dataclass(frozen=True, slots=True)
class LogOdds:
    """One coefficient with the interval of its profile and the p-value of its likelihood ratio."""

    value: float
    low: float
    high: float
    p: float


def firth(
    columns: Floats,
    outcome: Floats,
    which: int = 0,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> LogOdds:
    """One column's coefficient, adjusted for the others.

    The likelihood ratio behind interval and p is divided by `design_effect`, 1 or more.

    Raises ValueError if the columns are not independent of each other and of the constant.
    """
    design, at = _design(columns), which + 1
    best, top = _fit(design, outcome, np.zeros(design.shape[1]), None)
    critical = design_effect * NormalDist().inv_cdf((1 + level) / 2) ** 2

    near = best.copy()

    def drop(value: float) -> float:
        nonlocal near
        near[at] = value
        near, likelihood = _fit(design, outcome, near, at)
        return 2 * (top - likelihood)

    value = float(best[at])
    low, high = (_end(drop, value, sign, critical) for sign in (-1.0, 1.0))
    return LogOdds(value, low, high, erfc(sqrt(max(0.0, drop(0.0)) / design_effect / 2)))


def _design(columns: Floats) -> Floats:
    columns = columns.reshape(len(columns), -1).astype(float)
    design = np.column_stack([np.ones(len(columns)), columns])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("A column is constant, or follows from the others.")
    return design


def _fit(design: Floats, outcome: Floats, start: Floats, fixed: int | None) -> tuple[Floats, float]:
    """The coefficients with the highest penalised likelihood, and it; `fixed` keeps one of them."""
    free = [i for i in range(design.shape[1]) if i != fixed]
    at = start.copy()
    likelihood = _likelihood(design, outcome, at)
    for _ in range(_MOST_STEPS):
        share = _share(design @ at)
        weight = share * (1 - share)
        information = design.T @ (design * weight[:, None])
        spread = np.linalg.pinv(information)
        leverage = weight * ((design @ spread) * design).sum(axis=1)
        score = (design.T @ (outcome - share + leverage * (0.5 - share)))[free]
        step = np.zeros_like(at)
        step[free] = np.linalg.pinv(information[np.ix_(free, free)]) @ score
        longest = float(np.abs(step).max()) if free else 0.0
        if longest < _CLOSE:
            break
        step *= min(1.0, _LONGEST_STEP / longest)
        for _ in range(40):
            found = _likelihood(design, outcome, at + step)
            if found >= likelihood - 1e-12:
                break
            step /= 2
        at, likelihood = at + step, found
    return at, likelihood


def _likelihood(design: Floats, outcome: Floats, at: Floats) -> float:
    line = design @ at
    plain = float(outcome @ line - np.logaddexp(0.0, line).sum())
    share = _share(line)
    information = design.T @ (design * (share * (1 - share))[:, None])
    sign, size = np.linalg.slogdet(information)
    return plain + 0.5 * float(size) if sign > 0 else -np.inf


def _share(line: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(line / 2)), dtype=np.float64)


def _end(drop: Callable[[float], float], value: float, sign: float, critical: float) -> float:
    """Where the profile has fallen by the critical amount, going one way from its top."""
    from scipy.optimize import brentq

    step = 0.5
    inner, outer = value, value + sign * step
    while drop(outer) < critical:
        step *= 2
        inner, outer = outer, value + sign * step
        if abs(outer - value) > FURTHEST:
            return sign * float("inf")
    return float(brentq(lambda at: drop(at) - critical, inner, outer, xtol=_CLOSE))
