"""A row of the registry as a run: cell by cell, so that one bad cell spoils no list of runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from math import isfinite
from typing import Any

from ivan_core.domain.runs import Run, RunState

FIELDS = tuple(field.name for field in fields(Run))
_FAR = 4_102_444_800.0
"""The beginning of the year 2100, in Unix seconds."""
_MOST = 2**53
Row = tuple[object, ...]


def read_run(row: Row) -> tuple[Run, bool]:
    """A run as it is stored, and whether someone asked it to stop.

    `row` holds the FIELDS in their order, then the request to stop. A run with a cell that makes no
    sense is damaged, and says which it is.
    """
    values: dict[str, Any] = {}
    bad = []
    for name, cell in zip(FIELDS, row, strict=False):
        try:
            values[name] = _READ[name](cell)
        except (ValueError, TypeError, RecursionError):
            values[name] = _EMPTY[name]
            bad.append(name)
    if bad:
        values |= {
            "state": RunState.DAMAGED,
            "problem": damage(bad),
            "hint": f"`ivan runs delete {values['id']}` takes it away. The others are whole.",
        }
    return Run(**values), bool(row[-1])


def damage(cells: list[str]) -> str:
    """The sentence that says which cells are damaged."""
    return f"The entry of this run in the registry is damaged ({', '.join(cells)})."


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise TypeError
    return cell


def _moment(cell: object) -> float:
    if not isinstance(cell, int | float) or not 0 <= cell < _FAR:
        raise TypeError
    return float(cell)


def _moment_or_none(cell: object) -> float | None:
    return None if cell is None else _moment(cell)


def _count(cell: object) -> int:
    if not isinstance(cell, int) or not 0 <= cell < _MOST:
        raise TypeError
    return cell


def _rate(cell: object) -> float | None:
    if cell is not None and not (isinstance(cell, int | float) and isfinite(cell)):
        raise TypeError
    return cell


def _notes(cell: object) -> tuple[str, ...]:
    if cell == "[]":
        return ()
    notes = json.loads(_text(cell))
    if not isinstance(notes, list):
        raise TypeError
    return tuple(_text(note) for note in notes)


def _facts(cell: object) -> str:
    if cell != "{}" and not isinstance(json.loads(_text(cell)), dict):
        raise TypeError
    return _text(cell)


def _state(cell: object) -> RunState:
    state = RunState(_text(cell))
    if state in (RunState.INTERRUPTED, RunState.DAMAGED):
        raise ValueError
    return state


_READ: dict[str, Callable[[object], Any]] = {
    "id": _text,
    "kind": _text,
    "spec": _text,
    "state": _state,
    "created": _moment,
    "started": _moment_or_none,
    "finished": _moment_or_none,
    "heartbeat": _moment_or_none,
    "doing": _text,
    "done": _count,
    "total": _count,
    "computed": _count,
    "rate": _rate,
    "problem": _text,
    "hint": _text,
    "notes": _notes,
    "name": _text,
    "facts": _facts,
}
_EMPTY: dict[str, Any] = {
    "id": "?",
    "kind": "?",
    "spec": "",
    "state": RunState.DAMAGED,
    "created": 0.0,
    "started": None,
    "finished": None,
    "heartbeat": None,
    "doing": "",
    "done": 0,
    "total": 0,
    "computed": 0,
    "rate": None,
    "problem": "",
    "hint": "",
    "notes": (),
    "name": "",
    "facts": "{}",
}
