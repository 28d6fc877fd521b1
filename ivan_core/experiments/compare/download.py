"""The rows of a comparison as a file: with texts, every model's numbers and what people noted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Any

from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.compare.conditions import listing
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.tables import UNKNOWN, UNRATED
from ivan_core.lists.conditions import Filter, Ints
from ivan_core.lists.download import Columns, Form, write_rows
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.settings import data_dir

_OF_MODEL: dict[str, type] = {
    "verdict": str,
    "margin": float,
    "chosen_reward": float,
    "rejected_reward": float,
    "truncated": bool,
    "failure": str,
    "seen": bool,
}


def write(results: Results, wanted: Filter, form: Form) -> Path:
    """Write the rows of a filter. Raises as `lists.download.write_rows`."""
    known = columns.known(results.dataset.fingerprint, True)
    names = {spec.id: spec.label for spec in known}
    return write_rows(listing(results), wanted, form, file_columns(results), names)


def file_columns(results: Results) -> Columns:
    """The columns of a file; a model's are named `<what> (<model>)`."""
    of_models = {
        f"{what} ({model})": kind for model in results.models for what, kind in _OF_MODEL.items()
    }
    types = {
        "row_id": int,
        "subset": str,
        "chosen": str,
        "rejected": str,
        "length_difference": int,
        **of_models,
        "starred_by": str,
        "notes": str,
    }
    return Columns(types, lambda places, whole: _rows(results, places, whole))


def _rows(results: Results, at: Ints, whole: bool) -> Iterator[dict[str, Any]]:
    """The rows with their texts; what has no value is None.

    `whole`: a dialogue that no transcript holds is a list of messages, and reads back the same.
    """
    from ivan_core.annotations.notes import Reviews

    aligned = results.aligned
    starred: dict[int, list[str]] = defaultdict(list)
    notes: dict[int, list[str]] = defaultdict(list)
    for mark in Reviews(data_dir()).marks(results.dataset.fingerprint):
        if mark.starred:
            starred[mark.row_id].append(mark.author)
        if mark.note:
            notes[mark.row_id].append(f"{mark.author}: {mark.note}")
    failed = results.table.loc[results.table["failure"].notna(), ["model", "row_id", "failure"]]
    reasons = {(str(model), row_id): str(reason) for model, row_id, reason in failed.to_numpy()}
    places, row_ids = at.tolist(), aligned.row_ids[at].tolist()
    for pair, place in zip(results.dataset.pairs(row_ids), places, strict=True):
        row: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
            "chosen": pair.chosen.readable if whole else pair.chosen.printed,
            "rejected": pair.rejected.readable if whole else pair.rejected.printed,
            "length_difference": int(aligned.length[place]),
        }
        for model, scores in aligned.models.items():
            verdict, seen = int(scores.verdict[place]), int(scores.seen[place])
            row[f"verdict ({model})"] = None if verdict == UNRATED else VERDICTS[verdict]
            row[f"margin ({model})"] = _number(scores.margin[place])
            row[f"chosen_reward ({model})"] = _number(scores.chosen_reward[place])
            row[f"rejected_reward ({model})"] = _number(scores.rejected_reward[place])
            row[f"truncated ({model})"] = bool(scores.truncated[place])
            row[f"failure ({model})"] = reasons.get((model, pair.row_id))
            row[f"seen ({model})"] = None if seen == UNKNOWN else bool(seen)
        row["starred_by"] = ", ".join(starred.get(pair.row_id, [])) or None
        row["notes"] = "\n".join(notes.get(pair.row_id, [])) or None
        yield row


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)
