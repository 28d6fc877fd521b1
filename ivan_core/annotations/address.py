"""Where the database of the reviews is: a file in the data folder, or a team's PostgreSQL."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.settings import setting

DATABASE_URL = "IVAN_DATABASE_URL"
FILE = "reviews.sqlite"
_FORM = "Write postgresql://user:password@host/database, or leave it empty for SQLite."


def address(data_dir: Path) -> URL:
    """The address that the settings give.

    Raises:
        BadInput: it cannot be read, or names a kind of database that IVAN does not know. What was
            written there is not repeated: it may hold a password.
        BackendUnavailable: the driver is not installed.
    """
    given = setting(DATABASE_URL).strip()
    if not given:
        return URL.create("sqlite+pysqlite", database=str(data_dir / FILE))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise BadInput(f"{DATABASE_URL} is no address of a database.", _FORM) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInput(f"{DATABASE_URL} names a database that IVAN does not know.", _FORM)
    if "@" in (url.host or "") or not url.database:
        raise BadInput(
            f"{DATABASE_URL} is no address of a database.",
            f"{_FORM} In a password write @ as %40, : as %3A and / as %2F.",
        )
    if find_spec("psycopg") is None:
        raise BackendUnavailable(
            "The driver for PostgreSQL is not installed.", "pip install -e '.[postgres]'"
        )
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """An address as it may be shown: without password, and without options, which can hold one."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    plain = url.set(drivername="postgresql", query={})
    return plain.render_as_string(hide_password=True)
