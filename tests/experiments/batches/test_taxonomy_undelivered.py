"""Answers that are paid for and do not come: looked for again, and never asked for again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.bad_downloads import (
    BAD,
    Downloads,
    collected_with_too_few_lines,
    never_delivered,
    through,
    valid,
)
from fakes.kills import Killed, confirmed
from given import taxonomy_runs
from given.taxonomy_runs import QUICK, be_worker, creations, no_sleep, say_yes

from ivan_core.cli.taxonomy_ask import print_outcome
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import collect as batch_collect, handling as taxonomy
from ivan_core.experiments.batches.adopt import collect
from ivan_core.experiments.batches.follow import LOOKS, Follower
from ivan_core.ledger.ledger import Ledger


def test_a_file_larger_than_its_answers_can_be_is_said_and_looked_at_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr("ivan_core.experiments.batches.collect.most_bytes", lambda *_: 2**10)
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
    server: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_id = never_delivered(tmp_path, monkeypatch)
    assert valid(run_id) == 7
    provider = Downloads(BAD["cut by lines"][0], times=2)
    assert collect(run_id, through(provider), no_sleep) == ()
    assert provider.asked == 2
    assert runs.get(run_id).state is RunState.INTERRUPTED
    assert valid(run_id) == 7
    assert print_outcome(run_id, ()) == 1
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
    server: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    data_dir: Path,
    step: str,
    after: bool,
) -> None:
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


def test_a_next_look_is_told_of_only_while_the_worker_rests(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    resting: list[float | None] = []
    looking: list[float | None] = []
    looked: list[float | None] = []
    look = Follower.once

    def once(follower: Follower, send: bool = True) -> None:
        looking.append(taxonomy.watch(run_id).next_look)
        look(follower, send)

    monkeypatch.setattr(Follower, "once", once)

    def pass_time(_: float) -> None:
        watch = taxonomy.watch(run_id)
        resting.append(watch.next_look)
        looked.append(watch.looked)

    monkeypatch.setattr(taxonomy_runs, "pass_time", pass_time)
    body, _ = next(iter(BAD.values()))
    assert be_worker(run_id, through(Downloads(body, times=4))).state is RunState.DONE
    assert any(resting)
    assert looked[0] is None, "the first look is not over"
    assert len(looking) > 1 and not any(looking)
    watch = taxonomy.watch(run_id)
    assert watch.looked and watch.next_look is None
