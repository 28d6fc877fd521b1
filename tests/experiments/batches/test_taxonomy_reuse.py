"""Requests that were answered before are not paid again, unless that is asked for by name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fakes.kills import Killed, work_until_killed
from given.taxonomy_runs import (
    account_of,
    asked_lines,
    be_worker,
    creations,
    labelled,
    say_yes,
    spec_of,
    workers_here,
)

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.labels import TextKey
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.archive import delete
from ivan_core.experiments.batches import (
    confirm,
    handling as taxonomy,
    kept_answers as batch_answers,
    work as taxonomy_work,
)
from ivan_core.experiments.batches.kept_answers import Reuse
from ivan_core.labels.table import read_labels
from ivan_core.ledger.answers import Answer, Answers, body_key, owner_of
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PlanChanged


def from_runs(data_dir: Path, run_id: str) -> dict[str, str | None]:
    table = read_labels(data_dir / "runs" / run_id / "labels.parquet")
    return {f"{row.row_id}.{row.preference}": row.reused_from for row in table.itertuples()}


def test_what_an_earlier_run_answered_is_told_and_not_paid_again(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    first = labelled(tmp_path, row_ids=(1, 4))
    run_id, new = taxonomy.start(spec_of(tmp_path))
    shown = taxonomy.estimate(run_id)
    assert new and shown and shown.batch
    assert (shown.requests, shown.rows) == (8, 4)
    assert shown.reused_sentence == (
        f"4 of these 12 have labels already (run {first}): 8 requests, at the most "
        f"${shown.batch.bound:.4f}."
    )
    assert shown.output_bound == 8 * 600
    say_yes(run_id)
    assert asked_lines(server) == [4, 8]
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert summary["sentence"] == (
        "12 submitted = 12 valid + 0 repaired + 0 refused + 0 failed + 0 invalid + 0 missing. "
        f"Of these, 4 answers are from run {first} and were not asked for again."
    )
    found = from_runs(data_dir, run_id)
    assert {key for key, run in found.items() if run == first} == {
        "1.chosen",
        "1.rejected",
        "4.chosen",
        "4.rejected",
    }
    assert set(found.values()) == {None, first}
    manifest = json.loads((data_dir / "runs" / run_id / "manifest.json").read_text())
    assert manifest["reused"] == {first: 4}
    assert manifest["attempts"][0]["estimate"]["reused"]["count"] == 4
    before = read_labels(data_dir / "runs" / first / "labels.parquet").set_index("row_id")
    after = read_labels(data_dir / "runs" / run_id / "labels.parquet").set_index("row_id")
    same = [name for name in before if name not in ("reused_from", "attempt")]
    assert before.loc[[1, 4], same].equals(after.loc[[1, 4], same])


def test_where_all_is_answered_nothing_is_sent_and_nobody_is_asked(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    first = labelled(tmp_path)
    run_id, new = taxonomy.start(spec_of(tmp_path, row_ids=(2, 3)))
    shown = taxonomy.estimate(run_id)
    assert new and shown
    assert runs.get(run_id).state is RunState.DONE
    assert shown.reused_sentence == (
        f"4 of these 4 have labels already (run {first}): nothing is asked, and nothing is paid."
    )
    assert (taxonomy.spent(run_id).usd, taxonomy.spent(run_id).confirmed_usd) == (0, 0)
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 4
    assert set(from_runs(data_dir, run_id).values()) == {first}
    assert taxonomy.start(spec_of(tmp_path, row_ids=(2, 3))) == (run_id, False)
    assert creations(server) == 1


def test_all_can_be_asked_again_by_choice(server: DemoServer, tmp_path: Path) -> None:
    first = labelled(tmp_path, row_ids=(1, 4))
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    before = taxonomy.estimate(run_id)
    confirm.ask_all(run_id, True)
    every = taxonomy.estimate(run_id)
    assert before and every and every.requests == 12
    assert every.reused_sentence == (
        f"4 of these 12 have labels already (run {first}): they are asked and paid once more."
    )
    with pytest.raises(PlanChanged):
        confirm.confirm(run_id, before.plan_hash, "test")
    confirm.ask_all(run_id, False)
    assert taxonomy.estimate(run_id) == before
    taxonomy.choose_all(run_id, True)
    say_yes(run_id)
    assert asked_lines(server) == [4, 12]
    assert "not asked for again" not in taxonomy.counts(run_id)["sentence"]  # type: ignore[index]


def test_another_account_model_or_length_reuses_nothing(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path, row_ids=(1,))

    def left(**fields: object) -> int:
        run_id, _ = taxonomy.start(spec_of(tmp_path, **fields))
        shown = taxonomy.estimate(run_id)
        assert shown
        return shown.requests

    assert left(row_ids=(1, 2)) == 2
    assert left(row_ids=(1, 2), max_completion_tokens=500) == 4
    assert left(row_ids=(1, 2), model="gpt-5.6-luna") == 4
    assert left(row_ids=(1, 2), keys=("topics",)) == 4
    account_of(monkeypatch, server, "sk-of-somebody-else")
    assert left(row_ids=(1, 3)) == 4


def test_answers_of_the_demo_server_never_count_as_real_ones(
    server: DemoServer, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = labelled(tmp_path, row_ids=(1,))
    monkeypatch.setattr(batch_answers, "is_demo", lambda _: False)
    real, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    shown = taxonomy.estimate(real)
    assert shown and shown.requests == 4
    monkeypatch.undo()
    account_of(monkeypatch, server)
    monkeypatch.setenv("IVAN_DATA_DIR", str(data_dir))
    with workers_here(monkeypatch):
        free, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1,)), again=True, ask_all=False)
    assert set(from_runs(data_dir, free).values()) == {first}
    assert taxonomy.job(free).labeler == "gpt-6-luna (demo server)"


def test_answers_of_the_demo_server_are_not_kept_as_those_of_a_server_that_took_its_place(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path, row_ids=(1,))
    waiting, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    shown = taxonomy.estimate(waiting)
    assert shown and shown.reused and shown.reused.count == 2
    for module in (batch_answers, confirm, taxonomy_work):  # the same address and key
        monkeypatch.setattr(module, "is_demo", lambda _: False)
    with pytest.raises(PlanChanged, match="another account or server"):
        say_yes(waiting)
    assert creations(server) == 1
    confirm.decline(waiting)

    monkeypatch.setattr(batch_answers, "is_demo", lambda _: True)  # replaced after the estimate
    free, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1,)), again=True, ask_all=False)
    run = runs.get(free)
    assert run.state is RunState.FAILED and "another account or server" in run.problem
    assert taxonomy.job(free).confirmed() == set()
    assert taxonomy.counts(free) is None


@pytest.mark.parametrize("rows", [(1,), (1, 2)], ids=["free", "confirmed"])
def test_a_run_is_marked_as_one_of_the_demo_server_before_its_yes_counts(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: tuple[int, ...]
) -> None:
    labelled(tmp_path, row_ids=(1,))

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(runs, "spawn", lambda _: None)
        run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=rows), again=True, ask_all=False)
    if len(rows) > 1:
        be_worker(run_id)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "confirm", killed)
        if len(rows) > 1:
            with pytest.raises(Killed):
                say_yes(run_id)
        else:
            work_until_killed(run_id)
    assert taxonomy.job(run_id).labeler == "gpt-6-luna (demo server)"


def test_only_usable_answers_are_reused(server: DemoServer, tmp_path: Path) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    server.faults.set(names.ERROR_NULL, times=1, ids=["1.rejected"])
    server.faults.set(names.CODE_FENCE, times=1, ids=["2.chosen"])
    labelled(tmp_path, row_ids=(1, 2))
    run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2, 3)))
    shown = taxonomy.estimate(run_id)
    assert shown and shown.requests == 4
    assert shown.reused and shown.reused.count == 2
    say_yes(run_id)
    summary = taxonomy.counts(run_id)
    assert summary and (summary["counts"]["valid"], summary["counts"]["repaired"]) == (5, 1)


@pytest.mark.parametrize("mode", ["batch", "now"])
def test_a_repair_takes_what_another_run_was_answered(
    server: DemoServer, tmp_path: Path, data_dir: Path, mode: Any
) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen", "2.chosen"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    other = labelled(tmp_path, row_ids=(1,))  # its rejected side is reused, the chosen one asked
    assert taxonomy.estimate_again(run_id, mode) == 2
    shown = taxonomy.estimate(run_id)
    assert shown and shown.requests == 1 and shown.reused and shown.reused.runs == (other,)
    say_yes(run_id)
    assert from_runs(data_dir, run_id)["1.chosen"] == other
    assert from_runs(data_dir, run_id)["2.chosen"] is None
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    # What was labelled at once is found as well.
    third, _ = taxonomy.start(spec_of(tmp_path, row_ids=(2,)))
    assert runs.get(third).state is RunState.DONE


def test_a_repair_without_anything_to_pay_ends_by_itself(
    server: DemoServer, tmp_path: Path
) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    labelled(tmp_path, row_ids=(1,))
    taxonomy.estimate_again(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert taxonomy.counts(run_id)["counts"]["valid"] == 12  # type: ignore[index]
    assert creations(server) == 2


def test_answers_outlive_a_deleted_run_and_a_lost_index(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    first = labelled(tmp_path, row_ids=(1,))
    for path in data_dir.glob("answers.sqlite*"):
        path.unlink()
    second = labelled(tmp_path, row_ids=(1, 2))  # the index is made anew from the first
    assert asked_lines(server) == [2, 2]
    for path in data_dir.glob("answers.sqlite*"):
        path.unlink()
    assert "Answers that were paid for stay" in delete(first).sentence
    delete(second)
    third, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    assert runs.get(third).state is RunState.DONE
    assert asked_lines(server) == [2, 2]


def test_what_was_answered_since_the_estimate_is_not_paid_again(
    server: DemoServer, tmp_path: Path
) -> None:
    waiting, _ = taxonomy.start(spec_of(tmp_path))
    labelled(tmp_path, row_ids=(1, 4))
    with pytest.raises(PlanChanged, match=r"4 of these requests have labels by now"):
        say_yes(waiting)
    shown = taxonomy.estimate(waiting)
    assert shown and shown.requests == 8
    assert say_yes(waiting).new
    assert asked_lines(server) == [4, 8]


def test_a_key_that_came_after_the_estimate_finds_what_it_paid_for(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path, row_ids=(1,))
    with monkeypatch.context() as patch:
        patch.delenv("OPENAI_BASE_URL")
        patch.delenv("OPENAI_API_KEY")
        waiting, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
        shown = taxonomy.estimate(waiting)
        assert shown and shown.requests == 4 and shown.reused is None
    with pytest.raises(PlanChanged, match="2 of these requests"):
        say_yes(waiting)
    say_yes(waiting)
    assert asked_lines(server) == [2, 2]


def test_reused_answers_that_changed_or_are_somebody_elses_are_refused(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(tmp_path, row_ids=(1,))
    run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    with monkeypatch.context() as patch:
        account_of(patch, server, "sk-of-somebody-else")
        with pytest.raises(PlanChanged, match="belong to another account"):
            say_yes(run_id)
    path = taxonomy.job(run_id).reused_path(1)
    path.write_bytes(path.read_bytes().replace(b"true", b"false"))
    with pytest.raises(PlanChanged, match="are not those that were counted"):
        say_yes(run_id)
    assert creations(server) == 1


def test_three_runs_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    asked = [(TextKey(n, "chosen"), {}, f"body {n}".encode()) for n in range(6)]
    owner = owner_of("me", demo=False)
    answers.keep(
        (body_key(owner, hashlib.sha256(raw).digest()), Answer(f"run-{n % 5}", "x", "m", "{}", ""))
        for n, (_, _, raw) in enumerate(asked)
    )
    reuse = Reuse(answers, "me", False, tmp_path / "reused.jsonl")
    with reuse.written():
        assert list(reuse.left(asked)) == []
    assert reuse.told.sentence(2, "at the most $1.00") == (
        "6 of these 8 have labels already (runs run-0, run-1, run-2 and 2 more): 2 requests, at "
        "the most $1.00."
    )
