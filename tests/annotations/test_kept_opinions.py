"""Opinions on either database: no write is lost, every version is kept, and queues have rules."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from ivan_core.annotations.database import DATABASE_URL
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, LONGEST_NOTE, Item, Opinion, OpinionConflict, Queue

HOSTILE = "<img src=x onerror=alert(1)> ![x](http://x.example/y) =1+1 'quoted'; DROP TABLE items;--"
HELPFUL, TOPICS = "last_response_is_helpful", "topics"


@pytest.fixture
def queue(review_database: Path) -> Queue:
    """Rows 0 to 9, of which it asks which reply is better."""
    asked = Queue(0, "", "d" * 16, "Pairs", "better", "random")
    return Queues(review_database).make(asked, [(row, "both") for row in range(10)])


@pytest.fixture
def describing(review_database: Path) -> Queue:
    """The chosen texts of rows 0 to 9, of which it asks two questions."""
    asked = Queue(0, "", "d" * 16, "Texts", "describe", "random", keys=(HELPFUL, TOPICS))
    return Queues(review_database).make(asked, [(row, "chosen") for row in range(10)])


@pytest.fixture
def opinions(review_database: Path) -> Opinions:
    return Opinions(review_database)


def said(queue: Queue, row_id: int, reviewer: str, answer: str | None, **more: Any) -> Opinion:
    return Opinion(queue.id, row_id, "both", reviewer, {BETTER: answer}, **more)


def test_an_opinion_is_kept_whole_by_item_and_person(opinions, describing):
    first = Opinion(
        describing.id,
        3,
        "chosen",
        " Ada  Lovelace ",
        {HELPFUL: True, TOPICS: ("food", "travel")},
        note=f" {HOSTILE} ",
        left="rejected",
        seconds=12.5,
    )
    kept = opinions.save(first)
    assert (kept.reviewer, kept.note, kept.version) == ("Ada Lovelace", HOSTILE, 1)
    item = Item(describing.id, 3, 3, "chosen")
    assert opinions.of(item, "Ada Lovelace") == kept
    assert kept.answers == {HELPFUL: True, TOPICS: ("food", "travel")}
    assert (kept.left, kept.seconds, kept.blind, kept.verified) == ("rejected", 12.5, True, False)
    nothing = opinions.of(item, "Bob")
    assert (nothing.version, nothing.answers) == (0, {})


def test_cannot_tell_is_an_answer_and_skipping_is_none(opinions, queue):
    opinions.save(said(queue, 0, "Ada", None))
    opinions.save(Opinion(queue.id, 1, "both", "Ada", skipped=True))
    unsure, skipped = opinions.all(queue.id, "Ada")
    assert (unsure.answers, unsure.skipped) == ({BETTER: None}, False)
    assert (skipped.answers, skipped.skipped) == ({}, True)
    with pytest.raises(BadInput, match="Nothing is answered yet"):
        opinions.save(Opinion(queue.id, 2, "both", "Ada", note="only a note"))
    assert len(opinions.all(queue.id)) == 2


def test_a_save_on_an_old_version_changes_nothing_and_shows_what_stands_there(opinions, queue):
    read = opinions.of(Item(queue.id, 0, 4), "Ada")
    opinions.save(replace(read, answers={BETTER: "chosen"}))
    with pytest.raises(OpinionConflict) as conflict:
        opinions.save(replace(read, answers={BETTER: "rejected"}))
    assert conflict.value.current.answers == {BETTER: "chosen"}
    assert conflict.value.hint
    knowing = replace(conflict.value.current, answers={BETTER: "rejected"})
    assert opinions.save(knowing).version == 2
    with pytest.raises(OpinionConflict):
        opinions.save(replace(read, answers={BETTER: "none"}, version=7))
    assert len(opinions.history(Item(queue.id, 0, 4))) == 2


def test_the_same_answer_sent_twice_is_saved_once(opinions, queue):
    asked = said(queue, 0, "Ada", "chosen")
    assert opinions.save(asked) == opinions.save(asked)
    assert len(opinions.history(Item(queue.id, 0, 0))) == 1


def test_the_history_tells_the_old_value_the_person_the_time_and_the_reason(opinions, queue):
    first = opinions.save(said(queue, 0, "Ada", "chosen", note="clear"))
    second = opinions.save(replace(first, answers={BETTER: None}, note=""), reason=" misread it ")
    opinions.save(replace(second, answers={}, skipped=True), by="Owner", reason="from her sheet")
    opinions.save(said(queue, 0, "Bob", "rejected"))
    mine = opinions.history(Item(queue.id, 0, 0), "Ada")
    assert [(change.version, change.by, change.reason) for change in mine] == [
        (1, "Ada", ""),
        (2, "Ada", "misread it"),
        (3, "Owner", "from her sheet"),
    ]
    told = [json.loads(change.after) for change in mine]
    assert told == [
        {"answers": {BETTER: "chosen"}, "note": "clear"},
        {"answers": {BETTER: None}},
        {"answers": {}, "skipped": True},
    ]
    assert [change.before for change in mine] == ["", mine[0].after, mine[1].after]
    assert first.saved <= mine[0].made <= mine[1].made <= mine[2].made
    assert len(opinions.history(Item(queue.id, 0, 0))) == 4


def test_a_closed_queue_takes_nothing_until_it_is_opened(opinions, queue, review_database):
    kept = opinions.save(said(queue, 0, "Ada", "chosen"))
    Queues(review_database).close(queue.id)
    for one in (said(queue, 1, "Ada", "chosen"), replace(kept, answers={BETTER: "rejected"})):
        with pytest.raises(BadInput, match="closed"):
            opinions.save(one)
    assert opinions.all(queue.id) == [kept]
    Queues(review_database).close(queue.id, closed=False)
    assert opinions.save(said(queue, 1, "Ada", "chosen")).version == 1


def test_an_assigned_queue_takes_the_answers_of_that_person_only(opinions, review_database):
    asked = Queue(0, "", "d" * 16, "Hers", "better", "random", assigned=" Ada ")
    hers = Queues(review_database).make(asked, [(0, "both")])
    with pytest.raises(BadInput, match="for another person"):
        opinions.save(said(hers, 0, "Bob", "chosen"))
    assert opinions.save(said(hers, 0, "ada", "chosen")).version == 1


def test_a_typed_name_cannot_write_as_a_verified_person(opinions, queue, describing):
    login = "ada@example.org"
    kept = opinions.save(said(queue, 0, login, "chosen", verified=True))
    elsewhere = Opinion(describing.id, 0, "chosen", login, {HELPFUL: False})
    for typed in (
        replace(kept, answers={BETTER: "rejected"}, verified=False),
        said(queue, 1, login, "rejected"),
        said(queue, 1, "ADA@example.org", "rejected"),
        elsewhere,
    ):
        with pytest.raises(BadInput, match="belongs to a person who logged in"):
            opinions.save(typed)
    assert opinions.all(queue.id) == [kept]
    assert opinions.all(describing.id) == []
    opinions.save(said(queue, 1, "Bob", "rejected"))


def test_who_logs_in_takes_over_what_was_typed_under_their_name(opinions, queue):
    typed = opinions.save(said(queue, 0, "ada@example.org", "chosen"))
    same = opinions.save(replace(typed, verified=True))
    assert (same.version, same.verified) == (2, True)


@pytest.mark.parametrize("answer", ["A", True, ("chosen",), "x" * 300])
def test_which_is_better_has_three_answers(opinions, queue, answer):
    with pytest.raises(BadInput, match="no answer to better"):
        opinions.save(said(queue, 0, "Ada", answer))


def test_what_is_not_asked_is_not_taken(opinions, queue, describing):
    with pytest.raises(BadInput, match="does not ask about topics"):
        opinions.save(Opinion(queue.id, 0, "both", "Ada", {TOPICS: ("food",)}))
    with pytest.raises(BadInput, match="does not ask about pair 10"):
        opinions.save(said(queue, 10, "Ada", "chosen"))
    with pytest.raises(BadInput, match="does not ask about pair 0, rejected"):
        opinions.save(Opinion(describing.id, 0, "rejected", "Ada", {HELPFUL: True}))
    with pytest.raises(BadInput, match="There is no queue 99"):
        opinions.save(replace(said(queue, 0, "Ada", "chosen"), queue=99))
    with pytest.raises(BadInput, match="no answer to topics"):
        opinions.save(Opinion(describing.id, 0, "chosen", "Ada", {TOPICS: ("nul\0",)}))
    assert opinions.all(queue.id) == opinions.all(describing.id) == []


def test_names_notes_and_reasons_have_limits(opinions, queue):
    for reviewer in ("", " \n ", "x" * 81):
        with pytest.raises(BadInput, match="name"):
            opinions.save(said(queue, 0, reviewer, "chosen"))
    long = "x" * (LONGEST_NOTE + 1)
    with pytest.raises(BadInput, match="10,001"):
        opinions.save(said(queue, 0, "Ada", "chosen", note=long))
    with pytest.raises(BadInput, match="10,001"):
        opinions.save(said(queue, 0, "Ada", "chosen"), reason=long)
    kept = opinions.save(said(queue, 0, "Ada", "chosen", note="half \ud800 a pair\0"), reason="\0")
    assert kept.note == "half ? a pair\N{REPLACEMENT CHARACTER}"


def test_answers_of_a_prefilled_queue_are_never_blind(opinions, review_database):
    asked = Queue(
        0, "", "d" * 16, "Filled in", "describe", "rows", keys=(HELPFUL,), prefill="2026-01-01"
    )
    queue = Queues(review_database).make(asked, [(5, "chosen")], [(6, "chosen")])
    filled = opinions.save(Opinion(queue.id, 5, "chosen", "Ada", {HELPFUL: True}, blind=True))
    assert (filled.blind, filled.prefill) == (False, "2026-01-01")
    first = opinions.save(Opinion(queue.companion, 6, "chosen", "Ada", {HELPFUL: True}))
    assert (first.blind, first.prefill) == (True, "")


def judge_all(data_dir: str, address: str, queue: int, start: Any, done: Any) -> None:
    """Save every item under a shared name, over and over after conflicts, and under an own one."""
    os.environ[DATABASE_URL] = address
    opinions, conflicts = Opinions(Path(data_dir)), 0
    start.wait(300)
    for row_id in range(10):
        opinions.save(Opinion(queue, row_id, "both", f"person {os.getpid()}", {BETTER: "chosen"}))
        for number in range(5):
            while True:
                current = opinions.of(Item(queue, 0, row_id), "shared")
                note = f"{current.note} {os.getpid()}:{number}"
                try:
                    opinions.save(replace(current, answers={BETTER: "none"}, note=note))
                    break
                except OpinionConflict:
                    conflicts += 1
    done.put(conflicts)


def test_two_processes_that_save_at_once_lose_nothing(
    opinions, queue, review_database: Path, processes: ForkServerContext
):
    address = os.environ.get(DATABASE_URL, "")
    start, done = processes.Barrier(2), processes.Queue()
    workers = [
        processes.Process(
            target=judge_all, args=(str(review_database), address, queue.id, start, done)
        )
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    pids = [worker.pid for worker in workers]
    wanted = sorted(f"{pid}:{number}" for pid in pids for number in range(5))
    shared = opinions.all(queue.id, "shared")
    assert [sorted(one.note.split()) for one in shared] == [wanted] * 10
    assert [one.version for one in shared] == [10] * 10
    assert len(opinions.all(queue.id)) == 30
    for row_id in range(10):
        changes = opinions.history(Item(queue.id, 0, row_id), "shared")
        assert [change.version for change in changes] == list(range(1, 11))
        assert [change.before for change in changes[1:]] == [one.after for one in changes[:-1]]


def test_who_has_judged_in_which_queue_is_known_by_name(
    opinions, queue, describing, review_database
):
    assert opinions.reviewers() == []
    opinions.save(said(queue, 0, "Bob", "chosen"))
    opinions.save(said(queue, 1, "Bob", "chosen"))
    opinions.save(Opinion(describing.id, 0, "chosen", "Bob", {HELPFUL: True}))
    opinions.save(said(queue, 0, "ada@example.org", "none", verified=True))
    other = Queue(0, "", "e" * 16, "Elsewhere", "better", "random")
    other = Queues(review_database).make(other, [(0, "both")])
    opinions.save(said(other, 0, "Cyd", "chosen"))
    assert sorted(opinions.reviewers()) == [
        (queue.id, "Bob", 2, False),
        (queue.id, "ada@example.org", 1, True),
        (describing.id, "Bob", 1, False),
        (other.id, "Cyd", 1, False),
    ]
