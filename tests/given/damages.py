"""What can be wrong with one run: a cell of the registry, its manifest, its table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Damage = Callable[[Path, str], None]
"""Damages the run of an id in a data folder."""
CELLS: dict[str, tuple[object, ...]] = {
    "spec": (
        "",
        "{",
        "null",
        '{"kind": "compare", "rows": "?"}',
        b"\xff\xfe",
        '{"kind": "labels"}',
    ),
    "state": ("", "finished", "interrupted", 7, b"\x00"),
    "created": ("yesterday", -1.0, 1e300, float("inf")),
    "started": ("x", 1e300),
    "finished": ("x", -5.0),
    "heartbeat": ("x",),
    "done": ("many", -1, 10**18),
    "total": ("x", -7),
    "computed": (b"x",),
    "rate": ("fast", float("inf")),
    "doing": (b"\xff",),
    "notes": ("", "{", "{}", "[1]", "[" * 100_000),
    "facts": ("", "[]", "{"),
    "kind": ("", "compar", b"\xff\xfe"),
    "name": (b"\xc3\x28",),
    "starred": ("yes", 7),
}
"""Values that no IVAN writes, by the cell they stand in."""


def bad_cell(column: str, value: object) -> Damage:
    def damage(data_dir: Path, run_id: str) -> None:
        with closing(sqlite3.connect(data_dir / "ivan.sqlite")) as db, db:
            if isinstance(value, bytes):  # as text that is no UTF-8, not as a blob
                db.execute(f"UPDATE runs SET {column}=CAST(? AS TEXT) WHERE id=?", (value, run_id))
            else:
                db.execute(f"UPDATE runs SET {column}=? WHERE id=?", (value, run_id))

    return damage


def of_file(name: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(data_dir: Path, run_id: str) -> None:
        path = data_dir / "runs" / run_id / name
        path.write_bytes(change(path.read_bytes()))

    return damage


def without(name: str) -> Damage:
    def damage(data_dir: Path, run_id: str) -> None:
        (data_dir / "runs" / run_id / name).unlink()

    return damage


FILES: dict[str, Damage] = {
    "no manifest": without("manifest.json"),
    "no table": without("table.parquet"),
    "garbage manifest": of_file("manifest.json", lambda _: b"\x00garbage"),
    "empty manifest": of_file("manifest.json", lambda _: b""),
    "manifest that is a list": of_file("manifest.json", lambda _: b"[1, 2]"),
    "manifest without models": of_file(
        "manifest.json", lambda was: was.replace(b'"models"', b'"m"')
    ),
    "manifest without a dataset": of_file(
        "manifest.json", lambda _: b'{"dataset": 3, "files": []}'
    ),
    "cut table": of_file("table.parquet", lambda was: was[: len(was) // 2]),
    "empty table": of_file("table.parquet", lambda _: b""),
    "garbage table": of_file("table.parquet", lambda was: was[:4] + b"x" * 3000 + was[-4:]),
    "noise in the table": of_file(
        "table.parquet", lambda was: b"PAR1" + b"\x9c" * 4000 + was[4004:]
    ),
}
"""Damages of the files of a finished comparison, in words."""
