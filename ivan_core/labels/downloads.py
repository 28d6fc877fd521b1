"""Result files as they came: checked for being whole, kept, and merged, each at once or not."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ivan_core.domain.errors import BadInput
from ivan_core.labels.result_files import BOM, MOST_LINE_BYTES, bounded_lines, opened, read_json
from ivan_core.runs.storage import replacing, storage_errors, sync_folder

EMPTY = "it is empty"


@dataclass(frozen=True, slots=True)
class Held:
    """What a downloaded result file holds.

    `answered` are the ids asked for that have a line which can be read, `results` tells whether
    any line is one of a result file at all, and `damage` what is wrong; it is empty if nothing is.
    """

    answered: frozenset[str]
    results: bool
    damage: str = ""


def held_in(source: Path | bytes, asked: Collection[str]) -> Held:
    """Read a file line by line: whose answers are in it, and what is its first damage."""
    answered: set[str] = set()
    wanted = frozenset(asked)
    damage, results, blank, cut = "", False, True, False
    with opened(source) as file:
        for number, line, whole in bounded_lines(file):
            cut = not whole
            if not line.strip():
                continue
            blank = False
            custom_id, wrong = _read_id(line.removeprefix(BOM) if number == 1 else line)
            if wrong:
                damage = damage or f"line {number:,} {wrong}"
            results |= not wrong
            if custom_id in wanted:
                answered.add(custom_id)
    if blank:
        damage = EMPTY
    elif cut:
        damage = "it ends in the middle of a line"
    return Held(frozenset(answered), results, damage)


def _read_id(line: bytes) -> tuple[str, str]:
    """The id of a line, and why it cannot be read if so."""
    if len(line) > MOST_LINE_BYTES:
        return "", f"is longer than {MOST_LINE_BYTES // 2**20} MiB"
    try:
        record = read_json(line)
    except (ValueError, RecursionError):
        return "", "is not valid JSON"
    if not isinstance(record, dict):
        return "", "is no JSON object"
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        return "", "is not one of a result file"
    response = record.get("response")
    if not (response and isinstance(response, dict)) and not record.get("error"):
        return "", "has neither an answer nor an error"
    return custom_id, ""


def add_lost_lines(arrived: Path, before: Path, asked: Collection[str]) -> None:
    """Give a file that came again the lines that only the earlier download of it had."""
    lost = frozenset(asked) - held_in(arrived, asked).answered
    with before.open("rb") as old, arrived.open("r+b") as file:
        for number, line, _ in bounded_lines(old):
            whole = line.removeprefix(BOM) if number == 1 else line
            custom_id, _ = _read_id(whole)
            if custom_id in lost:
                _add_line(whole, file)


def _add_line(line: bytes, file: BinaryIO) -> None:
    """Append a line; what stands before it gets its end."""
    if file.seek(0, io.SEEK_END):
        file.seek(-1, io.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    file.write(line if line.endswith(b"\n") else line + b"\n")


def arriving(path: Path) -> Path:
    """Where a download lies that is not known to be a file yet; whatever lies there is over.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        arrived = path.with_name(f".{path.name}.new")
        arrived.unlink(missing_ok=True)
    return arrived


def keep_download(arrived: Path, path: Path) -> None:
    """Keep a downloaded file: after a power cut it is there whole, or not at all.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(path.parent):
        with arrived.open("rb") as file:
            os.fsync(file.fileno())
        arrived.replace(path)
        sync_folder(path.parent)


def merge_raw(parts: Sequence[Path | bytes], out: Path) -> int:
    """Put the raw lines of several result files into one, in their order; returns how many.

    Lines stay as they came, damaged ones too; only byte order marks go, and a last line without an
    end gets one, so that no two lines run together.

    Raises:
        BadInput: a part is missing; what was there stays.
        StorageProblem: the folder cannot be written.
    """
    lines = 0
    with storage_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as temporary:
            with temporary.open("wb") as file:
                for part in parts:
                    with _opened(part) as source:
                        _append(source, file)
            with temporary.open("rb") as file:
                lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b""))
    return lines


@contextmanager
def _opened(part: Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(part, bytes):
        yield io.BytesIO(part)
        return
    if not part.is_file():
        raise BadInput(f"There is no file {part}.", "Collect the batch again.")
    with part.open("rb") as file:
        yield file


def _append(source: BinaryIO, file: BinaryIO) -> None:
    before = file.tell()
    file.write(source.read(len(BOM)).removeprefix(BOM))
    shutil.copyfileobj(source, file)
    if file.tell() > before:
        source.seek(-1, io.SEEK_END)
        if source.read(1) != b"\n":
            file.write(b"\n")
