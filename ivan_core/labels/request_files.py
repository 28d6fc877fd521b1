"""The request files of a batch: written in parts that keep the provider's limits, and checked.

What a provider would reject is found here, before anything is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.runs.storage import replacing, storage_errors

URL = "/v1/chat/completions"
Request = tuple[TextKey, bytes | Mapping[str, object], int]
"""A text's key, the body of its request (JSON on one line, or a mapping) and its input tokens."""
# These end a line for readers that split text at every Unicode line break.
_LINE_BREAKS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may hold; `tokens` is what the account may have waiting, if known."""

    requests: int = 50_000
    bytes: int = 200_000_000
    tokens: int | None = None


LIMITS = Limits()
"""The provider's own limits."""


@dataclass(frozen=True, slots=True)
class RequestFile:
    """One finished part: where it is, what it holds, and the hash a confirmation is bound to."""

    path: Path
    requests: int
    bytes: int
    tokens: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Line:
    key: TextKey
    content: bytes
    tokens: int


_Unit = tuple[_Line, ...]
"""Lines that stay together: the two sides of a row."""


def file_name(slug: str, part: int) -> str:
    """The name of a part; the first is 1."""
    return f"{slug}-{part}-input.jsonl"


def write_request_files(
    requests: Iterable[Request],
    folder: Path,
    slug: str,
    limits: Limits = LIMITS,
    progress: Callable[[int], None] | None = None,
) -> list[RequestFile]:
    """Write the requests as numbered parts; `progress` is told how many are written so far.

    The two sides of a row, which follow each other, stay in one part unless no part can hold both.
    One part is open at a time, under a temporary name. When anything fails, the parts made so far
    are removed: there are all of them or none.

    Raises:
        BadInput: a request is too large for any part, comes twice or cannot be written.
        StorageProblem: the folder cannot be written.
    """
    made: list[RequestFile] = []
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        units = _units(_lines(requests, limits), limits)
        unit = next(units, None)
        try:
            while unit is not None:
                path = folder / file_name(slug, len(made) + 1)
                before = sum(part.requests for part in made)
                part, unit = _write_part(path, unit, units, limits, before, progress)
                made.append(part)
        except BaseException:
            for part in made:
                part.path.unlink(missing_ok=True)
            raise
    return made


def _lines(requests: Iterable[Request], limits: Limits) -> Iterator[_Line]:
    seen: set[TextKey] = set()
    for key, body, tokens in requests:
        if key in seen:
            raise BadInput(f"Pair {key.row_id} ({key.preference}) is asked for twice.")
        seen.add(key)
        line = _Line(key, _content(key, body), tokens)
        if not _fit((line,), limits):
            raise _too_large(line, limits)
        yield line


def body_bytes(key: TextKey, body: Mapping[str, object]) -> bytes:
    """The body of a request as it stands in a file, on one line.

    Raises:
        BadInput: the text holds half a character.
    """
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if not text.isascii():
        for mark, escaped in _LINE_BREAKS.items():
            text = text.replace(mark, escaped)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"Pair {key.row_id} ({key.preference}) holds half a character (a lone surrogate).",
            "No provider takes such a text: leave the pair out.",
        ) from None


