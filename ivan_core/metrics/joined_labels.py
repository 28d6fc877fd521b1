"""The same texts under several labelers, joined by row id and side and never by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.label_answers import (
    LIST_KEYS,
    NO,
    SENTIMENT,
    SENTIMENTS,
    YES,
    Answers,
    Bools,
    answers,
    in_order,
)

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Texts that at least two labelers have a row for, in the order of row ids, chosen first.

    `ids` is twice the row id, plus 1 for the rejected side; `places` (labelers, texts) is where a
    text stands in each labeler's table, -1 where it does not.
    """

    tables: tuple[pd.DataFrame, ...]
    ids: Codes
    places: Codes

    @property
    def row_ids(self) -> Codes:
        return np.asarray(self.ids // 2, dtype=np.int64)

    def keys(self, inside: Bools) -> pd.DataFrame:
        """Row id and side of some of the texts."""
        own = self.ids[inside]
        return pd.DataFrame({"row_id": own // 2, "preference": np.take(SIDES, own % 2)})

    def answers(self, key: str, words: Sequence[str] = ()) -> list[Answers]:
        """Each labeler's answers to these texts, all with the same values in the same order."""
        given = [answers(table, key, words) for table in self.tables]
        beyond = {value for one in given for value in one.values} - set(words)
        values = (*words, *sorted(beyond)) if key in LIST_KEYS else given[0].values
        return [_placed(one, at, values) for one, at in zip(given, self.places, strict=True)]


def join_labelers(labelers: Mapping[str, pd.DataFrame]) -> JoinedTexts:
    """The texts of several labelers.

    Raises:
        BadInput: a table holds a text more than once.
    """
    tables = tuple(in_order(table) for table in labelers.values())
    ids = [_ids(table) for table in tables]
    known, counts = np.unique(np.concatenate(ids), return_counts=True)
    shared = known[counts > 1]
    places = np.full((len(tables), len(shared)), -1, dtype=np.int64)
    for row, own in zip(places, ids, strict=True):
        _, at, found = np.intersect1d(shared, own, return_indices=True)
        row[at] = found
    return JoinedTexts(tables, shared, places)


def joined(left: pd.DataFrame, right: pd.DataFrame, key: str) -> pd.DataFrame:
    """The answers of two labelers to the texts of both: row_id, preference, left, right."""
    texts = join_labelers({"left": left, "right": right})
    found = texts.keys(np.ones(len(texts.ids), dtype=np.bool_))
    for side, table, at in zip(("left", "right"), texts.tables, texts.places, strict=True):
        own = table[key].astype(object).to_numpy()[at]
        found[side] = pd.Series(own, dtype=object).where(pd.Series(own).notna(), None)
    return found


def cells(left: pd.DataFrame, right: pd.DataFrame, key: str, word: str = "") -> pd.DataFrame:
    """The cross table of two labelers' answers to one key, or to one word of a list.

    One row for each combination, also those that nobody gave: left, right (yes and no, or the
    sentiments), count, share, n (texts that both answered), left_out (shared texts that they did
    not). Shares are missing if n is 0.
    """
    _, ours, theirs, names = _two(left, right, key, word)
    answered = (ours >= 0) & (theirs >= 0)
    k, n = len(names), int(answered.sum())
    counts = np.bincount(k * ours[answered] + theirs[answered], minlength=k * k)
    return pd.DataFrame(
        {
            "left": np.repeat(names, k),
            "right": np.tile(names, k),
            "count": counts,
            "share": counts / n if n else np.full(k * k, np.nan),
            "n": n,
            "left_out": len(answered) - n,
        }
    )


def texts_in_cell(
    left: pd.DataFrame, right: pd.DataFrame, key: str, cell: tuple[str, str], word: str = ""
) -> pd.DataFrame:
    """Row id and side of the texts that `cells` counted under these two answers."""
    texts, ours, theirs, names = _two(left, right, key, word)
    return texts.keys((ours == names.index(cell[0])) & (theirs == names.index(cell[1])))


def _two(
    left: pd.DataFrame, right: pd.DataFrame, key: str, word: str
) -> tuple[JoinedTexts, Codes, Codes, list[str]]:
    texts = join_labelers({"left": left, "right": right})
    given = texts.answers(key, [word] if key in LIST_KEYS else ())
    ours, theirs = (
        np.where(one.answered, one.holds[:, 0], -1) if key in LIST_KEYS else one.codes()
        for one in given
    )
    return texts, ours, theirs, list(SENTIMENTS) if key == SENTIMENT else [NO, YES]


def _ids(table: pd.DataFrame) -> Codes:
    rejected = table["preference"].eq(SIDES[1]).to_numpy(bool)
    return np.asarray(2 * table["row_id"].to_numpy(np.int64) + rejected, dtype=np.int64)


def _placed(given: Answers, places: Codes, values: tuple[str, ...]) -> Answers:
    """Answers at other places and with other values; nothing is answered at -1."""
    here = places >= 0
    answered = np.zeros(len(places), dtype=np.bool_)
    answered[here] = given.answered[places[here]]
    holds = np.zeros((len(places), len(values)), dtype=np.bool_)
    for at, value in enumerate(given.values):
        holds[here, values.index(value)] = given.holds[places[here], at]
    return Answers(given.key, values, answered, holds)
