"""A finished study of the bundled sample, put into an empty data folder for those who only look.

`make study` computes it: runs and reviews, exported and imported as anybody can, a ranking of
words, and the data folder that came of it in one zip. Nothing is computed or checked here, so it is
there at once.
"""

from __future__ import annotations

import io
import lzma
import shutil
from pathlib import Path
from zipfile import ZipFile

from ivan_core.domain.errors import StorageProblem
from ivan_core.runs.locks import FileLock
from ivan_core.runs.storage import storage_errors, sync_folder

FILE = Path(__file__).with_suffix(".zip.xz")
"""A zip that was packed as a whole: its tables and CSVs repeat each other."""
_STAGED, _LOCK, _WHOLE = ".study", ".study.lock", ".whole"
_NOT_OURS = "lost+found"
"""What a disk that was just mounted holds."""
_PATIENCE = 30.0
"""Seconds to wait for another process that is filling the same folder."""


def put_into(data_dir: Path) -> bool:
    """Fill an empty data folder with the study; returns whether it did, or had begun to.

    The runs have the same ids wherever it is done. Whoever is killed meanwhile leaves a folder that
    the next call fills. A folder that holds anything is left as it is.

    Raises:
        StorageProblem: the folder cannot be written, or another process is filling it.
    """
    staged = data_dir / _STAGED
    if _is_filled(data_dir):
        return False
    with FileLock(data_dir / _LOCK) as lock, storage_errors(data_dir):
        if not lock.acquire(timeout=_PATIENCE):
            raise StorageProblem(
                f"Another process is putting the finished study into {data_dir}.",
                "Wait for it, or name another data folder.",
            )
        if not (staged / _WHOLE).exists():
            if _is_filled(data_dir):
                return False
            shutil.rmtree(staged, ignore_errors=True)
            with unpacked() as study:
                study.extractall(staged)
            (staged / _WHOLE).touch()
            sync_folder(staged)
        # From here on each name is in one of the two folders, and who comes next moves the rest.
        for entry in sorted(staged.iterdir()):
            if entry.name != _WHOLE:
                entry.replace(data_dir / entry.name)
        sync_folder(data_dir)
        shutil.rmtree(staged)
    return True


def unpacked() -> ZipFile:
    """The files of the study, by their places in a data folder."""
    return ZipFile(io.BytesIO(lzma.decompress(FILE.read_bytes())))


def _is_filled(data_dir: Path) -> bool:
    """Whether a folder holds anything, and not a study that is being moved there."""
    if (data_dir / _STAGED / _WHOLE).exists() or not data_dir.exists():
        return False
    names = (entry.name for entry in data_dir.iterdir())
    return any(name != _NOT_OURS and not name.startswith(".") for name in names)
