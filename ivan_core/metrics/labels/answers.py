"""Answers of labelers as arrays: who answered, and which texts each answer was given for.

A table of labels has one row a text: row_id, preference ("chosen" or "rejected") and a column for
each key. An answer is True or False, a sentiment, or a collection of words, which may be empty; no
answer (None, NaN, NA) includes "can't tell" and is never taken for a No. Several labelers are
joined by row id and side, never by position.

Last, one answer out of several: what most of them say, and which reply the labels of one prefer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES

Bools = NDArray[np.bool_]

SENTIMENT = "last_response_sentiment"
SENTIMENTS = ("negative", "neutral", "positive")
"""In their order: a mistake by two steps is worse than one by one."""
LIST_KEYS = ("last_response_is_discriminating_against", "topics")
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one key, text by text.

    `values` are the answers that can hold: "yes" alone, the three sentiments, or the words that a
    list can name. `holds` has a row a text and a column a value, False where nothing was answered.
    """

    key: str
    values: tuple[str, ...]
    answered: Bools
    holds: Bools

    @property
    def marked(self) -> Bools:
        """Whether the answer says something: yes, a sentiment that is not neutral, any word."""
        columns = [i for i, v in enumerate(self.values) if self.key != SENTIMENT or v != "neutral"]
        return np.asarray(self.holds[:, columns].any(axis=1), dtype=np.bool_)

    def codes(self) -> NDArray[np.int64]:
        """One number a text: no 0, yes 1, or the place of the sentiment; -1 without an answer.

        Raises ValueError for a list, which is no single answer.
        """
        if self.key in LIST_KEYS:
            raise ValueError(f"{self.key} holds lists, which have no single code.")
        found = self.holds.argmax(axis=1) if self.key == SENTIMENT else self.holds[:, 0]
        return np.where(self.answered, found, -1).astype(np.int64)


def answers(table: pd.DataFrame, key: str, words: Sequence[str] = ()) -> Answers:
    """The answers of one key in the table's order.

    `words` are words that a list can name, to be counted even if nobody did; words beyond them
    follow in alphabetical order.

    Raises:
        BadInput: the column is missing, or holds what cannot be an answer of this key.
    """
    if key not in table.columns:
        raise BadInput(f"These labels have no column {key}.", "Choose a key that was asked for.")
    values = table[key]
    if key in LIST_KEYS:
        return _lists(values, key, words)
    known = SENTIMENTS if key == SENTIMENT else (YES,)
    codes = values.astype(object).map(
        {v: i for i, v in enumerate(SENTIMENTS)} if key == SENTIMENT else {True: 0, False: -1}
    )
    answered = codes.notna().to_numpy(bool)
    if not np.array_equal(answered, values.notna().to_numpy(bool)):
        raise _unreadable(key)
    numbers = codes.where(codes.notna(), -1).to_numpy(np.int64)
    holds = (numbers[:, None] == np.arange(len(known))) & answered[:, None]
    return Answers(key, known, answered, holds)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """The table in the order of row ids, chosen first.

    Raises:
        BadInput: a side is neither chosen nor rejected, or a text has more than one row.
    """
    if not table["preference"].isin(SIDES).all():
        raise BadInput("A label belongs to a side that is neither chosen nor rejected.")
    if table.duplicated(["row_id", "preference"]).any():
        raise BadInput(
            "These labels hold a text more than once.", "Keep one line for each row and side."
        )
    return table.sort_values(["row_id", "preference"], ignore_index=True)


def _lists(values: pd.Series, key: str, words: Sequence[str]) -> Answers:
    """The answers of a key with lists: one pass over the texts."""
    place = {word: i for i, word in enumerate(words)}
    answered = np.zeros(len(values), dtype=np.bool_)
    rows: list[int] = []
    columns: list[int] = []
    for row, value in enumerate(values):
        if isinstance(value, tuple | list | set | frozenset | np.ndarray):
            answered[row] = True
            for word in value:
                rows.append(row)
                columns.append(place.setdefault(str(word), len(place)))
        elif not pd.isna(value):
            raise _unreadable(key)
    holds = np.zeros((len(values), len(place)), dtype=np.bool_)
    holds[rows, columns] = True
    known = list(place)
    order = [*range(len(words)), *sorted(range(len(words), len(known)), key=known.__getitem__)]
    return Answers(key, tuple(known[i] for i in order), answered, holds[:, order])


def _unreadable(key: str) -> BadInput:
    return BadInput(
        f"The labels of {key} hold something that is no answer to it.",
        "Validate the labels before they are counted.",
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
    ids = [text_ids(table) for table in tables]
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
    ours, theirs, names = _two(left, right, key, word)
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


def _two(
    left: pd.DataFrame, right: pd.DataFrame, key: str, word: str
) -> tuple[Codes, Codes, list[str]]:
    texts = join_labelers({"left": left, "right": right})
    given = texts.answers(key, [word] if key in LIST_KEYS else ())
    ours, theirs = (
        np.where(one.answered, one.holds[:, 0], -1) if key in LIST_KEYS else one.codes()
        for one in given
    )
    return ours, theirs, list(SENTIMENTS) if key == SENTIMENT else [NO, YES]


def text_ids(table: pd.DataFrame) -> Codes:
    """The number of each text: twice its row, and one more for a rejected reply."""
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


Answer = bool | str | tuple[str, ...] | None


def majority(answers: Iterable[Answer]) -> Answer:
    """The answer of more than half of those who gave one; None if there is none such.

    None is "can't tell" and is no vote. Of lists, the words that more than half named; None if a
    word is named by exactly half.
    """
    given = [one for one in answers if one is not None]
    if not given:
        return None
    lists = [one for one in given if isinstance(one, tuple)]
    if len(lists) == len(given):
        return _words(lists)
    ((answer, count),) = Counter(given).most_common(1)
    return answer if 2 * count > len(given) else None


def _words(lists: list[tuple[str, ...]]) -> Answer:
    counts = Counter(word for one in lists for word in set(one))
    if any(2 * count == len(lists) for count in counts.values()):
        return None
    return tuple(sorted(word for word, count in counts.items() if 2 * count > len(lists)))


def same_answer(ours: Answer, theirs: Answer) -> bool:
    """Whether two answers are the same; the order of a list's words does not count."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return set(ours) == set(theirs)
    return ours == theirs


CHOICE_KEYS = ("last_response_is_harmless", "last_response_is_helpful")
"""The labels that decide, the first before the second."""
NEITHER = "none"


def labeler_choice(
    chosen: Mapping[str, object] | None, rejected: Mapping[str, object] | None
) -> str | None:
    """`chosen`, `rejected`, or `none` for neither; None where a label is missing.

    The published rule: (harmless, helpful) compared lexicographically.
    """
    ours, theirs = chosen or {}, rejected or {}
    for key in CHOICE_KEYS:
        left, right = ours.get(key), theirs.get(key)
        if not isinstance(left, bool) or not isinstance(right, bool):
            return None
        if left != right:
            return "chosen" if left else "rejected"
    return NEITHER
