"""The ledger: one yes a plan, no step back, other accounts refused, and what may go next."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.labels import BatchProblem, BatchState
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import (
    COMES_FROM,
    Confirmation,
    Part,
    PartKey,
    PartState,
    PlanChanged,
    Spent,
    Stage,
    plan_hash,
)

RUN, OTHER = "2026-11-24-10-00", "2026-11-24-10-01"
ACCOUNT = "account one"
DAY = 86_400.0


@pytest.fixture
def clock() -> list[float]:
    """The time, for a test to change."""
    return [1_000_000.0]


@pytest.fixture
def ledger(tmp_path: Path, clock: list[float]) -> Ledger:
    return Ledger(tmp_path / "data", lambda: clock[0])


def parts(run: str = RUN, attempt: int = 1, count: int = 1, tokens: int = 100) -> list[Part]:
    return [
        Part(PartKey(run, n, attempt), f"hash of {n}", 10, f"taxonomy-input/{n}.jsonl", tokens)
        for n in range(1, count + 1)
    ]


def asked(run: str = RUN, attempt: int = 1, plan: str = "plan", **more: object) -> Confirmation:
    return replace(Confirmation(run, attempt, plan, 0.57, 1_000_000.0, "Ada"), **more)


def take(ledger: Ledger, key: PartKey, upto: Stage) -> PartState:
    """Lead a part along the way of all parts."""
    way = (Stage.UPLOADING, Stage.UPLOADED, Stage.CREATING, Stage.CREATED, Stage.TERMINAL)
    for stage in way[: way.index(upto) + 1]:
        ids = {"batch_id": f"batch-{key.part}-{key.attempt}"} if stage is Stage.CREATED else {}
        assert ledger.move(key, stage, **ids)
    return ledger.part(key)


def test_a_confirmation_brings_its_parts_with_it(ledger):
    assert ledger.confirm(asked(), parts(count=2), ACCOUNT).new
    assert ledger.attempts(RUN) == [asked()]
    assert [(s.part, s.stage) for s in ledger.parts_of(RUN)] == [
        (part, Stage.PLANNED) for part in parts(count=2)
    ]


def test_a_second_click_finds_the_first(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    take(ledger, PartKey(RUN, 1, 1), Stage.CREATED)
    again = ledger.confirm(asked(at=5.0, by="Bob"), parts(), ACCOUNT)
    assert (again.new, again.confirmation) == (False, asked())
    assert ledger.part(PartKey(RUN, 1, 1)).stage is Stage.CREATED


def test_of_eight_clicks_at_once_one_is_new(ledger):
    start = threading.Barrier(8)

    def click(number: int) -> tuple[bool, str]:
        start.wait(300)
        receipt = ledger.confirm(asked(run=f"run-{number}"), parts(f"run-{number}"), ACCOUNT)
        return receipt.new, receipt.confirmation.run

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(click, range(8)))
    (winner,) = [run for new, run in receipts if new]
    assert {run for _, run in receipts} == {winner}


def test_another_plan_for_the_same_attempt_is_refused(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    with pytest.raises(PlanChanged, match="Another plan was confirmed as attempt 1") as refused:
        ledger.confirm(asked(plan="dearer"), parts(), ACCOUNT)
    assert "estimate again" in refused.value.hint


def test_the_same_plan_in_another_run_finds_the_run_that_has_it(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    assert ledger.confirmed_run("plan", ACCOUNT) == RUN
    again = ledger.confirm(asked(OTHER), parts(OTHER), ACCOUNT)
    assert (again.new, again.confirmation.run) == (False, RUN)
    assert ledger.parts_of(OTHER) == []
    assert ledger.confirm(asked(OTHER), parts(OTHER), "account two").new, "the demo is no one else"
    assert ledger.confirmed_run("plan", "account three") is None


def test_a_plan_that_was_given_up_unsent_can_be_confirmed_in_another_run(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    assert ledger.abandon_unsent(RUN) == 1
    assert ledger.confirmed_run("plan", ACCOUNT) is None
    assert ledger.confirm(asked(OTHER), parts(OTHER), ACCOUNT).new


@pytest.mark.parametrize(
    ("stage", "says"), [(Stage.CREATING, "Nobody knows"), (Stage.CREATED, "is at the provider")]
)
@pytest.mark.parametrize("run", [RUN, OTHER])
def test_requests_at_the_provider_are_sent_again_only_by_who_says_so(ledger, stage, says, run):
    ledger.confirm(asked(), parts(), ACCOUNT)
    take(ledger, PartKey(RUN, 1, 1), stage)
    again, files = asked(run, 2, "other"), parts(run, 2)
    with pytest.raises(BadInput, match=says) as refused:
        ledger.confirm(again, files, ACCOUNT)
    assert "charged twice" in refused.value.hint
    assert ledger.confirm(replace(again, may_charge_twice=True), files, ACCOUNT).new


def test_a_new_attempt_after_the_end_is_a_plan_of_its_own(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    take(ledger, PartKey(RUN, 1, 1), Stage.TERMINAL)
    assert ledger.next_attempt(RUN) == 2
    assert ledger.confirm(asked(attempt=2, plan="plan 2"), parts(attempt=2), ACCOUNT).new
    assert [given.attempt for given in ledger.attempts(RUN)] == [1, 2]
    assert ledger.next_attempt(OTHER) == 1


def test_a_new_attempt_takes_the_place_of_what_was_never_sent(ledger):
    ledger.confirm(asked(), parts(count=2), ACCOUNT)
    ledger.confirm(asked(attempt=2, plan="plan 2"), parts(attempt=2), ACCOUNT)
    assert [(s.key.part, s.key.attempt, s.stage) for s in ledger.parts_of(RUN)] == [
        (1, 1, Stage.ABANDONED),
        (2, 1, Stage.PLANNED),
        (1, 2, Stage.PLANNED),
    ]
    assert not ledger.move(PartKey(RUN, 1, 1), Stage.UPLOADING)


def test_another_account_is_refused(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    ledger.check(PartKey(RUN, 1, 1), ACCOUNT, "plan")
    with pytest.raises(BadInput, match="another account"):
        ledger.check(PartKey(RUN, 1, 1), "account two")
    with pytest.raises(BadInput, match="another account"):
        ledger.confirm(asked(), parts(), "account two")
    with pytest.raises(BadInput, match="Nobody has confirmed attempt 2"):
        ledger.check(PartKey(RUN, 1, 2), ACCOUNT)


@pytest.mark.parametrize("stage", Stage)
def test_a_part_goes_only_where_the_way_leads(ledger, stage):
    key = PartKey(RUN, 1, 1)
    ledger.confirm(asked(), parts(), ACCOUNT)
    db = sqlite3.connect(ledger.data_dir / "ledger.sqlite", isolation_level=None)
    try:
        for present in Stage:
            db.execute("UPDATE parts SET stage=?", (present,))
            assert ledger.move(key, stage) is (present in COMES_FROM[stage])
    finally:
        db.close()


def test_creating_is_left_only_by_an_answer_or_doubt_or_taken_back_by_who_was_refused(ledger):
    def ways_out(stage: Stage) -> set[Stage]:
        return {then for then, before in COMES_FROM.items() if stage in before}

    assert ways_out(Stage.CREATING) == {Stage.CREATED, Stage.IN_DOUBT}
    assert ways_out(Stage.IN_DOUBT) == {Stage.CREATED}
    key = PartKey(RUN, 1, 1)
    ledger.confirm(asked(), parts(), ACCOUNT)
    assert not ledger.take_back(key, "No.")
    take(ledger, key, Stage.CREATING)
    assert ledger.take_back(key, "No.")
    assert (ledger.part(key).stage, ledger.part(key).problem) == (Stage.UPLOADED, "No.")


def test_the_end_of_a_batch_is_kept_with_its_tokens_and_cost(ledger):
    ledger.confirm(asked(), parts(count=3), ACCOUNT)
    ended = BatchState("batch-1-1", "completed", input_tokens=7000, output_tokens=900)
    for number in (1, 2):
        take(ledger, PartKey(RUN, number, 1), Stage.CREATED)
    assert ledger.spent(RUN) == Spent(0, 0.57, 2)
    key = PartKey(RUN, 1, 1)
    assert ledger.record_terminal(key, ended, usd=0.25)
    assert ledger.record_downloaded(key) and ledger.record_validated(key)
    state = ledger.part(key)
    assert (state.stage, state.status, state.input_tokens, state.output_tokens, state.usd) == (
        Stage.VALIDATED,
        "completed",
        7000,
        900,
        0.25,
    )
    assert ledger.spent(RUN) == Spent(0.25, 0.57, 1)
    assert ledger.record_downloaded(key), "it can be collected again"
    assert not ledger.record_terminal(PartKey(RUN, 3, 1), ended), "it was never sent"


def test_a_batch_that_failed_says_why(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    take(ledger, PartKey(RUN, 1, 1), Stage.CREATED)
    problems = (BatchProblem("token_limit_exceeded", "Too many."), BatchProblem("x", "y" * 900))
    ledger.record_terminal(PartKey(RUN, 1, 1), BatchState("b", "failed", problems=problems))
    assert ledger.part(PartKey(RUN, 1, 1)).problem == f"Too many.; {'y' * 489}"


def test_a_cost_that_was_not_known_is_no_zero(ledger):
    ledger.confirm(asked(usd=None), parts(), ACCOUNT)
    assert ledger.spent(RUN) == ledger.spent(OTHER) == Spent(0, None, 0)


def test_a_run_with_a_live_batch_is_told(ledger, clock):
    ledger.confirm(asked(), parts(), ACCOUNT)
    key = PartKey(RUN, 1, 1)
    assert not ledger.has_live_batch(RUN)
    take(ledger, key, Stage.CREATING)
    assert ledger.has_live_batch(RUN)
    ledger.move(key, Stage.IN_DOUBT)
    assert ledger.has_live_batch(RUN)
    clock[0] += 2 * DAY
    assert not ledger.has_live_batch(RUN), "a batch lives for a day"
    ledger.move(key, Stage.CREATED, batch_id="batch-1")
    assert ledger.has_live_batch(RUN)
    ledger.move(key, Stage.TERMINAL)
    assert not ledger.has_live_batch(RUN)


def test_parts_wait_for_room_in_the_queue(ledger):
    ledger.confirm(asked(), parts(count=3, tokens=100), ACCOUNT)
    first = PartKey(RUN, 1, 1)

    def next_parts(limit: int | None) -> list[int]:
        return [state.key.part for state in ledger.next_parts_to_send(RUN, limit)]

    assert (next_parts(None), next_parts(300), next_parts(299)) == ([1, 2, 3], [1, 2, 3], [1, 2])
    assert next_parts(50) == [1], "an empty queue takes a part of any size"
    take(ledger, first, Stage.CREATED)
    assert (next_parts(199), next_parts(200)) == ([], [2])
    ledger.move(first, Stage.TERMINAL)
    assert next_parts(199) == [2]


def test_batches_of_other_runs_of_the_account_fill_the_queue_too(ledger):
    other = [replace(part, sha256="other bytes") for part in parts(OTHER, tokens=100)]
    ledger.confirm(asked(OTHER, plan="other plan"), other, ACCOUNT)
    take(ledger, PartKey(OTHER, 1, 1), Stage.CREATED)
    ledger.confirm(asked(), parts(), ACCOUNT)
    assert ledger.next_parts_to_send(RUN, 199) == []
    assert len(ledger.next_parts_to_send(RUN, 200)) == 1


def test_a_batch_from_elsewhere_is_taken_in_by_its_id(ledger):
    state = ledger.adopt(PartKey(RUN, 1, 1), "batch-abc", ACCOUNT, "Ada")
    assert (state.stage, state.batch_id) == (Stage.CREATED, "batch-abc")
    assert ledger.has_live_batch(RUN)
    assert ledger.adopt(PartKey(RUN, 2, 1), "batch-abc", ACCOUNT, "Ada") == state
    other = ledger.adopt(PartKey(RUN, 2, 1), "batch-def", ACCOUNT, "Ada")
    assert (ledger.parts_of(RUN), ledger.parts_with_batch("batch-def")) == ([state, other], [other])
    with pytest.raises(BadInput, match="takes no other batch"):
        ledger.adopt(PartKey(RUN, 1, 1), "batch-xyz", ACCOUNT, "Ada")
    with pytest.raises(BadInput, match="another account"):
        ledger.adopt(PartKey(RUN, 3, 1), "batch-xyz", "account two", "Ada")
    assert len(ledger.parts_of(RUN)) == 2


def test_a_doubt_ends_with_an_id_that_somebody_read_at_the_provider(ledger):
    ledger.confirm(asked(), parts(), ACCOUNT)
    take(ledger, PartKey(RUN, 1, 1), Stage.CREATING)
    ledger.move(PartKey(RUN, 1, 1), Stage.IN_DOUBT)
    state = ledger.adopt(PartKey(RUN, 1, 1), "batch-abc", ACCOUNT, "Ada")
    assert (state.stage, state.batch_id, state.part) == (Stage.CREATED, "batch-abc", parts()[0])


def test_a_plan_is_its_files_its_estimate_and_its_prices():
    plan = plan_hash(["a", "b"], {"usd": 0.57, "attempt": 1}, "prices of 2026-11-01")
    assert plan == plan_hash(["a", "b"], {"attempt": 1, "usd": 0.57}, "prices of 2026-11-01")
    assert (
        len(
            {
                plan,
                plan_hash(["b", "a"], {"usd": 0.57, "attempt": 1}, "prices of 2026-11-01"),
                plan_hash(["a", "b"], {"usd": 0.58, "attempt": 1}, "prices of 2026-11-01"),
                plan_hash(["a", "b"], {"usd": 0.57, "attempt": 2}, "prices of 2026-11-01"),
                plan_hash(["a", "b"], {"usd": 0.57, "attempt": 1}, "prices of 2026-11-02"),
            }
        )
        == 5
    )


def test_a_commit_waits_for_the_disk_and_a_damaged_file_says_so(ledger):
    with ledger._file.writing() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    (ledger.data_dir / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageProblem, match="damaged"):
        ledger.parts_of(RUN)
