"""What a zip of a labelling holds, and how a labelling is made of one again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, TextKey
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.specs import LabelSpec, TaxonomySpec
from ivan_core.engine.imports import SLUG, Came, Written
from ivan_core.engine.zips import Archive, Unpacked
from ivan_core.experiments.labels.authored import as_written
from ivan_core.experiments.labels.files import (
    FOLDER,
    TABLE,
    count_dict,
    texts_of,
    write_label_files,
)
from ivan_core.experiments.labels.results import labels_of
from ivan_core.labels.reconcile import STATES, USABLE, Counts, Reconciled
from ivan_core.labels.schema import features, is_label
from ivan_core.labels.table import (
    COLUMNS,
    labels_table,
    packed_labels,
    read_labels,
    unpacked_labels,
    write_labels,
)
from ivan_core.labels.validate import Outcome
from ivan_core.models.names import is_authored, plain_name

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = TypeAdapter(dict[str, int])
_LONGEST_NAME = 200


class _Labeler(BaseModel):
    """Who labelled, as a manifest tells and pages read."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=_LONGEST_NAME)
    revision: str
    kind: str
    settings: dict[str, str]


class _Prompt(BaseModel):
    """What was asked, as a manifest tells and pages read."""

    model_config = ConfigDict(extra="forbid")

    version: str
    hash: str


def without_answers(folder: Path, texts: bool) -> dict[str, bytes]:
    """The table of labels without what a labeler said word for word, which goes with the texts."""
    if texts:
        return {}
    table = read_labels(folder / TABLE)
    table["raw"] = ""
    for row, problems in enumerate(table["problems"]):
        table.at[row, "problems"] = tuple(replace(one, found="") for one in problems)
    for row, fixes in enumerate(table["fixes"]):
        table.at[row, "fixes"] = tuple(replace(one, before="", after="") for one in fixes)
    return {TABLE: packed_labels(table)}


def _read(zipped: Unpacked[LabelSpec]) -> Came:
    stem = f"{SLUG}-{AnswererCard(zipped.spec.labeler).slug[:_LONGEST_NAME]}-control"
    labeler = str(zipped.manifest["labeler"]["id"])
    found = reconciled(zipped)
    if is_authored(labeler) or is_authored(zipped.spec.labeler):
        labels = {key: outcome.labels for key, outcome in found.outcomes.items()}
        written = as_written(labels, zipped.dataset, zipped.row_ids)
        if written is None or labeler != zipped.spec.labeler:
            raise zipped.damaged("its labels are not those that the author wrote")
        found = written
    return labelling(labeler, found, zipped.dataset, FOLDER, stem)


def labelling(
    labeler: str, found: Reconciled, dataset: PreparedDataset, folder: str, stem: str
) -> Came:
    """A labelling that was made elsewhere; its files for people go into `folder`, called `stem`."""
    return Came(
        who=(plain_name(labeler),),
        rows=len({key.row_id for key in found.submitted}),
        done=len(found.submitted),
        chunk=1,
        write=partial(_write, folder=folder, stem=stem, found=found, dataset=dataset),
    )


def _write(
    staged: Path, *, folder: str, stem: str, found: Reconciled, dataset: PreparedDataset
) -> Written:
    missing = found.keys_of("missing")
    table = labels_table(found.outcomes, found.attempts, missing, found.reused, found.why_missing)
    write_labels(staged / SLUG / TABLE, table)
    files = write_label_files(staged, Path(folder), stem, found, texts_of(dataset))
    return Written(files, {"counts": count_dict(found)})


def reconciled(zipped: Unpacked[LabelSpec] | Unpacked[TaxonomySpec]) -> Reconciled:
    """What became of every text by the table of a zip, and by what its manifest counts.

    Raises:
        BadInput: the table, the manifest and the spec do not go together.
    """
    manifest, spec = zipped.manifest, zipped.spec
    _Labeler.model_validate(manifest["labeler"])
    _Prompt.model_validate(manifest["prompt"])
    _COUNTS.validate_python(manifest.get("reused", {}))
    counts = Counts(**_COUNTS.validate_python(manifest["counts"]))
    table = _table(zipped)
    keys = [
        TextKey(int(row), side)
        for row, side in zip(table["row_id"], table["preference"], strict=True)
    ]
    states = Counter(table["status"])
    if any(states[state] != getattr(counts, state) for state in STATES):
        raise zipped.damaged("its table holds other labels than its manifest counts")
    outcomes: dict[TextKey, Outcome] = {}
    attempts: dict[TextKey, int] = {}
    reused: dict[TextKey, str] = {}
    rows = zip(keys, table.to_dict("records"), strict=True)
    for key, row in rows:
        if row["status"] == "missing":
            continue
        given = labels_of(row, spec.keys)
        labels: dict[str, Label] = {
            name: label for name, label in given.items() if label is not None
        }
        outcomes[key] = Outcome(
            row["status"], labels, tuple(row["fixes"]), tuple(row["problems"]), row["raw"]
        )
        attempts[key] = int(row["attempt"])
        if row["reused_from"] is not None:
            reused[key] = row["reused_from"]
    return Reconciled(
        tuple(keys),
        outcomes,
        attempts,
        unknown=counts.unknown,
        damaged=counts.damaged,
        reused=reused,
    )


def _table(zipped: Unpacked[LabelSpec] | Unpacked[TaxonomySpec]) -> pd.DataFrame:
    """The table of labels, if it is one: typed, of these texts, each label one that is allowed."""
    spec, dataset = zipped.spec, zipped.dataset
    zipped.packed(TABLE, COLUMNS, 2 * dataset.rows)
    try:
        table = unpacked_labels(zipped.files[TABLE], TABLE)
    except BadInput as error:
        raise zipped.damaged("its table cannot be read") from error
    rows = set(zipped.row_ids)
    known = table["row_id"].isin(rows) & table["preference"].isin(["chosen", "rejected"])
    if not known.all() or table.duplicated(["row_id", "preference"]).any():
        raise zipped.damaged("its table is not of its texts, or has one twice")
    if table.empty or not table["status"].isin(STATES).all():
        raise zipped.damaged("its table does not say what became of each text")
    authored = isinstance(spec, LabelSpec) and is_authored(spec.labeler)
    if wrong := _contradictions(table, spec.keys, whole=not authored):
        raise zipped.damaged(f"{wrong:,} rows of its table contradict themselves")
    return table.sort_values(["row_id", "preference"], ignore_index=True)


def _contradictions(table: pd.DataFrame, keys: tuple[str, ...], *, whole: bool) -> int:
    """Rows with a label that nobody asked for or nobody allows, or without one that is usable.

    Without `whole` a text that is usable may have some of its labels alone.
    """
    import pandas as pd

    wrong = 0
    asked = features(keys)
    others = [one.key for one in features() if one.key not in keys]
    for row in table.to_dict("records"):
        labels = labels_of(row, (*keys, *others))
        usable, missing = row["status"] in USABLE, row["status"] == "missing"
        fine = not any(labels[key] is not None for key in others)
        fine &= bool(pd.isna(row["attempt"])) is missing
        for one in asked:
            label = labels[one.key]
            fine &= is_label(one, label) if label is not None else not (usable and whole)
        wrong += not fine
    return wrong


ARCHIVE = Archive(files=(TABLE,), read=_read, pack=without_answers)
