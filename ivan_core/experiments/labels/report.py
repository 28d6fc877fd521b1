"""What a labelling found, printed, and its texts as a file, one column a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from ivan_core.experiments.labels.numbers import in_words
from ivan_core.experiments.labels.results import LabelResults, open_labels, plain
from ivan_core.labels.schema import features
from ivan_core.lists.conditions import Ints
from ivan_core.lists.download import Columns
from ivan_core.metrics.sentences import share_in_full
from ivan_core.models.names import plain_name, reader_note
from ivan_core.settings import data_dir


def print_labels(run_id: str, out: TextIO) -> None:
    """Print the reconciliation line, the share of each yes/no label by side, and the files."""
    results = open_labels(run_id)
    print(results.manifest.get("reconciliation") or f"{results.line}.", file=out)
    for note in (results.dataset.about["note"], reader_note(results.labeler)):
        if note:
            print(note, file=out)
    verb = "say" if results.authored else "says"
    print(f"\nHow often {plain_name(results.labeler)} {verb} yes (95% interval):", file=out)
    sides = ("chosen", "rejected")
    shown = [("", *sides)]
    for feature in features(results.keys):
        if feature.kind == "boolean":
            chosen, rejected = (_rate(results, feature.key, side) for side in sides)
            shown.append((feature.title, chosen, rejected))
    width = max(26, 2 + max(len(chosen) for _, chosen, _ in shown))
    for title, chosen, rejected in shown:
        print(f"  {title:<28}{chosen:<{width}}{rejected}", file=out)
    print("\nFiles:", file=out)
    for name in results.manifest["files"]:
        print(f"  {data_dir() / name}", file=out)


def _rate(results: LabelResults, key: str, side: str) -> str:
    from ivan_core.metrics.intervals import rate_in

    own = results.table[results.table["preference"].eq(side) & results.table[key].notna()]
    rate = rate_in(own, own[key].to_numpy(bool))
    if rate is None:
        return "none"
    return share_in_full(rate)


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
