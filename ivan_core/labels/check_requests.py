"""Checking a request file before anything is sent: what a provider would reject, found here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ivan_core.domain.errors import BadInput
from ivan_core.labels.request_files import LIMITS, Limits

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
