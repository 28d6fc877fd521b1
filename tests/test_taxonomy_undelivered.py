"""Answers that are paid for and do not come: looked for again, and never asked for again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import taxonomy_runs
from taxonomy_kills import Killed, confirmed
from taxonomy_runs import (
    QUICK,
    account_of,
    be_worker,
    creations,
    no_sleep,
    say_yes,
    workers_here,
)

from ivan_core.backends.openai_batches import MOST_FILE, OpenAIBatches
from ivan_core.backends.openai_client import account_for
from ivan_core.backends.openai_errors import NotAtProvider
from ivan_core.backends.redirects import Redirected
from ivan_core.cli import taxonomy as command
from ivan_core.cli.taxonomy_ask import print_outcome
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import BatchState
from ivan_core.domain.runs import RunState
from ivan_core.experiments import taxonomy as experiment
from ivan_core.labels.request_files import Limits
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey, Stage
from ivan_core.ledger.sending import send_part
from ivan_core.workspace import batch_adopt, batch_collect, runs, taxonomy
from ivan_core.workspace.batch_adopt import collect
from ivan_core.workspace.batch_follow import LOOKS
from ivan_core.workspace.taxonomy_work import Providers

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


@pytest.fixture
def server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        yield demo


def valid(run_id: str) -> int:
    summary = taxonomy.counts(run_id)
    assert summary
    return int(summary["counts"]["valid"])


def ivan(*words: str) -> int:
    """Run a command of `ivan taxonomy`; problems are raised."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(["taxonomy", *words])
    return int(options.run(options))


