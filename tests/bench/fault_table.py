"""Prints the fault table as Markdown: each fault of the demo server, and what becomes of a run.

    python tests/bench/fault_table.py

Six pairs (12 texts) are labelled once for each fault, after one confirmation. The last column
counts the requests to create a batch, and in brackets the batches that the server made.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from given.support import settings_of
from given.taxonomy_faults import CASES, Case, play
from given.taxonomy_runs import account_of, workers_here

from ivan_core.demo.server import DemoServer


def row(case: Case) -> str:
    """One line of the table."""
    with (
        TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        DemoServer() as server,
        workers_here(patch),
    ):
        settings_of(patch, Path(folder))
        account_of(patch, server)
        seen = play(case, server, Path(folder))
        host = server.url.removeprefix("http://")
        said = seen.text.replace(host, "the provider").replace("|", "/")
        created = f"{seen.created} ({len(server.state.batches)})"
        return f"| {case.name} | {seen.state}: {said} | {seen.kept} of 12 | {created} |"


def main() -> None:
    print("| fault | what the user sees | texts kept | batches asked for (made) |")
    print("|---|---|---|---|")
    for case in CASES:
        print(row(case), flush=True)


if __name__ == "__main__":
    main()
