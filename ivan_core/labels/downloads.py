"""Result files as they came: checked for being whole, kept, and merged, each at once or not."""

from __future__ import annotations

import io
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ivan_core.domain.errors import BadInput
from ivan_core.labels.result_files import read_json
from ivan_core.runs.storage import replacing, storage_errors

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Held:
    """What a downloaded result file holds.

    `answered` are the ids asked for that have a line which can be read, `results` tells whether
    any line is one of a result file at all, and `damage` what is wrong; it is empty if nothing is.
    """

    answered: frozenset[str]
    results: bool
    damage: str = ""


def held_in(content: bytes, asked: Collection[str]) -> Held:
    """Read a file line by line: whose answers are in it, and what is its first damage."""
    answered: set[str] = set()
    damage = ""
    for number, line in enumerate(io.BytesIO(content), start=1):
        if not line.strip():
            continue
        custom_id, wrong = _read_id(line.removeprefix(_BOM) if number == 1 else line)
        if wrong:
            damage = damage or f"line {number:,} {wrong}"
        else:
            answered.add(custom_id)
    if not content.strip():
        damage = "it is empty"
    elif not content.endswith(b"\n"):
        damage = "it ends in the middle of a line"
    return Held(frozenset(answered.intersection(asked)), bool(answered), damage)


def _read_id(line: bytes) -> tuple[str, str]:
    """The id of a line, and why it cannot be read if so."""
    try:
        record = read_json(line)
    except (ValueError, RecursionError):
        return "", "is not valid JSON"
    if not isinstance(record, dict):
        return "", "is no JSON object"
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        return "", "is not one of a result file"
    return custom_id, ""


def with_lost_lines(content: bytes, before: bytes, asked: Collection[str]) -> bytes:
    """A file that came again, with the lines that only the earlier download of it had."""
    held = held_in(content, asked).answered
    lost = [
        line
        for line in io.BytesIO(before.removeprefix(_BOM))
        if (one := _read_id(line)[0]) in asked and one not in held
    ]
    if not lost:
        return content
    return b"".join(_ended(line) for line in (content, *lost) if line.strip())


def _ended(lines: bytes) -> bytes:
    return lines if lines.endswith(b"\n") else lines + b"\n"


def keep_download(content: bytes, path: Path) -> None:
    """Keep a downloaded file: after a power cut it is there whole, or not at all.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)


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
    file.write(source.read(len(_BOM)).removeprefix(_BOM))
    shutil.copyfileobj(source, file)
    if file.tell() > before:
        source.seek(-1, io.SEEK_END)
        if source.read(1) != b"\n":
            file.write(b"\n")
