"""Following batches: stopped at any step, cancelled, in doubt, short of queue; paid once."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes.kills import Killed, confirmed, fragile, work_until_killed
from given import taxonomy_runs
from given.taxonomy_runs import (
    QUICK,
    account_of,
    be_worker,
    creations,
    say_yes,
    spec_of,
    workers_here,
)

from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.client import account_for
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy, requests as experiment
from ivan_core.experiments.batches.work import Providers
from ivan_core.labels.request_files import Limits


def test_what_is_in_doubt_is_sent_again_only_after_a_second_yes(
    server: DemoServer, tmp_path: Path
) -> None:
    server.faults.set(names.RESET, method="POST", path="/v1/batches", times=1)
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    shown = taxonomy.estimate(run_id)
    assert shown and (shown.attempt, shown.reason, shown.may_charge_twice) == (2, "doubt", True)
    with pytest.raises(BadInput, match="at the provider already"):
        say_yes(run_id)
    assert len(server.state.batches) == 0
    say_yes(run_id, may_charge_twice=True)
    assert runs.get(run_id).state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert len(server.state.batches) == 1


def test_what_is_in_doubt_and_declined_leaves_a_cancelled_run(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taxonomy_runs, "patience", taxonomy_runs.HASTY)
    server.faults.set(names.TIMEOUT, method="POST", path="/v1/batches", times=1)
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    confirm.decline(run_id)
    assert runs.get(run_id).state is RunState.CANCELLED
    assert creations(server) == 1


class Doubled(OpenAIBatches):
    """Behind a gateway that sends what it is asked to create twice."""

    made: str = ""

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        first = super().create(file_id, metadata)
        Doubled.made = super().create(file_id, metadata)
        return first


def test_a_batch_that_was_made_twice_is_named_and_how_to_cancel_it(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    doubled = Providers(lambda _: Doubled(account_for()), QUICK.send)
    run = be_worker(run_id, doubled)
    assert run.state is RunState.DONE
    (part,) = taxonomy.parts(run_id)
    told = f"The provider has another batch of this part, which may be charged too: {Doubled.made}."
    assert part["note"].startswith(told) and f"/batches/{Doubled.made}/cancel" in part["note"]
    assert part["batch"] != Doubled.made
    assert any(note.startswith(f"Part 1: {told}") for note in run.notes)


def test_a_yes_whose_worker_was_never_started_is_carried_out_later(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("ivan_core.runs.registry.Registry.go_on", _killed)
        say_yes(run_id)
    assert runs.get(run_id).state is RunState.AWAITING_CONFIRMATION
    assert taxonomy.follow(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert creations(server) == 1


def _killed(*_: object) -> None:
    raise Killed


def test_a_batch_of_a_lost_answer_is_found_and_cancelled(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    work_until_killed(run_id, fragile("create", True))
    taxonomy.cancel_batches(run_id)
    assert [batch.status for batch in server.state.batches.values()] == ["cancelled"]
    assert runs.get(run_id).state is RunState.DONE


def test_what_is_in_doubt_can_be_cancelled(server: DemoServer, tmp_path: Path) -> None:
    server.faults.set(names.RESET, method="POST", path="/v1/batches", times=1)
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    taxonomy.cancel_batches(run_id)
    assert runs.get(run_id).state is RunState.CANCELLED
    assert creations(server) == 1


def test_files_wait_for_room_in_the_queue(server: DemoServer, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(spec_of(tmp_path, queue_tokens=5_500))
    shown = taxonomy.estimate(run_id)
    assert shown and len(shown.files) > 1
    assert all(file.tokens <= 5_500 for file in shown.files)
    say_yes(run_id)
    assert runs.get(run_id).state is RunState.DONE
    calls = [(one.method, one.path.partition("batch_")[0]) for one in server.requests]
    created = [place for place, call in enumerate(calls) if call == ("POST", "/v1/batches")]
    assert len(created) == len(shown.files)
    for one, next_one in itertools.pairwise(created):
        assert ("GET", "/v1/batches/") in calls[one:next_one]  # the one before has ended
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12


def test_an_expired_batch_with_damaged_lines_keeps_what_can_be_read(
    server: DemoServer, tmp_path: Path
) -> None:
    server.faults.set(names.EXPIRED, times=1, amount=0.5)
    server.faults.set(names.GARBLED_LINE, times=1, ids=["0.chosen"])
    server.faults.set(names.DUPLICATED_LINES, times=1, ids=["1.chosen"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    assert taxonomy.counts(run_id)["sentence"] == (  # type: ignore[index]
        "12 submitted = 5 valid + 0 repaired + 0 refused + 6 failed + 0 invalid + 1 missing. "
        "Beside it: 1 duplicate line; 1 damaged line."
    )
    assert creations(server) == 1


def test_cancelled_batches_keep_what_they_finished(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        run_id = confirmed(tmp_path, monkeypatch)
        work_until_killed(run_id, fragile("poll", False))
        taxonomy.cancel_batches(run_id)
        run, summary = runs.get(run_id), taxonomy.counts(run_id)
        assert run.state is RunState.DONE
        assert summary and summary["counts"]["valid"] == 6
        assert summary["notes"] == ["Part 1 was cancelled: 6 of 12 requests were finished."]
        assert taxonomy.parts(run_id)[0]["status"] == "cancelled"
        with pytest.raises(BadInput, match="nothing to cancel"):
            taxonomy.cancel_batches(run_id)


def test_a_cancel_while_a_file_is_uploaded_makes_no_batch_of_it_nor_of_the_next(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "Limits", lambda tokens: Limits(requests=4, tokens=tokens))
    run_id = confirmed(tmp_path, monkeypatch)
    assert len(taxonomy.parts(run_id)) == 3
    uploads = itertools.count(1)

    class Impatient(OpenAIBatches):
        def upload(self, path: Path) -> str:
            if next(uploads) == 2:
                taxonomy.cancel_batches(run_id)
            return super().upload(path)

    run = be_worker(run_id, Providers(lambda _: Impatient(account_for()), QUICK.send))
    assert creations(server) == 1
    states = [part["state"] for part in taxonomy.parts(run_id)]
    assert states == ["validated", "abandoned", "abandoned"]
    assert run.state is RunState.DONE


def test_a_run_cancelled_before_it_was_sent_sends_nothing_and_may_be_started_anew(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    taxonomy.job(run_id).ask_to_cancel()
    run = be_worker(run_id)
    assert run.state is RunState.CANCELLED
    assert run.problem == "The batches were cancelled before any text was labelled."
    assert creations(server) == 0
    again, new = taxonomy.start(spec_of(tmp_path))
    assert new and say_yes(again).new
    assert creations(server) == 1


def test_an_account_without_credit_sends_the_rest_when_it_has_some(
    server: DemoServer, tmp_path: Path
) -> None:
    server.faults.set(names.INSUFFICIENT_QUOTA, method="POST", path="/v1/batches", times=1, skip=1)
    run_id, _ = taxonomy.start(spec_of(tmp_path, queue_tokens=5_500))
    say_yes(run_id)
    run, summary = runs.get(run_id), taxonomy.counts(run_id)
    assert run.state is RunState.FAILED
    assert "no credit left" in run.problem
    files = taxonomy.job(run_id).estimates()[0].files
    assert summary and summary["counts"]["valid"] == files[0].requests
    with pytest.raises(BadInput, match="were not sent"):  # they would be paid for twice
        taxonomy.estimate_again(run_id)
    runs.resume(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert taxonomy.counts(run_id)["counts"]["valid"] == 12  # type: ignore[index]
    assert creations(server) == len(files) + 1


def test_the_spec_names_no_key(server: DemoServer, tmp_path: Path, data_dir: Path) -> None:
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    TaxonomySpec.model_validate_json(runs.get(run_id).spec)
    for path in data_dir.rglob("*"):
        assert not path.is_file() or b"sk-demo" not in path.read_bytes(), path
