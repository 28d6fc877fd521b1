"""Result files of any engine that reads batch files: read, checked for being whole, kept, merged.

They are read line by line; damage is named and not fatal.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.labels.completions import reply_of_response, whole_text
from ivan_core.runs.storage import replacing, storage_errors, sync_folder

MOST_LINE_BYTES = 16 * 2**20
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LONGEST_ID = 200
_MOST_DIGITS = 300
_RUN = re.compile(r"[\w.-]{1,64}")
# Quotes inside a JSON string are escaped, so a reply cannot pose as the id of its line.
_ID_IN_DAMAGE = re.compile(r'(?<!\\)"custom_id"\s*:\s*"([\w.-]{1,64})"')


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of a result file: whose it is and what came, or why it cannot be read.

    `key` is None for ids that are none of ours; `reply` is None where the line is `damaged`, which
    keeps its id where one can still be made out. `raw` is the line, cut if it is far too long.
    """

    key: TextKey | None
    custom_id: str
    reply: ModelReply | None
    line: int
    damaged: str = ""
    raw: str = ""
    reused: str = ""
    """The run that the answer was given to first, where it was not asked for again."""


def read_result_lines(source: Path | bytes) -> Iterator[ResultLine]:
    """The lines of an output or error file, numbered from 1; blank ones are passed over.

    Raises:
        BadInput: there is no such file, it cannot be read, or it is UTF-16.
    """
    with opened(source) as file:
        for number, line, whole in bounded_lines(file):
            if number == 1 and line.startswith(_UTF16):
                raise BadInput("The result file is UTF-16.", "Save it again as UTF-8.")
            if line.strip():
                yield _read(number, line, whole)


@contextmanager
def opened(source: Path | bytes, hint: str = "Check the path.") -> Iterator[BinaryIO]:
    """A result file, read as it is.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    if not source.is_file():
        raise BadInput(f"There is no file {source}.", hint)
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadInput(f"{source} cannot be read ({error.strerror}).", "Check it.") from error
    with file:
        yield file


def bounded_lines(file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its number and whether it has an end; one too long comes cut.

    A byte order mark before the first is no part of it.
    """
    number = 0
    while content := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        end = content
        if number == 1:
            content = content.removeprefix(BOM)
        while len(end) > MOST_LINE_BYTES and not end.endswith(b"\n"):
            end = file.readline(MOST_LINE_BYTES + 1)
        yield number, content, end.endswith(b"\n")


def _read(number: int, line: bytes, whole: bool) -> ResultLine:
    if len(line) > MOST_LINE_BYTES:
        return _damaged(number, line[:1_000], f"longer than {MOST_LINE_BYTES // 2**20} MiB")
    try:
        record = read_json(line)
    except UnicodeDecodeError:
        return _damaged(number, line, "not UTF-8" if whole else "cut: the file ends within it")
    except (ValueError, RecursionError):
        return _damaged(number, line, "not valid JSON" if whole else "cut: the file ends within it")
    if not isinstance(record, dict):
        return _damaged(number, line, "not a JSON object")
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        return _damaged(number, line, "without a custom_id")
    reply = reply_of_response(record.get("response"), record.get("error"))
    key = TextKey.from_custom_id(custom_id)
    name = whole_text(custom_id[:_LONGEST_ID])
    return ResultLine(
        key, name, reply, number, "", line.decode("utf-8").rstrip("\r\n"), _first_run(record)
    )


def _first_run(record: dict[str, Any]) -> str:
    reused = record.get("reused")
    run = reused.get("run") if isinstance(reused, dict) else None
    return run if isinstance(run, str) and _RUN.fullmatch(run) else ""


def read_json(line: bytes) -> Any:
    """What a line says; a number of thousands of digits is None, for the rest may be an answer.

    It is read as UTF-8: of bytes, `json` would guess another encoding, or take half a character.

    Raises:
        UnicodeDecodeError: a ValueError, it is no UTF-8.
        ValueError, RecursionError: it is no JSON.
    """
    text = line.decode("utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _damaged(number: int, line: bytes, why: str) -> ResultLine:
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    found = _ID_IN_DAMAGE.search(text)
    custom_id = found[1] if found else ""
    return ResultLine(TextKey.from_custom_id(custom_id), custom_id, None, number, why, text)


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
            custom_id, wrong = _read_id(line)
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
        for _, line, _ in bounded_lines(old):
            if _read_id(line)[0] in lost:
                _add_line(line, file)


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
                    with opened(part, "Collect the batch again.") as source:
                        _append(source, file)
            with temporary.open("rb") as file:
                lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b""))
    return lines


def _append(source: BinaryIO, file: BinaryIO) -> None:
    before = file.tell()
    file.write(source.read(len(BOM)).removeprefix(BOM))
    shutil.copyfileobj(source, file)
    if file.tell() > before:
        source.seek(-1, io.SEEK_END)
        if source.read(1) != b"\n":
            file.write(b"\n")
