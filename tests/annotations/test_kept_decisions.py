"""Decisions on either database: recorded beside the opinions, with every one ever made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ivan_core.annotations.opinions import Decisions, Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, Decision, DecisionConflict, Item, Opinion, Queue


@pytest.fixture
def queue(review_database: Path) -> Queue:
    asked = Queue(0, "", "d" * 16, "Pairs", "better", "random")
    return Queues(review_database).make(asked, [(0, "both"), (1, "both")])


@pytest.fixture
def decisions(review_database: Path) -> Decisions:
    return Decisions(review_database)


def test_a_decision_stands_beside_the_opinions_which_stay(decisions, queue, review_database):
    opinions = Opinions(review_database)
    for who, answer in (("Ada", "chosen"), ("Bob", "rejected")):
        opinions.save(Opinion(queue.id, 0, "both", who, {BETTER: answer}))
    before = opinions.all(queue.id)
    made = decisions.settle(
        Decision(queue.id, 0, "both", BETTER, "chosen", " Owner ", " Bob misread it. ")
    )
    assert (made.version, made.by, made.reason) == (1, "Owner", "Bob misread it.")
    assert decisions.of(Item(queue.id, 0, 0)) == {BETTER: made}
    assert decisions.of(Item(queue.id, 1, 1)) == {}
    assert opinions.all(queue.id) == before


def test_the_latest_decision_is_in_force_and_the_others_are_kept(decisions, queue):
    first = decisions.settle(Decision(queue.id, 0, "both", BETTER, "chosen", "Owner"))
    assert decisions.settle(replace(first, version=0)) == first, "the same sent twice is one"
    second = decisions.settle(replace(first, answer=None, reason="cannot be told"))
    assert decisions.all(queue.id) == [second]
    assert decisions.all(queue.id, every_version=True) == [first, second]


def test_a_decision_on_an_old_version_changes_nothing(decisions, queue):
    first = decisions.settle(Decision(queue.id, 0, "both", BETTER, "chosen", "Owner"))
    for version in (0, 5):
        with pytest.raises(DecisionConflict) as conflict:
            decisions.settle(replace(first, answer="rejected", by="Other", version=version))
        assert conflict.value.current == first
    with pytest.raises(DecisionConflict):
        decisions.settle(Decision(queue.id, 1, "both", BETTER, "chosen", "Owner", version=3))
    assert decisions.all(queue.id, every_version=True) == [first]


def test_only_what_is_asked_can_be_settled_also_when_the_queue_is_closed(
    decisions, queue, review_database
):
    asked = Decision(queue.id, 0, "both", BETTER, "none", "Owner")
    for wrong, told in (
        (replace(asked, row_id=5), "does not ask about pair 5"),
        (replace(asked, queue=9), "There is no queue 9"),
        (replace(asked, key="topics"), "does not ask about topics"),
        (replace(asked, answer="A"), "no answer to better"),
        (replace(asked, by=" "), "no name"),
    ):
        with pytest.raises(BadInput, match=told):
            decisions.settle(wrong)
    Queues(review_database).close(queue.id)
    assert decisions.settle(asked).version == 1
