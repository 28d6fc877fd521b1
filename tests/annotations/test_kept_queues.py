"""Queues on either database: what comes next for whom, and how far they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, BLIND_FIRST, Item, Opinion, Queue

PAIRS = Queue(0, "", "d" * 16, " Pairs ", "better", "random", opinions=2, seed=7, made_by="Owner")
TEXTS = Queue(0, "", "d" * 16, "Texts", "describe", "random", keys=("topics", "a_key"))


@pytest.fixture
def queues(review_database: Path) -> Queues:
    return Queues(review_database)


@pytest.fixture
def opinions(review_database: Path) -> Opinions:
    return Opinions(review_database)


def pairs(*rows: int) -> list[tuple[int, str]]:
    return [(row, "both") for row in rows]


def answer(opinions: Opinions, item: Item, who: str, **more: object) -> None:
    opinions.save(Opinion(item.queue, item.row_id, item.side, who, {BETTER: "chosen"}, **more))


def skip(opinions: Opinions, item: Item, who: str) -> None:
    opinions.save(Opinion(item.queue, item.row_id, item.side, who, skipped=True))


def test_a_queue_is_found_by_number_invitation_and_dataset(queues):
    made = queues.make(PAIRS, pairs(5, 3, 5, 9))
    other = queues.make(replace(PAIRS, dataset="e" * 16), pairs(1))
    assert made.title == "Pairs"
    assert queues.get(made.id) == queues.invited(made.token) == made
    assert len(made.token) >= 16
    assert made.token != other.token
    assert queues.all() == [other, made]
    assert queues.all("d" * 16) == [made]
    assert queues.items(made.id) == [
        Item(made.id, place, row) for place, row in enumerate((5, 3, 9))
    ]
    with pytest.raises(BadInput, match="There is no queue 77"):
        queues.get(77)
    for token in ("", "not-a-token"):
        with pytest.raises(BadInput, match="not known here"):
            queues.invited(token)


def test_a_queue_that_makes_no_sense_is_not_made(queues):
    for queue, chosen, told in (
        (PAIRS, [], "would be empty"),
        (replace(PAIRS, opinions=0), pairs(1), "at least one opinion"),
        (replace(PAIRS, prefill="a run"), pairs(1), "blind"),
        (PAIRS, [(1, "chosen")], "asked of pairs"),
        (TEXTS, pairs(1), "asked of pairs"),
        (replace(TEXTS, keys=()), [(1, "chosen")], "asks nothing"),
        (replace(PAIRS, task="rate"), pairs(1), "tasks and sources"),
    ):
        with pytest.raises(BadInput, match=told):
            queues.make(queue, chosen)
    assert queues.all() == []


def test_items_come_in_order_those_that_lack_opinions_first(queues, opinions):
    queue = queues.make(PAIRS, pairs(4, 2, 8))
    first = queues.next_item(queue, "Ada")
    assert first == Item(queue.id, 0, 4)
    for who in ("Ada", "Bob"):
        answer(opinions, Item(queue.id, 0, 4), who)
    assert queues.next_item(queue, "Ada").row_id == 2
    assert queues.next_item(queue, "Cyd").row_id == 2, "row 4 has its two opinions"
    answer(opinions, Item(queue.id, 1, 2), "Cyd")
    answer(opinions, Item(queue.id, 2, 8), "Cyd")
    assert queues.next_item(queue, "Cyd").row_id == 4, "an opinion too many does no harm"
    answer(opinions, Item(queue.id, 0, 4), "Cyd")
    assert queues.next_item(queue, "Cyd") is None
    assert queues.progress(queue.id) == (3, 1, 5)
    assert queues.judged(queue, "Cyd") == (3, 3)
    assert queues.judged(queue, "Ada") == (1, 3)


def test_what_is_skipped_does_not_come_back_and_counts_for_nothing(queues, opinions):
    queue = queues.make(PAIRS, pairs(1, 2))
    skip(opinions, Item(queue.id, 0, 1), "Ada")
    assert queues.next_item(queue, "Ada").row_id == 2
    assert queues.next_item(queue, "Bob").row_id == 1
    assert queues.progress(queue.id) == (2, 0, 0)
    skip(opinions, Item(queue.id, 1, 2), "Ada")
    assert queues.next_item(queue, "Ada") is None
    assert queues.judged(queue, "Ada") == (2, 2)


def test_a_text_of_which_some_questions_are_answered_comes_next(queues, opinions):
    queue = queues.make(TEXTS, [(3, "chosen"), (1, "rejected"), (2, "chosen")])
    begun = opinions.save(Opinion(queue.id, 1, "rejected", "Ada", {"topics": ("food",)}))
    assert queues.next_item(queue, "Ada") == Item(queue.id, 1, 1, "rejected")
    assert queues.progress(queue.id) == (3, 0, 0)
    opinions.save(replace(begun, answers={"topics": ("food",), "a_key": None}))
    assert queues.next_item(queue, "Ada") == Item(queue.id, 0, 3, "chosen")
    assert queues.progress(queue.id) == (3, 0, 1)


def test_the_first_thirty_of_each_person_are_random_and_blind(queues, opinions):
    starred = replace(PAIRS, source="starred")
    queue = queues.make(starred, pairs(100, 101), pairs(*range(40)))
    companion = queues.get(queue.companion)
    assert (companion.random, companion.prefill, companion.title) == (
        True,
        "",
        "Pairs: first items",
    )
    assert queues.judged(queue, "Ada") == (0, 32)
    skip(opinions, queues.next_item(queue, "Ada"), "Ada")
    seen = []
    for _ in range(BLIND_FIRST):
        item = queues.next_item(queue, "Ada")
        seen.append((item.queue, item.row_id))
        answer(opinions, item, "Ada")
    assert seen == [(companion.id, row) for row in range(1, 31)], "a skipped one does not count"
    assert queues.judged(queue, "Ada") == (31, 33)
    assert queues.next_item(queue, "Ada") == Item(queue.id, 0, 100)
    assert queues.next_item(queue, "Bob") == Item(companion.id, 0, 0), "row 0 has no opinion yet"
    assert companion.companion == 0


def test_a_companion_with_fewer_items_gives_way_when_they_are_done(queues, opinions):
    queue = queues.make(replace(PAIRS, source="rows"), pairs(9), pairs(1, 2))
    for row in (1, 2):
        item = queues.next_item(queue, "Ada")
        assert (item.queue, item.row_id) == (queue.companion, row)
        skip(opinions, item, "Ada")
    assert queues.next_item(queue, "Ada").row_id == 9


def test_a_companion_is_closed_with_its_queue(queues):
    queue = queues.make(replace(PAIRS, source="rows"), pairs(9), pairs(1))
    other = queues.make(PAIRS, pairs(1))
    queues.close(queue.id)
    closed = {one.id: one.closed for one in queues.all()}
    assert closed == {queue.id: True, queue.companion: True, other.id: False}
    queues.close(queue.id, closed=False)
    assert not any(one.closed for one in queues.all())
    with pytest.raises(BadInput, match="There is no queue"):
        queues.close(99)
