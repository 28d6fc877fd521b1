"""Finished runs as zips: written here, and read here or elsewhere; nothing in one is trusted."""

from __future__ import annotations

import io
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from pydantic import BaseModel, Field, TypeAdapter

from ivan_core import __version__
from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.datasets.parquet_rows import small_table
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import ODD_DATA, BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.engine import access, archive, datasets, handling as runs
from ivan_core.engine.imports import (
    Came,
    Elsewhere,
    Imported,
    check_file_name,
    dataset_of,
    enter,
    located,
)
from ivan_core.engine.kind import kind_of, known
from ivan_core.engine.work import BEGUN
from ivan_core.runs.context import Parts
from ivan_core.runs.storage import folder_for, replacing, storage_errors

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_Spec = TypeVar("_Spec", bound=RowsSpec)
EXPORT_FORMAT = 1
"""Number of the export's layout, kept in its `run.json`."""
MOST_BYTES = 2**30
"""What the files that are read may come to when unpacked."""
_MOST_JSON = 2**26
_MOST_MEMBERS = 1_000
_EVERY = ("run.json", "spec.json", "manifest.json", "facts.jsonl")
"""The files of the zip of a run, whatever its kind."""
_TEXTS = "texts.jsonl"
_OF_PEOPLE = (".csv", ".parquet")
CARD = "card|"
"""How the keys of the units begin that hold the card of a model."""
_VERSIONS = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Unpacked(Generic[_Spec]):
    """A zip of a run as it was read: whole, of a kind that is known, on a dataset that is here.

    `facts` are units of the run's parts, by their keys; `files` the members of its kind by name.
    What they hold is still to be checked: every failure to read it is a damaged zip.
    """

    path: Path
    spec: _Spec
    dataset: PreparedDataset
    manifest: dict[str, Any]
    facts: dict[str, list[Any]]
    files: dict[str, bytes]

    def damaged(self, why: str) -> BadInput:
        return _damaged(self.path, why)

    @property
    def row_ids(self) -> list[int]:
        """The rows that its spec chooses."""
        return choose_rows(self.spec, self.dataset).row_ids

    def cards(self, names: Sequence[str]) -> dict[str, ModelCard]:
        """The models called so, whose cards the facts hold, and no others. Raises BadInput."""
        cards = {
            key.removeprefix(CARD): ModelCard.model_validate(rows[0])
            for key, rows in self.facts.items()
            if key.startswith(CARD)
        }
        if not cards or set(cards) != set(names):
            raise self.damaged("its models and its spec do not agree")
        return {name: cards[name] for name in names}

    def packed(self, name: str, columns: Sequence[str], most: int) -> pa.Table:
        """Some columns of one of the files, which has `most` rows at the most. Raises BadInput."""
        try:
            # A table of rows without end is packed into a few bytes, and so is a text of them.
            return small_table(self.path.name, self.files[name], list(columns), most)
        except BadInput as error:
            raise self.damaged("its table would unpack to more than its dataset holds") from error
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise self._no_table(error) from error

    def table(
        self, name: str, columns: Sequence[str], types: Mapping[str, str], most: int
    ) -> pd.DataFrame:
        """The same as a table with columns of these types, in their order. Raises BadInput."""
        packed = self.packed(name, columns, most)
        try:
            table = packed.to_pandas(ignore_metadata=True)
            for column in table.columns[table.dtypes == "category"]:
                table[column] = table[column].astype(object)
            return table.astype(types)[list(columns)]
        except (ValueError, TypeError, KeyError) as error:
            raise self._no_table(error) from error

    def _no_table(self, error: Exception) -> BadInput:
        return self.damaged(f"its table cannot be read ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class Archive:
    """What a zip of a run of one kind holds.

    `files` of the run's folder are in it; those that `pack` gives, by their names, as it gives
    them, with texts or without. `facts` tells which units of the parts go along, by their keys:
    they are put back into the parts where the run is entered. The kind's folders hold the files for
    people, which are written anew: with `folders_hold_texts` they are packed with texts only.
    `read` makes a run of an unpacked zip again. `public` makes of a manifest what of it may leave
    this machine; all of it, where there is none. Of `files`, those in `since` came later: zips that
    were written before do not have them.
    """

    files: tuple[str, ...]
    read: Callable[[Unpacked[Any]], Came]
    folders_hold_texts: bool = True
    facts: Callable[[str], bool] = lambda _: False
    pack: Callable[[Path, bool], Mapping[str, bytes]] = lambda folder, texts: {}
    public: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    since: tuple[str, ...] = ()


_MOMENT: float = Field(ge=0, le=2**32, allow_inf_nan=False)
_PERHAPS: float | None = Field(None, ge=0, le=2**32, allow_inf_nan=False)


class _About(BaseModel):
    """What `run.json` holds."""

    format: int
    id: str
    name: str = ""
    created: float = _MOMENT
    started: float | None = _PERHAPS
    finished: float | None = _PERHAPS
    computed: int = Field(0, ge=0, le=2**53)
    notes: tuple[str, ...] = ()
    dataset_content: str


def archive_of(kind: str) -> Archive | None:
    """What a zip of a run of a kind holds; None for a kind of which there are no zips."""
    transfer = known(kind).transfer
    found: Archive | None = transfer.archive() if transfer is not None else None
    return found


def export_bytes(run_id: str, *, texts: bool = False) -> bytes:
    """The zip of `export` in memory, for a download.

    Raises:
        BadInput: as `export`.
    """
    file = io.BytesIO()
    _write(run_id, file, texts)
    return file.getvalue()


def export(run_id: str, path: Path, *, texts: bool = False) -> None:
    """Write a finished run as a zip: manifest, spec, tables, what is known of who worked for it.

    No text of the dataset is in it unless `texts` asks for them, and never a key.

    Raises:
        BadInput: there is no such run, it is not finished, or there is no such folder.
        NotAllowed: the path leads outside of what the visitor may name.
        StorageProblem: the file cannot be written.
    """
    access.check_path(path)
    folder = folder_for(path)
    with storage_errors(folder), replacing(path) as temporary, temporary.open("wb") as file:
        _write(run_id, file, texts)


def _write(run_id: str, file: IO[bytes], texts: bool) -> None:
    run = runs.get(run_id)
    about_kind = archive_of(run.kind)
    if about_kind is None:
        raise BadInput(
            f"Run {run_id} made a column of a dataset, which is no experiment.",
            "Its numbers are in the download of the pairs on the page Compare.",
        )
    folder = runs.registry().folder(run_id)
    manifest = runs.manifest(run_id)
    written = manifest is not None and all((folder / own).exists() for own in _tables(about_kind))
    if run.state is not RunState.DONE and not written:
        raise _not_finished(run)
    if (open_one := kind_of(run).open) is not None:
        open_one(run_id)  # says what is damaged
    if manifest is None:
        raise _not_finished(run)
    spec = runs.any_spec_of(run)
    if not isinstance(spec, RowsSpec):
        raise _not_finished(run)
    dataset = datasets.by_fingerprint(manifest["dataset"]["fingerprint"])
    about = {
        "format": EXPORT_FORMAT,
        "ivan": __version__,
        "id": run.id,
        "name": run.name,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "computed": run.computed,
        "notes": list(run.notes),
        "dataset_content": dataset.about["content"],
    }
    facts = [
        {"key": key, "rows": rows}
        for key, rows in Parts(folder).all()
        if key == BEGUN or about_kind.facts(key)
    ]
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        packed.writestr("run.json", json.dumps(about, indent=1))
        packed.writestr("spec.json", json.dumps(spec.model_dump(mode="json"), indent=1))
        if about_kind.public is None:
            packed.write(folder / "manifest.json", "manifest.json")
        else:
            packed.writestr("manifest.json", json.dumps(about_kind.public(manifest), indent=1))
        packed.writestr("facts.jsonl", "".join(f"{json.dumps(fact)}\n" for fact in facts))
        made = about_kind.pack(folder, texts)
        for name in about_kind.files:
            if name in made:
                packed.writestr(name, made[name])
            else:
                packed.write(folder / name, name)
        if texts or not about_kind.folders_hold_texts:
            for path in archive.written_files(run):
                if path.parent.name in kind_of(run).folders and path.suffix in _OF_PEOPLE:
                    packed.write(path, f"{path.parent.name}/{path.name}")
        if texts:
            with packed.open(_TEXTS, "w") as out:
                for pair in dataset.pairs(choose_rows(spec, dataset).row_ids):
                    row = {
                        "row_id": pair.row_id,
                        "chosen": pair.chosen.readable,
                        "rejected": pair.rejected.readable,
                    }
                    out.write(f"{json.dumps(row)}\n".encode())


def _tables(about_kind: Archive) -> list[str]:
    return [name for name in about_kind.files if name.endswith(".parquet")]


def _not_finished(run: Run) -> BadInput:
    goes_on = f"`ivan runs resume {run.id}` goes on." if run.state.resumable else "Wait for it."
    return BadInput(f"Run {run.id} is not finished.", goes_on)


def import_zip(path: Path, dataset: DatasetRequest | None = None) -> Imported:
    """Enter a run that was exported here or elsewhere, whatever its kind. Nothing is computed.

    It is joined to the dataset it was made on, if that lies in the data folder, or to the one that
    is named, which must hold the same pairs.

    Raises:
        BadInput: it is no export of a run, or damaged, or its dataset is not here.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.IMPORT)
    kind, about_kind, files = _read(path)
    with _whole(path):
        about = _About.model_validate_json(files.pop("run.json"))
        spec = kind_of(kind).spec.model_validate_json(files.pop("spec.json"))
        manifest = json.loads(files.pop("manifest.json"))
        json.dumps(manifest, ensure_ascii=False).encode()  # half a surrogate pair is no text
        lines = files.pop("facts.jsonl").splitlines()
        units = [json.loads(line, parse_constant=_no_number) for line in lines]
        facts = {str(unit["key"]): list(unit["rows"]) for unit in units}
        if not isinstance(spec, RowsSpec):
            raise TypeError(f"a run of the kind {kind} chooses no rows")
        fingerprint = str(manifest["dataset"]["fingerprint"])
        _VERSIONS.validate_python(manifest.get("versions", {}))
    if about.format > EXPORT_FORMAT:
        raise BadInput(f"{path.name} was written by a newer IVAN.", "Update this one.")
    found = dataset_of(spec, fingerprint, about.dataset_content, dataset)
    if dataset is not None:
        spec = spec.model_copy(update={"dataset": located(dataset)})
    if spec.limit is not None and spec.limit > found.rows:  # commands may name the first rows
        spec = spec.model_copy(update={"limit": found.rows})
    choose_rows(spec, found)  # says which rows are not there
    with _whole(path):
        came = about_kind.read(Unpacked(path, spec, found, manifest, facts, files))
    own = {key: rows for key, rows in facts.items() if key != BEGUN and about_kind.facts(key)}
    entered = enter(
        Elsewhere(
            spec,
            found,
            replace(came, facts={**own, **came.facts}),
            {**manifest, "imported": {"file": path.name, "run": about.id}},
            about.created,
            about.finished or about.created,
            about.id,
            " ".join(about.name.split())[: archive.LONGEST_NAME],
            about.started,
            about.computed,
            about.notes,
        )
    )
    if entered.run_id == about.id:
        return entered
    return replace(entered, notes=(f"It was run {about.id} where it was made.", *entered.notes))


def _no_number(constant: str) -> None:
    """Refuse NaN and infinity, which are in no unit of a run."""
    raise ValueError(f"{constant} is no number")


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while the content of a zip is read into a sentence."""
    try:
        yield
    except (OSError, *ODD_DATA) as error:
        told = str(error).splitlines()
        raise _damaged(path, told[0] if told else type(error).__name__) from error


def _read(path: Path) -> tuple[str, Archive, dict[str, bytes]]:
    """The kind of the run and the files that are needed, after a look at all names and sizes."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.")
    check_file_name(path)
    try:
        with ZipFile(path) as packed:
            names = [member.filename for member in packed.infolist()]
            if len(names) > _MOST_MEMBERS or len(set(names)) < len(names):
                raise _damaged(path, "it has too many files, or one of them twice")
            kind = _kind(path, packed, names)
            about_kind = archive_of(kind)
            if about_kind is None:
                raise _damaged(path, f"there is no kind of run called {kind[:40]!r}")
            late = {name for name in about_kind.since if name not in names}
            needed = (*_EVERY, *(name for name in about_kind.files if name not in late))
            _check_names(path, names, needed, kind_of(kind).folders)
            sizes = {name: packed.getinfo(name).file_size for name in needed}
            json_bytes = sum(count for name, count in sizes.items() if name in _EVERY)
            if sum(sizes.values()) > MOST_BYTES or json_bytes > _MOST_JSON:
                raise _too_large(path, sum(sizes.values()))
            # A reader never gives more than the size it has announced.
            return kind, about_kind, {name: packed.read(name) for name in needed}
    except (
        BadZipFile,
        zlib.error,
        lzma.LZMAError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        raise _damaged(path, str(error)) from error


def _kind(path: Path, packed: ZipFile, names: list[str]) -> str:
    """The kind of run that the spec of a zip names; zips of the first IVAN hold comparisons."""
    if "spec.json" not in names:
        _check_names(path, names, _EVERY, ())
    size = packed.getinfo("spec.json").file_size
    if size > _MOST_JSON:
        raise _too_large(path, size)
    with _whole(path):
        return str(json.loads(packed.read("spec.json")).get("kind", "compare"))


def _check_names(
    path: Path, names: list[str], needed: tuple[str, ...], folders: tuple[str, ...]
) -> None:
    """Refuse a file that no export has, and a zip without one that each has."""
    of_people = "|".join(re.escape(folder) for folder in folders)
    other = re.compile(rf"{re.escape(_TEXTS)}|(?:{of_people})/[^/\\:\x00-\x1f]+\.(?:csv|parquet)")
    odd = [name for name in names if name not in needed and not other.fullmatch(name)]
    if odd:
        raise BadInput(
            f"{path.name} holds a file that no export of IVAN has: {odd[0]!r}.",
            "Import only what `ivan runs export` wrote; nothing was unpacked.",
        )
    missing = [name for name in needed if name not in names]
    if missing:
        raise _damaged(path, f"it lacks {missing[0]}")


def _too_large(path: Path, count: int) -> BadInput:
    return BadInput(
        f"{path.name} would unpack to {archive.size(count)}.",
        "No run is as large; nothing was unpacked.",
    )


def _damaged(path: Path, why: str) -> BadInput:
    return BadInput(f"{path.name} is no whole export of a run: {why}.", "Export the run again.")
