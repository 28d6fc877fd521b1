"""How the tables of an older IVAN become those of this one; nothing that they hold is lost.

An empty database gets the newest tables at once. To change them: change `tables.py`, append a step
here that does the same to the layout before, and never edit a step that was released.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, insert, inspect, select

from ivan_core.annotations.tables import layout, metadata

_LOCK = 4_826_000
"""Number of the lock that a PostgreSQL server gives to who lays the tables out."""


class Step(NamedTuple):
    """What makes layout `number` of the one before, in a transaction that others wait for."""

    number: int
    change: Callable[[Connection], None]


def _queues(db: Connection) -> None:
    """Layout 2 was a SQLite file with marks, their history and guesses: those stay as they are."""
    for statement in _LAYOUT_3:
        db.exec_driver_sql(statement)


_LAYOUT_3 = (
    """CREATE TABLE queues (
    id INTEGER NOT NULL PRIMARY KEY, token TEXT NOT NULL UNIQUE, dataset TEXT DEFAULT '' NOT NULL,
    title TEXT DEFAULT '' NOT NULL, task TEXT DEFAULT '' NOT NULL, source TEXT DEFAULT '' NOT NULL,
    keys TEXT DEFAULT '' NOT NULL, prefill TEXT DEFAULT '' NOT NULL,
    assigned TEXT DEFAULT '' NOT NULL, opinions INTEGER DEFAULT '2' NOT NULL,
    seed INTEGER DEFAULT '0' NOT NULL, companion INTEGER DEFAULT '0' NOT NULL,
    made DOUBLE DEFAULT '0' NOT NULL, made_by TEXT DEFAULT '' NOT NULL, closed BOOLEAN NOT NULL)""",
    "CREATE INDEX queues_of ON queues (dataset, task)",
    """CREATE TABLE items (
    queue INTEGER DEFAULT '0' NOT NULL, position INTEGER DEFAULT '0' NOT NULL,
    row_id INTEGER DEFAULT '0' NOT NULL, side TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (queue, row_id, side))""",
    "CREATE UNIQUE INDEX items_in_order ON items (queue, position)",
    """CREATE TABLE opinions (
    queue INTEGER DEFAULT '0' NOT NULL, row_id INTEGER DEFAULT '0' NOT NULL,
    side TEXT DEFAULT '' NOT NULL, reviewer TEXT DEFAULT '' NOT NULL,
    answers TEXT DEFAULT '' NOT NULL, note TEXT DEFAULT '' NOT NULL, skipped BOOLEAN NOT NULL,
    "left" TEXT DEFAULT '' NOT NULL, blind BOOLEAN NOT NULL, prefill TEXT DEFAULT '' NOT NULL,
    seconds DOUBLE DEFAULT '0' NOT NULL, verified BOOLEAN NOT NULL,
    version INTEGER DEFAULT '0' NOT NULL, saved DOUBLE DEFAULT '0' NOT NULL,
    PRIMARY KEY (queue, row_id, side, reviewer))""",
    "CREATE INDEX opinions_of ON opinions (reviewer, queue)",
    """CREATE TABLE changes (
    queue INTEGER DEFAULT '0' NOT NULL, row_id INTEGER DEFAULT '0' NOT NULL,
    side TEXT DEFAULT '' NOT NULL, reviewer TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT '0' NOT NULL, before TEXT DEFAULT '' NOT NULL,
    after TEXT DEFAULT '' NOT NULL, "by" TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL, made DOUBLE DEFAULT '0' NOT NULL,
    PRIMARY KEY (queue, row_id, side, reviewer, version))""",
    """CREATE TABLE decisions (
    queue INTEGER DEFAULT '0' NOT NULL, row_id INTEGER DEFAULT '0' NOT NULL,
    side TEXT DEFAULT '' NOT NULL, "key" TEXT DEFAULT '' NOT NULL, answer TEXT DEFAULT '' NOT NULL,
    "by" TEXT DEFAULT '' NOT NULL, reason TEXT DEFAULT '' NOT NULL,
    version INTEGER DEFAULT '0' NOT NULL, made DOUBLE DEFAULT '0' NOT NULL,
    PRIMARY KEY (queue, row_id, side, "key", version))""",
)


def _tells(db: Connection) -> None:
    """Layout 4 keeps whether a queue tells what was chosen after each pair; the older ones did, and
    do so no more."""
    _add_flag(db, "queues", "tells")


def _listed(db: Connection) -> None:
    """Layout 5 keeps which pairs of a queue are of a list, where random ones are beside them."""
    _add_flag(db, "items", "listed")


def _add_flag(db: Connection, table: str, name: str) -> None:
    no = "false" if db.dialect.name == "postgresql" else "0"
    db.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} BOOLEAN DEFAULT {no} NOT NULL")


STEPS: tuple[Step, ...] = (Step(3, _queues), Step(4, _tells), Step(5, _listed))
"""In order. Layout 2 is the oldest: SQLite alone had it."""


def newest() -> int:
    """The number of the layout that this IVAN reads and writes."""
    return STEPS[-1].number


def layout_of(db: Connection) -> int:
    """The number of a database's layout; 0 where there is none yet.

    A file keeps it as its `user_version`, a server in the table `layout`.
    """
    if db.dialect.name == "sqlite":
        return int(db.exec_driver_sql("PRAGMA user_version").scalar_one())
    if not inspect(db).has_table(layout.name):
        return 0
    return db.execute(select(layout.c.number)).scalar() or 0


def migrate(db: Connection) -> int:
    """Bring a database to the newest layout; returns the layout that it has then.

    Several processes may come first at the same moment: one does it, the others find it done.
    """
    server = db.dialect.name == "postgresql"
    if server:
        db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    found = layout_of(db)
    if found >= newest():
        return found
    if found:
        for step in STEPS:
            if step.number > found:
                step.change(db)
    else:
        metadata.create_all(db, [t for t in metadata.sorted_tables if server or t is not layout])
    if server:
        db.execute(layout.delete())
        db.execute(insert(layout).values(number=newest()))
    else:
        db.exec_driver_sql(f"PRAGMA user_version={newest()}")
    return newest()
