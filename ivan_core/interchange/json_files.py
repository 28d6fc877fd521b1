"""Objects as JSON, one after the other: UTF-8, no number that JSON does not have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Ends of a line to some readers, though not to JSON: they take a text apart there.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def as_json(value: Any) -> str:
    """On one line, whatever a reader takes for the end of one. Raises ValueError at NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS)


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Pieces of one text, one after the other."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)


def write_lines(path: Path, objects: Iterable[Any]) -> None:
    """JSON lines, one object each."""
    write_pieces(path, (f"{as_json(one)}\n" for one in objects))


def write_array(path: Path, objects: Iterable[Any]) -> None:
    """One array, an object on each line."""
    write_pieces(path, _array(objects))


def _array(objects: Iterable[Any]) -> Iterator[str]:
    yield "["
    for place, one in enumerate(objects):
        yield f"{',' if place else ''}\n{as_json(one)}"
    yield "\n]\n"
