"""The databases of the reviews that tests run on: SQLite, then PostgreSQL.

Without PostgreSQL its tests are skipped and counted aloud, unless `IVAN_REQUIRE` names `postgres`:
then they fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.postgres_server import PostgresServer, missing, required

from ivan_core.annotations.database import DATABASE_URL

_SKIPPED = "no PostgreSQL for these tests"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server a test process."""
    if missing():
        if required():
            pytest.fail(f"IVAN_REQUIRE asks for PostgreSQL, but {missing()}.", pytrace=False)
        pytest.skip(f"{_SKIPPED}: {missing()}")
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def postgres(
    postgres_server: PostgresServer, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An empty database of the server, which is in force; its address."""
    address = postgres_server.database()
    monkeypatch.setenv(DATABASE_URL, address)
    yield address
    postgres_server.drop(address)


@pytest.fixture(params=["sqlite", "postgres"])
def review_database(request: pytest.FixtureRequest, data_dir: Path) -> Path:
    """A data folder whose reviews are kept in SQLite, then in PostgreSQL."""
    if request.param == "postgres":
        request.getfixturevalue("postgres")
    return data_dir


def count_skipped(reporter: pytest.TerminalReporter) -> None:
    """Count aloud the tests that lacked PostgreSQL."""
    skipped = sum(_SKIPPED in str(report.longrepr) for report in reporter.stats.get("skipped", []))
    if skipped:
        reporter.write_line(f"tests on PostgreSQL skipped: {skipped} ({missing()})", yellow=True)
