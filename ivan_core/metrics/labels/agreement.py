"""How far labelers agree: two by Cohen's kappa, three or more by Krippendorff's alpha.

Gwet's AC1 stands beside, since kappa falls towards 0 where one answer is rare although nearly all
answers are the same. Sentiments are ordered: kappa and AC1 are weighted linearly, alpha is ordinal.
Lists are compared by Jaccard's index, and word by word. A text counts where at least two labelers
answered, in AC1's chance agreement too; "can't tell" is no answer. Intervals are bootstrapped by
pair, or by prompt where pairs share one, with correction for bias and skewness (BCa).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isnan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.intervals import (
    TIMES,
    Groups,
    bca_interval,
    resampled_sums,
    share_in,
    units_of,
)
from ivan_core.metrics.labels.answers import (
    LIST_KEYS,
    SENTIMENT,
    Answers,
    Bools,
    JoinedTexts,
    join_labelers,
)
from ivan_core.metrics.labels.coefficients import (
    Floats,
    agreement_by_text,
    alpha_of_coincidences,
    cohen_kappa,
    coincidences,
    equal_or_not,
    gwet_ac,
    linear_weights,
)

LEAST_POSITIVES = 20
AGREEMENT = [
    "key",
    "value",
    "measure",
    "n",
    "left_out",
    "same",
    "share",
    "both",
    "either",
    "few",
    "coefficient",
    "low",
    "high",
    "ac1",
    "ac1_low",
    "ac1_high",
    "share_low",
    "share_high",
    "share_effective_n",
    "both_low",
    "both_high",
    "both_effective_n",
]
"""Columns of both tables.