def read_bodies(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The ids and the bodies' bytes of the lines of a file that `write_request_files` wrote."""
    for line in lines:
        start, mark, body = line.rstrip(b"\r\n").partition(b'"body":')
        if mark:
            yield start.split(b'"', 4)[3].decode(), body[:-1]


def _content(key: TextKey, body: bytes | Mapping[str, object]) -> bytes:
    start = f'{{"custom_id":"{key.custom_id}","method":"POST","url":"{URL}","body":'.encode()
    raw = body if isinstance(body, bytes) else body_bytes(key, body)
    if b"\n" in raw:
        raise ValueError("a body is JSON on one line")
    return b"%b%b}\n" % (start, raw)


def _units(lines: Iterator[_Line], limits: Limits) -> Iterator[_Unit]:
    for _, sides in groupby(lines, key=lambda line: line.key.row_id):
        unit = tuple(sides)
        if _fit(unit, limits):
            yield unit
        else:
            yield from ((line,) for line in unit)


def _fit(lines: _Unit, limits: Limits, requests: int = 0, size: int = 0, tokens: int = 0) -> bool:
    """Whether a part that holds so much already can take these lines too."""
    if requests + len(lines) > limits.requests:
        return False
    if size + sum(len(line.content) for line in lines) > limits.bytes:
        return False
    return limits.tokens is None or tokens + sum(line.tokens for line in lines) <= limits.tokens


def _write_part(
    path: Path,
    unit: _Unit | None,
    units: Iterator[_Unit],
    limits: Limits,
    before: int,
    progress: Callable[[int], None] | None,
) -> tuple[RequestFile, _Unit | None]:
    """Write one part, beginning with `unit`; returns it with the unit that begins the next."""
    requests = size = tokens = 0
    digest = hashlib.sha256()
    with replacing(path, alone=True) as temporary, temporary.open("wb") as file:
        while unit is not None and _fit(unit, limits, requests, size, tokens):
            for line in unit:
                file.write(line.content)
                digest.update(line.content)
                size += len(line.content)
                tokens += line.tokens
            requests += len(unit)
            if progress is not None:
                progress(before + requests)
            unit = next(units, None)
    return RequestFile(path, requests, size, tokens, digest.hexdigest()), unit


def _too_large(line: _Line, limits: Limits) -> BadInput:
    where = f"Pair {line.key.row_id} ({line.key.preference})"
    if limits.requests < 1:
        return BadInput("A file that holds no request is asked for.", "Allow at least one.")
    if len(line.content) > limits.bytes:
        return BadInput(
            f"{where} makes a request of {len(line.content):,} bytes; "
            f"a file may hold {limits.bytes:,}.",
            "Leave the pair out.",
        )
    return BadInput(
        f"{where} makes a request of {line.tokens:,} tokens; "
        f"{limits.tokens or 0:,} may wait in the account.",
        "Raise the limit of waiting tokens (--queue-tokens), or leave the pair out.",
    )


LONGEST_ID = 64
_HINT = "Nothing was sent. Write the file again."


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What a sound request file asks for, and the hash of the very bytes that were checked."""

    path: Path
    requests: int
    bytes: int
    sha256: str
    model: str
    url: str


def check_request_file(path: Path, limits: Limits = LIMITS) -> CheckedFile:
    """Read the whole file as a provider would.

    Raises:
        BadInput: it is missing, too large or too long, or a line is not a request like the others:
            JSON in UTF-8, an id of its own, POST, one url, one model.
    """
    size = _size(path, limits)
    digest = hashlib.sha256()
    line_of: dict[str, int] = {}
    asked: dict[str, str] = {}
    with path.open("rb") as file:
        for number, content in enumerate(file, start=1):
            digest.update(content)
            if number > limits.requests:
                raise BadInput(
                    f"{path.name} holds more than {limits.requests:,} requests.",
                    "Split it into several files.",
                )
            try:
                request = _request(content)
                custom_id = _custom_id(request)
                if custom_id in line_of:
                    _wrong(f"its custom_id stands in line {line_of[custom_id]} too")
                line_of[custom_id] = number
                for what, value in _target(request).items():
                    if asked.setdefault(what, value) != value:
                        _wrong(f"another {what} than in line 1; a file has one")
            except ValueError as error:
                raise BadInput(f"{path.name}, line {number}: {error}.", _HINT) from None
    return CheckedFile(path, len(line_of), size, digest.hexdigest(), asked["model"], asked["url"])


def _size(path: Path, limits: Limits) -> int:
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Prepare the requests first.")
    size = path.stat().st_size
    if not size:
        raise BadInput(f"{path.name} is empty.", _HINT)
    if size > limits.bytes:
        raise BadInput(
            f"{path.name} has {size:,} bytes; a file may have {limits.bytes:,}.",
            "Split it into several files.",
        )
    return size


def _request(content: bytes) -> dict[str, Any]:
    if content.startswith(b"\xef\xbb\xbf"):
        _wrong("it begins with a byte order mark")
    if not content.strip():
        _wrong("it is blank")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        _wrong("it is not UTF-8")
    try:
        request = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _wrong("it is not valid JSON")
    if not isinstance(request, dict):
        _wrong("it is no JSON object")
    return request


def _custom_id(request: dict[str, Any]) -> str:
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not custom_id:
        _wrong("it has no custom_id")
    if len(custom_id) > LONGEST_ID:
        _wrong(f"its custom_id is longer than {LONGEST_ID} characters")
    return custom_id


def _target(request: dict[str, Any]) -> dict[str, str]:
    if request.get("method") != "POST":
        _wrong("its method is not POST")
    url, body = request.get("url"), request.get("body")
    if not isinstance(url, str) or not url.startswith("/"):
        _wrong("it has no url")
    if not isinstance(body, dict):
        _wrong("it has no body")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        _wrong("its body names no model")
    return {"url": url, "model": model}


def _no_number(name: str) -> NoReturn:
    _wrong(f"{name} is no number")


def _wrong(reason: str) -> NoReturn:
    raise ValueError(reason)
