"""What a labelling knows of its pairs: labels of both replies, which has a feature, and topics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.experiments.labels.differences import pair_labels
from ivan_core.experiments.labels.numbers import named as shown
from ivan_core.experiments.labels.results import LabelResults, plain
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import Beside, Known, Label
from ivan_core.interchange.principles import principle
from ivan_core.labels.schema import feature
from ivan_core.lists.conditions import Ints
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENT, text_ids

TOPICS = "topics"
BETWEEN = "; "
"""What stands between the words of a list, none of which holds it."""


def known(results: LabelResults) -> Known:
    """What stands beside pairs in files for others: all labels but topics, which are tags."""
    who = str(named(shown(results), file_names([results.labeler, *paths_of_run(results)])))
    compared = [key for key in REGRESSION_FEATURES if key in results.keys]
    told = [key for key in results.keys if key != TOPICS]
    return Known(
        tuple(principle(key, feature(key).title, who) for key in compared),
        {feature(key).title: _type(key) for key in told},
        lambda row_ids: _rows(results, compared, told, row_ids),
    )


def _type(key: str) -> type:
    return str if key == SENTIMENT or key in LIST_KEYS else bool


def _rows(
    results: LabelResults, compared: Sequence[str], told: Sequence[str], row_ids: Sequence[int]
) -> Iterator[Beside]:
    table = results.table
    texts = text_ids(table)
    order = np.argsort(texts, kind="stable")
    columns = {key: table[key].to_numpy() for key in (*told, TOPICS) if key in table.columns}
    pairs = pair_labels(results, compared)
    chosen, rejected = (_places(texts[order], row_ids, side) for side in (0, 1))
    apart = _places(pairs.row_ids, row_ids)

    def said(key: str, place: int) -> Any:
        return None if place < 0 or key not in columns else plain(columns[key][order[place]])

    for first, second, pair in zip(chosen, rejected, apart, strict=True):
        toward = pairs.difference[pair].tolist() if pair >= 0 else [None] * len(compared)
        yield Beside(
            tuple(None if one is None or one != one else float(one) for one in toward),
            {
                feature(key).title: (_cell(said(key, first)), _cell(said(key, second)))
                for key in told
            },
            tuple(said(TOPICS, first) or ()),
        )


def _places(ids: Ints, row_ids: Sequence[int], side: int | None = None) -> list[int]:
    """Where rows, or the texts of a side of them, stand among sorted ids; -1 where they do not."""
    wanted = np.asarray(row_ids, np.int64)
    wanted = wanted if side is None else 2 * wanted + side
    at = np.searchsorted(ids, wanted)
    there = at < len(ids)
    there[there] = ids[at[there]] == wanted[there]
    found: list[int] = np.where(there, at, -1).tolist()
    return found


def _cell(value: Any) -> Label:
    """A label as one value: the words of a list in one text, none where there are none."""
    if isinstance(value, tuple):
        return BETWEEN.join(map(str, value)) or None
    known_value: Label = value
    return known_value