key and value (empty for the whole key), measure, n (texts compared), left_out (shared texts that
fewer than two answered), same and share (texts with the same answer from all who answered), either
and both (texts that any of them, and that all of them, called so: yes, a sentiment that is not
neutral, any word), few (the rarer answer was given to fewer than 20 texts by any of them),
coefficient with the ends of its 95% interval, and AC1 with its own. share_low, share_high and
share_effective_n are the ends of share (Wilson 95%) and as if of how many texts on their own they
are, both_low and so on those of both / either; missing, and 0, where there is no text.
"""
_COEFFICIENTS = ("measure", "coefficient", "low", "high", "ac1", "ac1_low", "ac1_high")
SHARES = [name for name in AGREEMENT if name not in _COEFFICIENTS]
"""The columns that count the same answers, without the coefficients."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """What is known of one row, and the sums over texts from which its coefficients follow.

    `points` are its coefficient and AC1; `coefficients` gives them from sums of `by_text`. `same`,
    `both` and `either` say of each text whether it is compared and all answers are the same, and
    whether all and any of them called it so.
    """

    facts: dict[str, object]
    points: tuple[float, float]
    by_text: Floats
    coefficients: Callable[[Floats], tuple[Floats, Floats]]
    compared: Bools
    same: Bools
    both: Bools
    either: Bools


def agreement_table(
    labelers: Mapping[str, pd.DataFrame],
    keys: Sequence[str],
    generator: np.random.Generator,
    times: int = TIMES,
    *,
    prompts: Groups | None = None,
) -> pd.DataFrame:
    """The agreement of two or more labelers, one row a key, with the columns of AGREEMENT.

    Texts of one pair are one group, and of one prompt where `prompts` are known by row.

    The measure is "kappa" or, for the sentiment, "weighted kappa" of two labelers, "alpha" or
    "ordinal alpha" of more, and "jaccard" of lists: the mean over the texts on which any labeler
    named a word. Coefficients are missing if every answer is the same, intervals where too many
    draws have no value. The labelers' order changes nothing.

    Raises:
        BadInput: a table holds a text more than once.
        ValueError: there are fewer than two labelers.
    """
    texts = _texts(labelers)
    rows = [
        _lists(key, texts.answers(key)) if key in LIST_KEYS else _single(key, texts.answers(key))
        for key in keys
    ]
    return _table(units_of(texts.row_ids, prompts), rows, generator, times)


def class_agreement(
    labelers: Mapping[str, pd.DataFrame],
    key: str,
    generator: np.random.Generator,
    times: int = TIMES,
    *,
    prompts: Groups | None = None,
) -> pd.DataFrame:
    """The agreement on each value of a key taken as yes or no, with the columns of AGREEMENT.

    For the sentiments and the words of lists.
    """
    texts = _texts(labelers)
    given = texts.answers(key)
    rows = [
        _compared(
            {"key": key, "value": value},
            np.stack([np.where(one.answered, one.holds[:, at], -1) for one in given]),
            [one.holds[:, at] for one in given],
            ordered=False,
            k=2,
        )
        for at, value in enumerate(given[0].values)
    ]
    return _table(units_of(texts.row_ids, prompts), rows, generator, times)


def choice_agreement(
    people: Mapping[str, Mapping[int, str]],
    choices: Sequence[str],
    generator: np.random.Generator,
    times: int = TIMES,
    *,
    prompts: Groups | None = None,
) -> pd.DataFrame:
    """The agreement of people who chose on the same rows: one row with the columns of AGREEMENT.

    `people` gives each person's choice by row, one of `choices`; who could not tell has none.
    `both` and `either` count the rows of the first choice. Empty if no row has two choices.

    Raises:
        ValueError: there are fewer than two people.
    """
    if len(people) < 2:
        raise ValueError(f"Agreement needs two people, not {len(people)}.")
    place = {choice: at for at, choice in enumerate(choices)}
    rows = np.array(sorted({row for own in people.values() for row in own}), dtype=np.int64)
    codes = np.array(
        [
            [place[own[row]] if row in own else -1 for row in rows.tolist()]
            for own in people.values()
        ],
        dtype=np.int64,
    ).reshape(len(people), len(rows))
    rows, codes = rows[(codes >= 0).sum(axis=0) > 1], codes[:, (codes >= 0).sum(axis=0) > 1]
    if not len(rows):
        return pd.DataFrame(columns=AGREEMENT)
    head: dict[str, object] = {"key": "better", "value": ""}
    compared = _compared(head, codes, list(codes == 0), ordered=False, k=len(choices))
    return _table(units_of(rows, prompts), [compared], generator, times)


def _texts(labelers: Mapping[str, pd.DataFrame]) -> JoinedTexts:
    if len(labelers) < 2:
        raise ValueError(f"Agreement needs two labelers, not {len(labelers)}.")
    return join_labelers(labelers)


def _single(key: str, given: Sequence[Answers]) -> _Compared:
    """A key with one answer a text."""
    ordered = key == SENTIMENT
    codes = np.stack([one.codes() for one in given])
    marked = [one.marked for one in given]
    k = len(given[0].values) if ordered else 2
    return _compared({"key": key, "value": ""}, codes, marked, ordered=ordered, k=k)


def _compared(
    head: dict[str, object],
    codes: NDArray[np.int64],
    marked: Sequence[Bools],
    *,
    ordered: bool,
    k: int,
) -> _Compared:
    """Codes of answers (labelers, texts), -1 for none, as sums from which coefficients follow."""
    given = codes[:, :, None] == np.arange(k)
    counts = given.sum(axis=0).astype(np.int64)
    m = counts.sum(axis=1)
    compared = m > 1
    weights = linear_weights(k) if ordered else equal_or_not(k)
    shares = np.where(compared[:, None], counts / np.maximum(m, 1)[:, None], 0.0)
    two = len(codes) == 2
    table = given[0][:, :, None] & given[1][:, None, :] if two else coincidences(counts)
    agreed = agreement_by_text(counts, weights)
    by_text = np.hstack([table.reshape(len(m), k * k), agreed[:, None], shares])

    def coefficients(sums: Floats) -> tuple[Floats, Floats]:
        tables, own = sums[:, : k * k].reshape(-1, k, k), sums[:, k * k + 1 :]
        n = own.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            ac1 = gwet_ac(sums[:, k * k] / n, own / n[:, None], weights)
        if two:
            return cohen_kappa(tables, weights), ac1
        return alpha_of_coincidences(tables, ordinal=ordered), ac1

    names = ("weighted kappa", "kappa") if two else ("ordinal alpha", "alpha")
    same = compared & (counts == m[:, None]).any(axis=1)
    facts = {**head, "measure": names[0] if ordered else names[1], **_counts(compared, same)}
    both, either = _calls(compared, marked, [one >= 0 for one in codes])
    # Those called so by any, and those called otherwise by any: the rarer answer counts.
    few = min(int(either.sum()), int(compared.sum() - both.sum())) < LEAST_POSITIVES
    facts |= {"both": int(both.sum()), "either": int(either.sum()), "few": few}
    point, ac1 = (float(v[0]) for v in coefficients(by_text.sum(axis=0, keepdims=True)))
    # Where every answer is the same, no coefficient tells labelers from a stopped clock.
    points = (point, float("nan") if isnan(point) else ac1)
    return _Compared(facts, points, by_text, coefficients, compared, same, both, either)


def _lists(key: str, given: Sequence[Answers]) -> _Compared:
    """A key with lists: Jaccard's index, over the pairs of labelers where either names a word."""
    answered = np.stack([one.answered for one in given])
    compared = answered.sum(axis=0) > 1
    total = np.zeros(len(compared))
    pairs = np.zeros(len(compared))
    same = compared.copy()
    for one, other in combinations(given, 2):
        shared = (one.holds & other.holds).sum(axis=1)
        named = (one.holds | other.holds).sum(axis=1)
        counted = one.answered & other.answered & (named > 0)
        total += np.where(counted, shared / np.maximum(named, 1), 0.0)
        pairs += counted
        same &= ~counted | (shared == named)
    by_text = np.column_stack([pairs > 0, total / np.maximum(pairs, 1)])

    def coefficients(sums: Floats) -> tuple[Floats, Floats]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[:, 1] / sums[:, 0], np.full(len(sums), np.nan)

    facts = {"key": key, "value": "", "measure": "jaccard", **_counts(compared, same)}
    both, either = _calls(compared, [one.marked for one in given], list(answered))
    facts |= {"both": int(both.sum()), "either": int(either.sum())}
    facts["few"] = int(either.sum()) < LEAST_POSITIVES
    point, none = (float(v[0]) for v in coefficients(by_text.sum(axis=0, keepdims=True)))
    return _Compared(facts, (point, none), by_text, coefficients, compared, same, both, either)


