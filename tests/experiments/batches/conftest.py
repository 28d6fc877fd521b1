"""Every test of batches talks to a demo server of its own, with workers in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from given.taxonomy_runs import account_of, workers_here

from ivan_core.demo.server import DemoServer


@pytest.fixture
def server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        yield demo
