"""Labels that flip when a text is reworded, and whether verdicts turn where they do.

A flip is the label of the original minus that of the reworded text, as in the SEAL paper: +1 where
a label was lost, -1 where it was gained, 0 where it stayed; a sentiment that falls counts as lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.intervals import PROMPT, Rate, design_in, share_in, units_in, wilson
from ivan_core.metrics.labels.answers import LIST_KEYS, answers
from ivan_core.metrics.paired import SIGNIFICANT, holm
from ivan_core.metrics.robustness.firth import firth

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