def never_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run whose file held 7 of 12 answers as often as its worker looked."""
    run_id = confirmed(tmp_path, monkeypatch)
    provider = Downloads(BAD["cut by lines"][0])
    assert be_worker(run_id, through(provider)).state is RunState.INTERRUPTED
    return run_id


def test_a_file_larger_than_its_answers_can_be_is_said_and_looked_at_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr("ivan_core.workspace.batch_collect.most_bytes", lambda *_: 2**10)
        assert be_worker(run_id).state is RunState.INTERRUPTED
    (part,) = taxonomy.parts(run_id)
    assert "the file held 0 (it is larger than 0 MB)" in part["problem"]
    assert list(runs.registry().folder(run_id).glob("results/*")) == []
    assert taxonomy.follow(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert (valid(run_id), creations(server)) == (12, 1)


@pytest.mark.parametrize("bad", BAD)
def test_a_download_that_is_bad_twice_alike_is_looked_at_again_until_it_is_whole(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    body, says = BAD[bad]
    run_id = confirmed(tmp_path, monkeypatch)
    seen: list[str] = []
    monkeypatch.setattr(taxonomy_runs, "pass_time", lambda _: seen.append(runs.get(run_id).doing))
    run = be_worker(run_id, through(Downloads(body, times=4)))
    told = [one for one in seen if one.startswith("Part 1: the provider tells of 12 finished")]
    assert told and told[0].endswith(says)
    assert (run.state, run.problem) == (RunState.DONE, "")
    assert valid(run_id) == 12
    assert taxonomy.parts(run_id)[0]["problem"] == ""
    assert creations(server) == 1


@pytest.mark.parametrize("bad", ["HTML with status 200", "cut by lines", "one 404"])
def test_what_never_comes_leaves_the_part_open_and_the_next_visit_looks_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    body, says = BAD[bad]
    run_id = confirmed(tmp_path, monkeypatch)
    provider = Downloads(body)
    run = be_worker(run_id, through(provider))
    assert run.state is RunState.INTERRUPTED
    assert run.problem.startswith("Part 1: the provider tells of 12 finished requests, ")
    assert run.problem.endswith(says)
    assert "looks again, for nothing" in run.hint
    assert taxonomy.parts(run_id)[0]["state"] == "terminal"
    assert LOOKS <= provider.asked <= 3 * LOOKS
    with pytest.raises(BadInput, match="not asked for again meanwhile"):
        taxonomy.estimate_again(run_id)
    assert taxonomy.follow(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12
    assert creations(server) == 1


def test_process_batch_looks_again_and_says_what_is_wrong(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run_id = never_delivered(tmp_path, monkeypatch)
    assert valid(run_id) == 7
    provider = Downloads(BAD["cut by lines"][0], times=2)
    assert collect(run_id, through(provider), no_sleep) == ()
    assert provider.asked == 2
    assert runs.get(run_id).state is RunState.INTERRUPTED
    assert valid(run_id) == 7
    assert print_outcome(run_id, (), sys.stdout) == 1
    told = capsys.readouterr().err
    assert "tells of 12 finished requests, the file held 7; IVAN looks again." in told
    assert "--close-as-is" in told
    assert collect(run_id, through(provider), no_sleep) == ()
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12
    assert creations(server) == 1


def test_a_worse_download_takes_nothing_away(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    collect(run_id, through(Downloads(lambda _: b"<html></html>")), no_sleep)
    assert valid(run_id) == 7
    last_six = Downloads(lambda whole: b"".join(whole.splitlines(True)[6:]))
    collect(run_id, through(last_six), no_sleep)
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12


def test_a_person_may_close_a_part_as_it_is_and_then_ask_for_the_rest(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    (open_part,) = taxonomy.undelivered(run_id)
    shown = taxonomy.job(run_id).estimates()[0]
    assert open_part.lacking == 5
    assert open_part.usd == pytest.approx(shown.batch.typical * 5 / 12)  # type: ignore[union-attr]
    bad = through(Downloads(BAD["cut by lines"][0]))
    monkeypatch.setattr(runs, "spawn", lambda one: be_worker(one, bad) and None)
    assert taxonomy.close_parts(run_id, "Ada") == 1
    assert taxonomy.follow(run_id)
    assert runs.get(run_id).state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["missing"] == 5
    note = "Part 1: Closed as it was by Ada, without 5 answers that were paid for."
    assert note in summary["notes"]
    manifest = json.loads((runs.registry().folder(run_id) / "manifest.json").read_text())
    assert manifest["batches"][0]["note"] == note.removeprefix("Part 1: ")
    assert taxonomy.estimate_again(run_id) == 2  # looks once more, in vain
    again = taxonomy.estimate(run_id)
    assert again and again.requests == 5
    say_yes(run_id)
    assert valid(run_id) == 12
    assert creations(server) == 2
    with pytest.raises(BadInput, match="No part"):
        taxonomy.close_parts(run_id, "Ada")


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


@pytest.mark.parametrize("mode", ["batch", "now"])
def test_a_repair_of_an_old_run_fetches_what_was_paid_for_and_asks_for_nothing(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path, mode: str
) -> None:
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    taxonomy.estimate_again(run_id, mode)  # type: ignore[arg-type]
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12
    assert [one.attempt for one in taxonomy.job(run_id).estimates()] == [1]
    assert creations(server) == 1


def test_process_batch_on_an_old_run_fetches_what_was_paid_for(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    assert collect(run_id, QUICK, no_sleep) == ()
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12


def test_an_old_run_whose_provider_still_lacks_answers_is_open_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    bad = through(Downloads(BAD["cut by lines"][0]))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "spawn", lambda one: be_worker(one, bad) and None)
        taxonomy.estimate_again(run_id)
    assert runs.get(run_id).state is RunState.INTERRUPTED
    assert [one.lacking for one in taxonomy.undelivered(run_id)] == [5]
    assert taxonomy.follow(run_id)
    assert valid(run_id) == 12
    assert creations(server) == 1


def test_without_the_provider_a_repair_makes_no_estimate(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)

    def away(_: bytes) -> bytes:
        raise BackendUnavailable("The provider is away.", "Try later.")

    with monkeypatch.context() as patch:
        patch.setattr(runs, "spawn", lambda one: be_worker(one, through(Downloads(away))) and None)
        taxonomy.estimate_again(run_id)
    assert runs.get(run_id).state is RunState.FAILED
    assert [one.attempt for one in taxonomy.job(run_id).estimates()] == [1]
    runs.resume(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12


def test_only_what_really_is_missing_is_asked_for_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    assert taxonomy.estimate_again(run_id) == 2
    shown = taxonomy.estimate(run_id)
    assert shown and shown.requests == 1
    summary = taxonomy.counts(run_id)
    assert summary and (summary["counts"]["valid"], summary["counts"]["invalid"]) == (11, 1)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["keep", "open_again", "close"])
def test_a_stop_at_any_step_of_looking_again_loses_and_repeats_nothing(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path,
    step: str, after: bool,
) -> None:  # fmt: skip
    run_id = collected_with_too_few_lines(tmp_path, monkeypatch, data_dir)
    bad = through(Downloads(BAD["cut by lines"][0], times=2))
    places: dict[str, tuple[object, str]] = {
        "keep": (batch_collect, "keep_download"),
        "open_again": (Ledger, "open_again"),
        "close": (Ledger, "close"),
    }
    where, name = places[step]
    real = getattr(where, name)

    def killed(*given: object) -> object:
        if after:
            real(*given)
        raise Killed

    if step == "close":
        collect(run_id, bad, no_sleep)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, killed)
        with pytest.raises(Killed):
            if step == "close":
                taxonomy.close_parts(run_id, "Ada")
            else:
                collect(run_id, bad, no_sleep)
    collect(run_id, QUICK, no_sleep)
    assert runs.get(run_id).state is RunState.DONE
    assert valid(run_id) == 12
    assert creations(server) == 1


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
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Body,
    facts: dict[str, Any], open_still: bool,
) -> None:  # fmt: skip
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
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Body, failed: int,
    open_still: bool,
) -> None:  # fmt: skip
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
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], error: type[BackendUnavailable],
) -> None:  # fmt: skip
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
