"""Takes over, once, what an older IVAN kept: scores and facts as compressed JSON in one file."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ivan_core.domain.errors import ODD_DATA
from ivan_core.domain.models import Reward
from ivan_core.runs.facts import Facts
from ivan_core.runs.score_table import ScoreTable
from ivan_core.runs.storage import read_only_query

OLDER_FILE = "cache.db"
OLDER_VALUES = "[0-9a-f]" * 2
"""Folders beside it, with a file for each large value."""
_VALUE_FILE = re.compile(r"(?:[0-9a-f]{2}/){2}[0-9a-f]+\.val")
_AT_ONCE = 50_000


def take_over(folder: Path, scores: ScoreTable, facts: Facts) -> bool:
    """Copy what the older file in a folder holds; returns whether all of it could be read.

    Doing it again changes nothing, so a copy that was cut off is made again from the start.

    Raises:
        sqlite3.Error: what was read cannot be kept.
    """
    gathered: defaultdict[str, dict[str, Reward]] = defaultdict(dict)
    whole, count = True, 0

    def keep() -> None:
        for identity, rewards in gathered.items():
            scores.put_many(identity, rewards)
        gathered.clear()

    for row in _rows(folder / OLDER_FILE):
        try:
            name, value = (json.loads(zlib.decompress(cell)) for cell in row or ())
            kind, _, rest = name.partition("|")
            if kind == "fact":
                facts.remember(rest, value)
                continue
            identity, _, text_hash = rest.rpartition("|")
            reward, truncated = value
            gathered[identity][text_hash] = Reward(float(reward), bool(truncated))
        except (*ODD_DATA, zlib.error):
            whole = False
            continue
        count += 1
        if count % _AT_ONCE == 0:
            keep()
    keep()
    return whole


def _rows(path: Path) -> Iterator[tuple[Any, ...] | None]:
    """Names and values as they lie there, large values in files of their own.

    None stands in place of what can no longer be read.
    """
    address = f"{path.absolute().as_uri()}?{urlencode(read_only_query(path))}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as db:
            for name, value, file in db.execute("SELECT key, value, filename FROM Cache"):
                yield name, value if file is None else _value_in(path.parent, file)
    except sqlite3.DatabaseError:
        yield None


def _value_in(folder: Path, file: Any) -> bytes | None:
    """A value that lies in a file; None where there is none, or where it lies elsewhere."""
    if not isinstance(file, str) or not _VALUE_FILE.fullmatch(file):
        return None
    try:
        return (folder / file).read_bytes()
    except OSError:
        return None
