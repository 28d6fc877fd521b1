"""Answers of a labeler as arrays: who answered, and which texts each answer was given for.

A table of labels has one row a text: row_id, preference ("chosen" or "rejected") and a column for
each key. An answer is True or False, a sentiment, or a collection of words, which may be empty; no
answer (None, NaN, NA) includes "can't tell" and is never taken for a No.
"""

from __future__ import annotations

from collections.abc import Sequence
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
