"""Somebody's own pairs before anything runs: read once, and told what was found in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ivan_core.datasets.columns import WrongColumns
from ivan_core.datasets.files import PACKED, file_format
from ivan_core.datasets.first_row import FirstRow, first_row_of
from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import is_local, local_path
from ivan_core.datasets.told import told_of
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.pairs import USUAL, Columns, Pair
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.words import number_of
from ivan_core.engine import access, datasets
from ivan_core.settings import data_dir

READER = (sys.executable, "-m", "ivan_core.reader")
_QUICK_BYTES = 4_000_000
"""A file up to this size is read on the spot; larger ones by a process of their own."""
_PACKED = 10
"""Bytes of texts in a byte of a packed file, where they are packed well."""
_LOOKED_AT = 1_000
"""Pairs whose turns are counted."""
_USUAL_NAMES = {
    "chosen": ("chosen", "preferred", "accepted", "winner", "better", "good", "positive"),
    "rejected": ("rejected", "dispreferred", "loser", "worse", "bad", "negative"),
    "prompt": ("prompt", "question", "instruction", "query", "input"),
    "subset": ("subset", "source", "category", "domain"),
}
"""What such columns are called elsewhere, the likeliest name first: for a proposal, never more."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a dataset holds. `bad` are lines that are no pairs, in words, the first ones."""

    pairs: int
    turns: str
    bad_lines: int
    bad: tuple[str, ...]
    first: Pair
    row: FirstRow
    """The row that the first pair is of."""
    columns: tuple[str, ...]
    """The names that the source has, in its order."""
    odd: tuple[str, ...]
    """What a person should know of the pairs before they are used, in sentences."""


def read(request: DatasetRequest, told: Callable[[int], None]) -> PreparedDataset:
    """Read a dataset now, where no run has read it yet; `told` gets the pairs read so far.

    What `told` raises ends the reading.

    Raises:
        WrongColumns: the replies are in other columns.
        IvanError: it cannot be read, or the visitor may only read and review.
    """
    found = datasets.find(request)
    if found is not None:
        return found
    access.require(access.Action.READ)
    if is_local(request) and _unpacked(local_path(request)) <= _QUICK_BYTES:
        return prepare(data_dir(), request, told)
    return _read_apart(request, told)


def _unpacked(path: Path) -> int:
    """How many bytes of texts a file may come to."""
    return path.stat().st_size * (_PACKED if file_format(path) in PACKED else 1)


def _read_apart(request: DatasetRequest, told: Callable[[int], None]) -> PreparedDataset:
    with subprocess.Popen(
        READER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"IVAN_DATA_DIR": str(data_dir())},
    ) as reader:
        last: dict[str, object] = {}
        try:
            if reader.stdin is None or reader.stdout is None:
                raise RuntimeError("a process without pipes")
            with suppress(BrokenPipeError):  # it ended before it was asked
                reader.stdin.write(request.model_dump_json())
                reader.stdin.close()
            for line in reader.stdout:
                last = json.loads(line)
                if "pairs" in last:
                    told(int(str(last["pairs"])))
        finally:
            reader.kill()
    if "fingerprint" in last:
        return datasets.by_fingerprint(str(last["fingerprint"]))
    if isinstance(columns := last.get("found"), list):
        raise WrongColumns(columns, request.columns)
    if "message" in last:
        raise IvanError(str(last["message"]), str(last["hint"]))
    raise BadInput(
        f"{request.label} could not be read: what read it was ended before it was done.",
        "Try again; for a large file this machine may have too little memory.",
    )


def found_in(dataset: PreparedDataset) -> Found:
    """What was found in a dataset that has been read."""
    about = dataset.about
    first = list(islice(dataset.pairs(range(min(dataset.rows, _LOOKED_AT))), _LOOKED_AT))
    counts = [len(side.turns) for pair in first for side in (pair.chosen, pair.rejected)]
    return Found(
        pairs=dataset.rows,
        turns=_turns(counts, dataset.rows > len(first)),
        bad_lines=int(about["bad_lines"]),
        bad=tuple(f"line {line}: {reason}" for line, reason in about["bad_lines_named"]),
        first=first[0],
        row=first_row_of(dataset),
        columns=tuple(about.get("columns_found", ())),
        odd=tuple(told_of(dataset)),
    )


def _turns(counts: Sequence[int], more: bool) -> str:
    least, most = min(counts), max(counts)
    if not most:
        return "texts without turns"
    told = number_of(least, "turn") if least == most else f"{least} to {most} turns"
    return f"{told} each" + (f" (the first {_LOOKED_AT:,} pairs)" if more else "")


def proposed(columns: Sequence[str]) -> Columns:
    """Which columns may be meant, by their names; empty where none is likely."""
    plain = {name.strip().lower().replace("-", "_"): name for name in reversed(columns)}
    picked: dict[str, str] = {}
    for part in USUAL.__slots__:
        names = _USUAL_NAMES[part]
        exact = [plain[name] for name in names if name in plain]
        within = [own for name in names for low, own in plain.items() if name in low.split("_")]
        free = [name for name in (*exact, *within) if name not in picked.values()]
        picked[part] = free[0] if free else ""
    return Columns(**picked)
