"""Fetching what an ended batch left behind: both files, whole, into the run's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ivan_core.backends.openai_errors import NotAtProvider
from ivan_core.domain.labels import BatchProvider, BatchState
from ivan_core.labels.downloads import check_download, keep_download
from ivan_core.ledger.records import PartKey

_TRIES = 4


def result_path(folder: Path, key: PartKey, kind: str) -> Path:
    """Where a result file of a part lies; `kind` is "output" or "error"."""
    return folder / "results" / f"{key.attempt}-{key.part}-{kind}.jsonl"


def result_files(folder: Path, key: PartKey) -> list[Path]:
    """The result files of a part that are here."""
    found = (result_path(folder, key, kind) for kind in ("output", "error"))
    return [path for path in found if path.exists()]


def download(
    folder: Path,
    key: PartKey,
    batch: BatchState,
    provider: BatchProvider,
    sleep: Callable[[float], None],
) -> list[str]:
    """Fetch the files of an ended batch; returns sentences on what is wrong with them.

    A batch may have either file, both or none, however it ended.

    Raises:
        BackendUnavailable: the provider is away; call again later.
    """
    notes = []
    # The error file of an expired batch also names what never ran: only the output has a count.
    for kind, file_id, lines in (
        ("output", batch.output_file, batch.completed or None),
        ("error", batch.error_file, None),
    ):
        if not file_id:
            continue
        path = result_path(folder, key, kind)
        try:
            content, wrong = _whole(provider, file_id, lines, sleep)
        except NotAtProvider as error:
            if not path.exists():
                notes.append(f"Part {key.part}: its {kind} file is gone. {error.message}")
            continue
        keep_download(content, path)
        if wrong:
            notes.append(f"Part {key.part}, {kind} file: {wrong} What can be read of it counts.")
    return notes


def _whole(
    provider: BatchProvider, file_id: str, lines: int | None, sleep: Callable[[float], None]
) -> tuple[bytes, str]:
    """A file's content, and why it is not whole if the provider itself has it no better.

    Damage that comes twice alike was not made on the way.
    """
    before, wrong, content = "", "", b""
    for pause in range(_TRIES):
        if pause:
            sleep(float(pause))
        content = provider.collect(file_id)
        wrong = check_download(content, lines)
        digest = hashlib.sha256(content).hexdigest()
        if not wrong or digest == before:
            break
        before = digest
    return content, wrong
