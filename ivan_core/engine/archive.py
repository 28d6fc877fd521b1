"""Runs kept in order: named, starred and deleted."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run
from ivan_core.engine import access, handling as runs
from ivan_core.engine.kind import known
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

LONGEST_NAME = 80
_DELETED = ".deleted-"


@dataclass(frozen=True, slots=True)
class Deleted:
    """What deleting a run took away."""

    run_id: str
    kind: str
    files: int
    bytes: int

    @property
    def sentence(self) -> str:
        told = f"Deleted run {self.run_id}: {self.files} files, {size(self.bytes)}."
        return f"{told} {known(self.kind).stays}".rstrip()


def rename(run_id: str, name: str) -> Run:
    """Give a run a name beside its id, which stays; an empty name takes it away.

    Raises:
        BadInput: there is no such run, or the name is longer than 80 characters or cannot be read.
        NotAllowed: the visitor may only read and review.
    """
    access.require(access.Action.RENAME)
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(
            f"A name is one line of at most {LONGEST_NAME} characters that can be read.",
            "Choose a shorter or plainer one.",
        )
    runs.registry().rename(run_id, name)
    return runs.get(run_id)


def star(run_id: str, starred: bool = True) -> Run:
    """Give a run a star, so that it stands first in the list of runs, or take it away.

    Raises:
        BadInput: there is no such run.
        NotAllowed: the visitor may only read and review.
    """
    access.require(access.Action.STAR)
    runs.registry().star(run_id, starred)
    return runs.get(run_id)


def delete(run_id: str) -> Deleted:
    """Delete a run that is not at work: its folder, the CSV files it wrote, its registry row.

    The dataset and the score cache are shared with other runs and stay.

    Raises:
        BadInput: there is no such run, it is at work, or a batch of it is.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.DELETE)
    run = runs.get(run_id)
    registry, root = runs.registry(), data_dir()
    sending = known(run).sending
    if sending is not None:
        sending.part_with(run_id)
    folder = registry.folder(run_id)
    written = written_files(run)
    inside = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    freed = sum(path.stat().st_size for path in (*written, *inside))
    grave = root / "runs" / f"{_DELETED}{run_id}-{uuid4().hex[:8]}"

    def set_aside() -> None:
        # Only moved until the registry has forgotten the run: each move happens or does not.
        grave.mkdir(parents=True)
        for path in written:
            path.rename(grave / path.name)
        if folder.exists():
            folder.rename(grave / "run")

    with storage_errors(root):
        registry.remove(run_id, set_aside)
        for left in (root / "runs").glob(f"{_DELETED}*"):  # also of a deletion that was killed
            shutil.rmtree(left, ignore_errors=True)
    return Deleted(run_id, run.kind, len(written) + len(inside), freed)


def written_files(run: Run) -> list[Path]:
    """The files that a run wrote outside of its folder, those that are there."""
    folders = known(run).folders
    manifest = None
    if folders and known(run).names_files:
        with suppress(runs.Damaged):  # then its files are found by their names
            manifest = runs.manifest(run.id)
    if manifest is not None:
        named = {Path(str(name)) for name in manifest["files"]}
        own = [data_dir() / name.parent.name / name.name for name in sorted(named)]
        own = [path for path in own if path.parent.name in folders]
        return [path for path in own if _is_of(path.name, run.id) and path.is_file()]
    # Without a manifest, or one that names them all. Files of a run whose id begins with this one's
    # are not its own.
    ids = [other.id for other in runs.registry().all() if other.id != run.id]
    others = [other for other in ids if other.startswith(run.id)]
    found = [path for name in folders for path in (data_dir() / name).glob(f"{run.id}*")]
    return [
        path
        for path in found
        if _is_of(path.name, run.id) and not any(_is_of(path.name, other) for other in others)
    ]


def _is_of(name: str, run_id: str) -> bool:
    return name.startswith((f"{run_id}-", f"{run_id}."))


def size(count: int) -> str:
    """A number of bytes in words, as in "1.4 MB"."""
    amount, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
