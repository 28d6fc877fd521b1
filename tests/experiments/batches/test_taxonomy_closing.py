"""Parts whose answers do not come: when they are whole, and how they end as they are."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.bad_downloads import (
    BAD,
    Body,
    Downloads,
    collected_with_too_few_lines,
    gone,
    never_delivered,
    through,
    valid,
)
from fakes.kills import confirmed
from given.taxonomy_runs import QUICK, be_worker, creations, no_sleep

from ivan_core.backends.openai.batches import MOST_FILE, OpenAIBatches
from ivan_core.backends.openai.client import Redirected, account_for
from ivan_core.backends.openai.errors import NotAtProvider
from ivan_core.cli import taxonomy as command
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import BatchState
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import (
    adopt as batch_adopt,
    handling as taxonomy,
    requests as experiment,
)
from ivan_core.experiments.batches.adopt import collect
from ivan_core.experiments.batches.follow import LOOKS
from ivan_core.experiments.batches.work import Providers
from ivan_core.labels.request_files import Limits
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey
from ivan_core.ledger.sending import send_part


def ivan(*words: str) -> int:
    """Run a command of `ivan taxonomy`; problems are raised."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(["taxonomy", *words])
    return int(options.run(options))


class Told(Downloads):
    """A provider that tells of its batches what it should not, so many times."""

    def __init__(self, body: Body, times: int | None = None, **facts: Any) -> None:
        super().__init__(body, times)
        self.facts, self.polls = facts, 0

    def poll(self, batch_id: str) -> BatchState:
        batch = super().poll(batch_id)
        self.polls += 1
        return replace(batch, **self.facts) if batch.ended else batch


def nothing(_: bytes) -> bytes:
    return b""


def html(_: bytes) -> bytes:
    return BAD["HTML with status 200"][0](b"")


