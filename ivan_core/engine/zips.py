"""Finished runs as zips: written here, and read here or elsewhere; nothing in one is trusted."""

from __future__ import annotations

import io
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from ivan_core import __version__
from ivan_core.datasets.prepared import PreparedDataset, choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.engine import access, archive, datasets, handling as runs
from ivan_core.engine.imports import (
    Elsewhere,
    Imported,
    Written,
    check_file_name,
    enter,
    located,
    named_dataset,
)
from ivan_core.engine.kind import kind_of, known
from ivan_core.engine.work import BEGUN
from ivan_core.runs.parts import Parts
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

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
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_VERSIONS = TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of a zip: its name there, and where it lies or what it holds."""

    name: str
    content: Path | bytes


@dataclass(frozen=True)
class Unpacked:
    """A zip of a run as it was read: whole, of a kind that is known, on a dataset that is here.

    `facts` are units of the run's parts, by their keys; `files` the members of its kind by name.
    What they hold is still to be checked: every failure to read it is a damaged zip.
    """

    path: Path
    spec: RowsSpec
    dataset: PreparedDataset
    manifest: dict[str, Any]
    facts: dict[str, list[Any]]
    files: dict[str, bytes]

    def damaged(self, why: str) -> BadInput:
        return _damaged(self.path, why)


@dataclass(frozen=True, slots=True)
class Came:
    """What a zip holds of a run of its kind: who judged or labelled, and how its files are written.

    `done` of `total` units of work count as done, all where no total is given. `notes` are added to
    those of the run.
    """

    who: tuple[str, ...]
    rows: int
    done: int
    write: Callable[[Path], Written]
    notes: tuple[str, ...] = ()
    total: int | None = None
    chunk: int = 256
    last: Callable[[Path, list[str]], None] | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """What a zip of a run of one kind holds.

    `facts` tells which units of the parts go into a zip, by their keys. `pack` gives the run's own
    files, with texts or without. `files` are those that must be there, and are read. The kind's
    folders hold those for people, which are written anew: with `folders_hold_texts` they are packed
    with texts only. `read` makes a run of an unpacked zip again. `told` makes of a manifest what of
    it may leave this machine; all of it, where there is none.
    """

    facts: Callable[[str], bool]
    pack: Callable[[Path, bool], Iterator[Packed]]
    files: tuple[str, ...]
    folders_hold_texts: bool
    read: Callable[[Unpacked], Came]
    told: Callable[[dict[str, Any]], dict[str, Any]] | None = None


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
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another file.")
    if path.is_dir():
        raise BadInput(f"{path} is a folder.", "Name a file in it.")
    with storage_errors(folder), replacing(path) as temporary, temporary.open("wb") as file:
        _write(run_id, file, texts)


def _write(run_id: str, file: IO[bytes], texts: bool) -> None:
    run = runs.get(run_id)
    about_kind = archive_of(run.kind)
    if about_kind is None:
        raise BadInput(
            f"Run {run_id} made a column of a dataset, which is no experiment.",
            "Its numbers are in the download of the rows on the page Compare.",
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
        if about_kind.told is None:
            packed.write(folder / "manifest.json", "manifest.json")
        else:
            packed.writestr("manifest.json", json.dumps(about_kind.told(manifest), indent=1))
        packed.writestr("facts.jsonl", "".join(f"{json.dumps(fact)}\n" for fact in facts))
        for own in about_kind.pack(folder, texts):
            if isinstance(own.content, Path):
                packed.write(own.content, own.name)
            else:
                packed.writestr(own.name, own.content)
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
    found = _dataset(spec, fingerprint, about.dataset_content, dataset)
    if dataset is not None:
        spec = spec.model_copy(update={"dataset": located(dataset)})
    if spec.limit is not None and spec.limit > found.rows:  # commands may name the first rows
        spec = spec.model_copy(update={"limit": found.rows})
    choose_rows(spec, found)  # says which rows are not there
    with _whole(path):
        came = about_kind.read(Unpacked(path, spec, found, manifest, facts, files))
    run_id = enter(
        Elsewhere(
            id=about.id,
            name=" ".join(about.name.split())[: archive.LONGEST_NAME],
            created=about.created,
            started=about.started,
            finished=about.finished or about.created,
            computed=about.computed,
            notes=tuple(dict.fromkeys((*about.notes, *came.notes))),
            kind=kind,
            spec=spec,
            dataset=found,
            rows=came.rows,
            done=came.done,
            total=came.done if came.total is None else came.total,
            write=came.write,
            chunk=came.chunk,
            last=came.last,
            manifest={**manifest, "imported": {"file": path.name, "run": about.id}},
        )
    )
    renamed = () if run_id == about.id else (f"It was run {about.id} where it was made.",)
    return Imported(run_id, came.rows, came.who, (*renamed, *came.notes))


def _no_number(constant: str) -> None:
    """Refuse NaN and infinity, which are in no unit of a run."""
    raise ValueError(f"{constant} is no number")


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while the content of a zip is read into a sentence."""
    try:
        yield
    except (
        ValidationError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OSError,
        RecursionError,
    ) as error:
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
            needed = (*_EVERY, *about_kind.files)
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


def _dataset(
    spec: RowsSpec, fingerprint: str, content: str, asked: DatasetRequest | None
) -> PreparedDataset:
    """The dataset here that holds the very pairs the run is about."""
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


def _damaged(path: Path, why: str) -> BadInput:
    return BadInput(f"{path.name} is no whole export of a run: {why}.", "Export the run again.")
