"""Result files as they came: checked for being whole, kept, and merged, each at once or not."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ivan_core.domain.errors import BadInput
from ivan_core.runs.storage import replacing, storage_errors

_BOM = b"\xef\xbb\xbf"


def check_download(content: bytes, expected_lines: int | None = None) -> str:
    """Why a downloaded file is not whole, as a sentence; empty if it is.

    Whole means: the last line has its end, every line is a JSON object, and there are as many
    lines as the provider told of, if it told.
    """
    if not content:
        return "The file is empty." if expected_lines != 0 else ""
    if not content.endswith(b"\n"):
        return "The file ends in the middle of a line."
    lines = 0
    for number, line in enumerate(io.BytesIO(content), start=1):
        if not line.strip():
            continue
        lines += 1
        try:
            record = json.loads(line.removeprefix(_BOM))
        except (ValueError, RecursionError):
            return f"Line {number:,} is not valid JSON."
        if not isinstance(record, dict):
            return f"Line {number:,} is no JSON object."
    if expected_lines is not None and lines != expected_lines:
        return f"Lines in the file: {lines:,}; the provider tells of {expected_lines:,}."
    return ""


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
