"""Providers whose downloads are bad, and runs that lack answers which were paid for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from given.taxonomy_runs import QUICK, be_worker

from fakes.kills import confirmed
from ivan_core.backends.openai.batches import MOST_FILE, OpenAIBatches
from ivan_core.backends.openai.client import account_for
from ivan_core.backends.openai.errors import NotAtProvider
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.work import Providers
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey, Stage

Body = Callable[[bytes], bytes]
"""What a download of a file with these bytes gives."""


def gone(_: bytes) -> bytes:
    raise NotAtProvider("127.0.0.1 has no file file-x.", "")


BAD: dict[str, tuple[Body, str]] = {
    "HTML with status 200": (
        lambda _: b"<html><body>Busy</body></html>",
        "the file held 0 (it ends in the middle of a line); IVAN looks again.",
    ),
    "an empty body": (lambda _: b"", "the file held 0 (it is empty); IVAN looks again."),
    "cut by bytes": (
        lambda whole: whole[: len(whole) // 2 + 9],
        "(it ends in the middle of a line); IVAN looks again.",
    ),
    "cut by lines": (
        lambda whole: b"".join(whole.splitlines(True)[:7]),
        "the file held 7; IVAN looks again.",
    ),
    "a JSON error object": (
        lambda _: b'{"error": {"message": "Try later", "code": 500}}\n',
        "the file held 0 (line 1 is not one of a result file); IVAN looks again.",
    ),
    "one 404": (gone, "its file is gone: 127.0.0.1 has no file file-x; IVAN looks again."),
}


class Downloads(OpenAIBatches):
    """A provider whose downloads are bad so many times."""

    def __init__(self, body: Body, times: int | None = None) -> None:
        super().__init__(account_for())
        self.body, self.left, self.asked = body, times, 0

    def collect(self, file_id: str, into: Path, most_bytes: int = MOST_FILE) -> None:
        super().collect(file_id, into, most_bytes)
        self.asked += 1
        if self.left == 0:
            return
        self.left = None if self.left is None else self.left - 1
        into.write_bytes(self.body(into.read_bytes()))


def through(provider: OpenAIBatches) -> Providers:
    return Providers(lambda _: provider, QUICK.send)


def valid(run_id: str) -> int:
    summary = taxonomy.counts(run_id)
    assert summary
    return int(summary["counts"]["valid"])


def never_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run whose file held 7 of 12 answers as often as its worker looked."""
    run_id = confirmed(tmp_path, monkeypatch)
    provider = Downloads(BAD["cut by lines"][0])
    assert be_worker(run_id, through(provider)).state is RunState.INTERRUPTED
    return run_id


def collected_with_too_few_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> str:
    """A finished run as older versions left it: 7 of 12 answers, and the part counts as whole."""
    run_id = never_delivered(tmp_path, monkeypatch)
    ledger = Ledger(data_dir)
    key = PartKey(run_id, 1, 1)
    assert ledger.record_downloaded(key) and ledger.record_validated(key)
    runs.registry().finish(run_id, RunState.DONE)
    assert ledger.part(key).stage is Stage.VALIDATED
    return run_id
