"""Importing the zip that `archive.export` writes: nothing in it is trusted before it is checked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, TypeAdapter, ValidationError

from ivan_core.datasets.parquet_rows import small_table
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.columns import SCORES
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import access, datasets
from ivan_core.engine.archive import EXPORT_FORMAT, LONGEST_NAME, size
from ivan_core.engine.imports import Elsewhere, Imported, enter, located, named_dataset
from ivan_core.metrics.trust import TrustStrip
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 2**30
"""What the files that are read may come to when unpacked."""
_MOST_JSON = 2**26
_MOST_MEMBERS = 1_000
_READ = ("run.json", "spec.json", "manifest.json", "facts.jsonl", "table.parquet")
_MEMBER = re.compile(r"texts\.jsonl|compare/[^/\\:\x00-\x1f]+\.csv")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
# What pages read of the manifest as it was written elsewhere; the rest of it is written anew.
_STRIPS = TypeAdapter(list[TrustStrip])
_VERSIONS = TypeAdapter(dict[str, str])
_FROM_REWARDS = {"agree": 1, "tie": 0, "disagree": -1}


class _About(BaseModel):
    """What `run.json` holds."""

    format: int
    id: str
    name: str = ""
    created: float
    started: float | None = None
    finished: float | None = None
    computed: int = 0
    notes: tuple[str, ...] = ()
    dataset_content: str


def import_zip(path: Path, dataset: DatasetRequest | None = None) -> Imported:
    """Enter a run that was exported here or elsewhere.

    It is joined to the dataset it was made on, if that lies in the data folder, or to the one that
    is named, which must hold the same pairs.

    Raises:
        BadInput: it is no export of a run, or damaged, or its dataset is not here.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.IMPORT)
    read = _read(path)
    try:
        about = _About.model_validate_json(read["run.json"])
        spec = CompareSpec.model_validate_json(read["spec.json"])
        manifest = json.loads(read["manifest.json"])
        units = [json.loads(line) for line in read["facts.jsonl"].splitlines()]
        cards = {
            unit["key"].partition("|")[2]: ModelCard.model_validate(unit["rows"][0])
            for unit in units
            if unit["key"].startswith("card|")
        }
        fingerprint = str(manifest["dataset"]["fingerprint"])
        _STRIPS.validate_python(manifest.get("trust", []))
        _VERSIONS.validate_python(manifest.get("versions", {}))
    except (ValidationError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error
    if about.format > EXPORT_FORMAT:
        raise BadInput(f"{path.name} was written by a newer IVAN.", "Update this one.")
    if not cards or set(cards) != set(spec.models) or not isinstance(manifest, dict):
        raise _damaged(path, "its models and its spec do not agree")
    found = _dataset(spec, fingerprint, about.dataset_content, dataset)
    if dataset is not None:
        spec = spec.model_copy(update={"dataset": located(dataset)})
    table = _table(path, read["table.parquet"], [card.id for card in cards.values()], found)
    run_id = enter(
        Elsewhere(
            id=about.id,
            name=" ".join(about.name.split())[:LONGEST_NAME],
            created=about.created,
            started=about.started,
            finished=about.finished or about.created,
            computed=about.computed,
            notes=about.notes,
            spec=spec,
            dataset=found,
            cards={name: cards[name] for name in spec.models},
            table=table,
            manifest={**manifest, "imported": {"file": path.name, "run": about.id}},
        )
    )
    renamed = () if run_id == about.id else (f"It was run {about.id} where it was made.",)
    rows = int(table["row_id"].nunique())
    return Imported(run_id, rows, tuple(card.id for card in cards.values()), renamed)


def _read(path: Path) -> dict[str, bytes]:
    """The files of the zip that are needed, after a look at the names and sizes of all."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.")
    try:
        with ZipFile(path) as packed:
            members = packed.infolist()
            names = [member.filename for member in members]
            odd = [name for name in names if name not in _READ and not _MEMBER.fullmatch(name)]
            if odd:
                raise BadInput(
                    f"{path.name} holds a file that no export of IVAN has: {odd[0]!r}.",
                    "Import only what `ivan runs export` wrote; nothing was unpacked.",
                )
            if len(names) > _MOST_MEMBERS or len(set(names)) < len(names):
                raise _damaged(path, "it has too many files, or one of them twice")
            missing = [name for name in _READ if name not in names]
            if missing:
                raise _damaged(path, f"it lacks {missing[0]}")
            sizes = {name: packed.getinfo(name).file_size for name in _READ}
            json_bytes = sum(count for name, count in sizes.items() if "json" in name)
            if sum(sizes.values()) > MOST_BYTES or json_bytes > _MOST_JSON:
                raise BadInput(
                    f"{path.name} would unpack to {size(sum(sizes.values()))}.",
                    "No run is as large; nothing was unpacked.",
                )
            # A reader never gives more than the size it has announced.
            return {name: packed.read(name) for name in _READ}
    except (BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise _damaged(path, str(error)) from error


def _dataset(
    spec: CompareSpec, fingerprint: str, content: str, asked: DatasetRequest | None
) -> PreparedDataset:
    """The dataset here that holds the very pairs the run judged."""
    if asked is not None:
        found: PreparedDataset | None = named_dataset(asked)
    elif (
        _FINGERPRINT.fullmatch(fingerprint)
        and (data_dir() / "datasets" / fingerprint / "dataset.json").exists()
    ):
        found = datasets.by_fingerprint(fingerprint)
    else:
        found = _same_request(spec.dataset)
    if found is None:
        raise BadInput(
            f"The dataset of this run, {spec.dataset.label}, is not on this machine.",
            "Name it with --dataset; it must hold the same pairs.",
        )
    if found.about["content"] != content:
        raise BadInput(
            f"{found.about['label']} holds other pairs than this run judged.",
            "Name the dataset that it was made on, in the same revision.",
        )
    return found


def _same_request(request: DatasetRequest) -> PreparedDataset | None:
    """The dataset that the run's own words name here; None if they name none."""
    try:
        return datasets.find(request)
    except BadInput:  # a path of another machine
        return None


def _table(path: Path, data: bytes, models: list[str], dataset: PreparedDataset) -> pd.DataFrame:
    """The scores table, if it is one: typed, of these models and rows, verdicts as rewards say."""
    import numpy as np
    import pandas as pd

    try:
        # A table of rows without end is packed into a few bytes, and so is a text of them.
        wanted = [column.name for column in SCORES]
        packed = small_table(path.name, data, wanted, dataset.rows * len(models))
        table = packed.to_pandas()
        table = pd.DataFrame({c.name: table[c.name].astype(c.dtype) for c in SCORES})
    except BadInput as error:
        raise _damaged(path, "its table would unpack to more than its dataset holds") from error
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise _damaged(path, f"its table cannot be read ({type(error).__name__})") from error
    if set(table["model"]) != set(models) or table.duplicated(["model", "row_id"]).any():
        raise _damaged(path, "its table is not of its models, or has a row twice")
    dataset.check_row_ids([int(row) for row in table["row_id"].unique()])
    margins = table["chosen_reward"] - table["rejected_reward"]
    told = table["verdict"].map(_FROM_REWARDS).astype("float64")
    wrong = ~np.isclose(margins, table["margin"], equal_nan=True)
    wrong |= ~np.isclose(np.sign(margins), told, equal_nan=True)
    about = ["chosen_length", "rejected_length", "identical"]
    own = dataset.numbers(["row_id", *about]).set_index("row_id").loc[table["row_id"], about]
    wrong |= (own.to_numpy(float) != table[about].to_numpy(float)).any(axis=1)
    if wrong.any():
        raise _damaged(path, f"{int(wrong.sum()):,} rows of its table contradict themselves")
    return table


def _damaged(path: Path, why: str) -> BadInput:
    return BadInput(f"{path.name} is no whole export of a run: {why}.", "Export the run again.")
