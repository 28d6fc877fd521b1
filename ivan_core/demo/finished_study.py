"""A finished study of the bundled sample, put into an empty data folder for those who only look.

`make study` computes it and writes the files of `study/`: four runs as `ivan runs export` writes
them, and reviews as `ivan review backup` does. Here nothing is scored, labelled or reworded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ivan_core.annotations.backup import restore_backup
from ivan_core.annotations.database import address
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import imports, zips
from ivan_core.runs.locks import FileLock
from ivan_core.runs.storage import storage_errors, sync_folder

FOLDER = Path(__file__).parent / "study"
RUNS = ("compare", "labels", "rewrite", "analysis")
"""The kinds of its runs, one of each, in the order in which they are entered."""
REVIEWS = "reviews.zip"
_STAGED, _LOCK, _WHOLE = ".study", ".study.lock", "whole"
_NOT_OURS = "lost+found"
"""What a disk that was just mounted holds."""
_PATIENCE = 60.0
"""Seconds to wait for another process that is filling the same folder."""


def put_into(data_dir: Path) -> bool:
    """Fill an empty data folder with the study; returns whether it did, or had begun to.

    The runs have the same ids wherever it is done. Whoever is killed meanwhile leaves a folder that
    the next call fills. A folder that holds anything is left as it is. Reviews of a team's own
    database stay as they are too.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: the study was made of another sample: `make study` makes it anew.
        StorageProblem: the folder cannot be written, or another process is filling it.
    """
    staged, lock = data_dir / _STAGED, FileLock(data_dir / _LOCK)
    if _is_filled(data_dir):
        return False
    with lock, storage_errors(data_dir):
        if not lock.acquire(timeout=_PATIENCE):
            raise StorageProblem(
                f"Another process is putting the finished study into {data_dir}.",
                "Wait for it, or name another data folder.",
            )
        if not (staged / _WHOLE).exists():
            if _is_filled(data_dir):
                return False
            shutil.rmtree(staged, ignore_errors=True)
            with _in_force(staged):
                _fill(staged)
            (staged / _WHOLE).touch()
            sync_folder(staged)
        # From here on each name is in one of the two folders, and who comes next moves the rest.
        for entry in sorted(staged.iterdir()):
            if entry.name != _WHOLE:
                entry.replace(data_dir / entry.name)
        sync_folder(data_dir)
        shutil.rmtree(staged)
    return True


def _is_filled(data_dir: Path) -> bool:
    """Whether a folder holds anything, and not a study that is being moved there."""
    if (data_dir / _STAGED / _WHOLE).exists() or not data_dir.exists():
        return False
    names = (entry.name for entry in data_dir.iterdir())
    return any(name != _NOT_OURS and not name.startswith(".") for name in names)


@contextmanager
def _in_force(data_dir: Path) -> Iterator[None]:
    """Let this be the data folder for a while."""
    before = os.environ.get("IVAN_DATA_DIR")
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    try:
        yield
    finally:
        os.environ.pop("IVAN_DATA_DIR")
        if before is not None:
            os.environ["IVAN_DATA_DIR"] = before


def _fill(data_dir: Path) -> None:
    data_dir.mkdir(parents=True)
    imports.read_dataset(DatasetRequest(source=SAMPLE))
    for kind in RUNS:
        zips.import_zip(FOLDER / f"{kind}.zip")
    if address(data_dir).get_backend_name() == "sqlite":
        restore_backup(data_dir, FOLDER / REVIEWS)
