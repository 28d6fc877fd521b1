"""The page Words, beside which no worker is started."""

from __future__ import annotations

import pytest

from ivan_core.engine.warm import answers
from ivan_core.runs.questions import Questions


@pytest.fixture(autouse=True)
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[Questions]:
    """Times a worker would have been started, in place of workers."""
    calls: list[Questions] = []
    monkeypatch.setattr(answers, "_spawn", calls.append)
    return calls
