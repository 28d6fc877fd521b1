"""Result files of any engine that reads batch files: line by line, damage named and not fatal."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import LabelReply, TextKey
from ivan_core.labels.completions import reply_of_response, whole_text

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
    reply: LabelReply | None
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
        for number, content, whole in bounded_lines(file):
            if number == 1 and content.startswith(_UTF16):
                raise BadInput("The result file is UTF-16.", "Save it again as UTF-8.")
            line = content.removeprefix(BOM) if number == 1 else content
            if line.strip():
                yield _read(number, line, whole)


@contextmanager
def opened(source: Path | bytes) -> Iterator[BinaryIO]:
    """A result file, read as it is.

    Raises:
        BadInput: there is no such file, or it cannot be read.
    """
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    if not source.is_file():
        raise BadInput(f"There is no file {source}.", "Check the path.")
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadInput(f"{source} cannot be read ({error.strerror}).", "Check it.") from error
    with file:
        yield file


def bounded_lines(file: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its number and whether it has an end; one too long comes cut."""
    number = 0
    while content := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        end = content
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