def _counts(compared: Bools, same: Bools) -> dict[str, object]:
    n, alike = int(compared.sum()), int(same.sum())
    left_out = len(compared) - n
    return {"n": n, "left_out": left_out, "same": alike, "share": alike / n if n else np.nan}


def _calls(
    compared: Bools, marked: Sequence[Bools], answered: Sequence[Bools]
) -> tuple[Bools, Bools]:
    """Which texts all who answered called so, and which any of them did."""
    either = np.any(marked, axis=0) & compared
    both = np.all([mark | ~own for mark, own in zip(marked, answered, strict=True)], axis=0)
    return both & compared, either


def _shares(row: _Compared, units: Groups) -> dict[str, object]:
    """The ends of both shares of a row, as wide as texts of one unit are alike."""
    found: dict[str, object] = {}
    for name, of, holds in (("share", row.compared, row.same), ("both", row.either, row.both)):
        rate = share_in(holds[of], units[of])
        told = (rate.low, rate.high, rate.effective_n) if rate else (np.nan, np.nan, 0)
        found |= zip((f"{name}_{end}" for end in ("low", "high", "effective_n")), told, strict=True)
    return found


def _table(
    units: Groups, rows: Sequence[_Compared], generator: np.random.Generator, times: int
) -> pd.DataFrame:
    """One row for each, with intervals from the same draws of units for all."""
    if not rows:
        return pd.DataFrame(columns=AGREEMENT)
    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.diff(units[order], prepend=-1))
    texts = np.hstack([row.by_text for row in rows])[order]
    by_unit = np.add.reduceat(texts, starts, axis=0) if len(starts) else texts
    drawn = resampled_sums(by_unit, generator, times)
    found, at = [], 0
    for row in rows:
        width = row.by_text.shape[1]
        ends: dict[str, object] = {}
        resampled = row.coefficients(drawn[:, at : at + width])
        own = by_unit[:, at : at + width]
        without = row.coefficients(own.sum(axis=0) - own)
        for name, point, values, left in zip(
            ("", "ac1_"), row.points, resampled, without, strict=True
        ):
            low, high = (np.nan, np.nan) if isnan(point) else bca_interval(values, point, left)
            ends |= {f"{name}low": low, f"{name}high": high}
        at += width
        coefficient, ac1 = row.points
        told = {**row.facts, "coefficient": coefficient, "ac1": ac1, **ends}
        found.append(told | _shares(row, units))
    return pd.DataFrame(found, columns=AGREEMENT)
