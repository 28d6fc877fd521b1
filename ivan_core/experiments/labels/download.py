"""The texts of a labelling as a file: with what the labeler answered, one column a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ivan_core.experiments.labels.numbers import in_words, plain
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.lists.conditions import Ints
from ivan_core.lists.download import Columns

_BATCH = 500


def file_columns(results: LabelResults) -> Columns:
    """The columns of a file; labels are in words, empty where there is none."""
    types: dict[str, type] = {"row_id": int, "preference": str, "state": str, "text": str}
    types |= dict.fromkeys(results.keys, str)
    return Columns(types, lambda places, whole: _texts(results, places, whole))


def _texts(results: LabelResults, places: Ints, whole: bool) -> Iterator[dict[str, Any]]:
    for start in range(0, len(places), _BATCH):
        shown = results.table.iloc[places[start : start + _BATCH]].to_dict("records")
        row_ids = list(dict.fromkeys(int(row["row_id"]) for row in shown))
        pairs = {pair.row_id: pair for pair in results.dataset.pairs(row_ids)}
        for row in shown:
            pair = pairs[int(row["row_id"])]
            text = pair.chosen if row["preference"] == "chosen" else pair.rejected
            yield {
                "row_id": pair.row_id,
                "preference": row["preference"],
                "state": row["status"],
                "text": text.readable if whole else text.printed,
            } | {key: in_words(plain(row[key])) or None for key in results.keys}