@pytest.mark.parametrize(
    ("body", "facts", "open_still"),
    [
        (nothing, {"total": 12, "completed": 0, "failed": 12}, False),
        (nothing, {"total": 12, "completed": 1, "failed": 11}, True),
        (nothing, {"total": 0, "completed": 0, "failed": 0}, True),
        (html, {"total": 12, "completed": 0, "failed": 12}, True),
        (gone, {"total": 0, "completed": 0, "failed": 0}, True),
        (gone, {"total": 12, "completed": 0, "failed": 12}, True),
    ],
    ids=["none finished", "one finished", "no counts", "HTML", "gone, no counts", "gone"],
)
def test_an_empty_file_is_whole_where_nothing_finished_and_a_lost_one_never_is(
    server: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: Body,
    facts: dict[str, Any],
    open_still: bool,
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    run = be_worker(run_id, through(Told(body, **facts)))
    summary = taxonomy.counts(run_id)
    if not open_still:
        assert (run.state, run.problem) == (RunState.DONE, "")
        assert summary and (summary["counts"]["missing"], summary["notes"]) == (12, [])
        return
    assert run.state is RunState.INTERRUPTED and run.problem.endswith("IVAN looks again.")
    assert taxonomy.follow(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert (valid(run_id), creations(server)) == (12, 1)


@pytest.mark.parametrize(
    ("body", "failed", "open_still"), [(nothing, 0, False), (nothing, 1, True), (html, 0, True)]
)
def test_an_empty_file_of_errors_is_whole_where_nothing_failed(
    server: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: Body,
    failed: int,
    open_still: bool,
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    provider = Told(body, failed=failed, error_file="file-errors")
    fetch = OpenAIBatches.collect

    def collected(
        self: OpenAIBatches, file_id: str, into: Path, most_bytes: int = MOST_FILE
    ) -> None:
        if file_id == "file-errors":
            into.write_bytes(body(b""))
        else:
            fetch(self, file_id, into, most_bytes)

    monkeypatch.setattr(Downloads, "collect", collected)
    run = be_worker(run_id, through(provider))
    assert run.state is (RunState.INTERRUPTED if open_still else RunState.DONE)
    summary = taxonomy.counts(run_id)
    assert summary and (summary["counts"]["valid"], summary["notes"]) == (12, [])
    if open_still:
        taxonomy.close_parts(run_id, "Ada")
        assert taxonomy.job(run_id).parts()[0].note == "Closed as it was by Ada."


def test_a_batch_that_has_ended_and_then_has_not_is_not_asked_about_without_end(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    assert runs.registry().requeue(run_id)
    provider = Told(BAD["cut by lines"][0], status="in_progress")
    assert be_worker(run_id, through(provider)).state is RunState.INTERRUPTED
    assert provider.polls == LOOKS
    assert taxonomy.follow(run_id)
    assert (valid(run_id), creations(server)) == (12, 1)


@pytest.mark.parametrize("status", ["completed", "in_progress"])
def test_the_note_of_a_closed_part_stays_until_its_answers_came(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    taxonomy.close_parts(run_id, "Ada")
    told = "Closed as it was by Ada, without 5 answers that were paid for."
    fewer = Told(BAD["cut by lines"][0], status=status, completed=7)  # as many as are here
    collect(run_id, through(fewer), no_sleep)
    assert taxonomy.job(run_id).parts()[0].note == told
    assert valid(run_id) == 7
    collect(run_id, QUICK, no_sleep)
    assert taxonomy.job(run_id).parts()[0].note == "The rest came later."
    assert valid(run_id) == 12


class Away(OpenAIBatches):
    """A provider that answers about no batch but one."""

    def __init__(self, but: str = "", error: type[BackendUnavailable] = BackendUnavailable) -> None:
        super().__init__(account_for())
        self.but, self.error = but, error

    def poll(self, batch_id: str) -> BatchState:
        if batch_id == self.but:
            return super().poll(batch_id)
        raise self.error("127.0.0.1 does not tell of this batch.", "Try later.")


@pytest.mark.parametrize("error", [BackendUnavailable, NotAtProvider, Redirected])
def test_a_part_is_closed_as_it_is_though_the_provider_is_away(
    server: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: type[BackendUnavailable],
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    batch = taxonomy.parts(run_id)[0]["batch"]
    away = Providers(lambda _: Away(error=error), QUICK.send)
    monkeypatch.setattr(
        batch_adopt, "collect", lambda run_id, **given: collect(run_id, away, no_sleep, **given)
    )
    with pytest.raises(BackendUnavailable, match="does not tell"):
        ivan("process-batch", "--batch-ids", batch)
    assert taxonomy.parts(run_id)[0]["state"] == "terminal"
    assert ivan("process-batch", "--batch-ids", batch, "--close-as-is") == 0
    said = capsys.readouterr()
    assert "Part 1 is closed without 5 answers" in said.out
    assert "12 submitted = 7 valid" in said.out and "5 missing" in said.out
    assert "does not tell of this batch" in said.err
    assert runs.get(run_id).state is RunState.DONE
    assert (runs.registry().folder(run_id) / "manifest.json").exists()


def test_a_finished_run_stays_finished_where_the_provider_is_away(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    before = taxonomy.counts(run_id)
    with pytest.raises(BackendUnavailable, match="does not tell"):
        collect(run_id, Providers(lambda _: Away(), QUICK.send), no_sleep)
    with monkeypatch.context() as patch, pytest.raises(BackendUnavailable, match="No key"):
        patch.delenv("OPENAI_BASE_URL")
        patch.delenv("OPENAI_API_KEY")
        collect(run_id)
    run = runs.get(run_id)
    assert (run.state, run.problem) == (RunState.DONE, "")
    assert taxonomy.counts(run_id) == before
    assert collect(run_id, QUICK, no_sleep) == ()
    assert valid(run_id) == 12


def in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "Limits", lambda tokens: Limits(requests=6, tokens=tokens))


def test_what_came_of_one_part_counts_though_the_next_cannot_be_asked_about(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    in_two_parts(monkeypatch)
    run_id = confirmed(tmp_path, monkeypatch)
    few = Downloads(lambda whole: b"".join(whole.splitlines(True)[:4]))
    be_worker(run_id, through(few))
    for number in (1, 2):  # as older versions left them
        key = PartKey(run_id, number, 1)
        assert Ledger(data_dir).record_downloaded(key) and Ledger(data_dir).record_validated(key)
    runs.registry().finish(run_id, RunState.DONE)
    assert valid(run_id) == 8
    first = taxonomy.parts(run_id)[0]["batch"]
    with pytest.raises(BackendUnavailable, match="does not tell"):
        collect(run_id, Providers(lambda _: Away(but=first), QUICK.send), no_sleep)
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 10


def test_a_run_whose_other_part_was_never_sent_ends_when_the_rest_is_collected(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    in_two_parts(monkeypatch)
    run_id = confirmed(tmp_path, monkeypatch)
    shown, provider = taxonomy.estimate(run_id), QUICK.batches(taxonomy.job(run_id).spec)
    assert shown
    sent = send_part(Ledger(data_dir), provider, PartKey(run_id, 1, 1), shown.plan_hash)
    while not provider.poll(sent.batch_id).ended:
        pass
    assert collect(run_id, QUICK, no_sleep) == ()
    assert runs.get(run_id).state is RunState.INTERRUPTED  # the other part waits to be sent
    assert Ledger(data_dir).abandon_unsent(run_id) == 1
    assert collect(run_id, QUICK, no_sleep) == ()
    assert runs.get(run_id).state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and (summary["counts"]["valid"], summary["counts"]["missing"]) == (6, 6)
    assert creations(server) == 1
