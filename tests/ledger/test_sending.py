"""Sending a confirmed part: never two batches for one confirmation, whatever the provider does."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.provider import Killed, Steps
from given.sending_place import KEY, LINES, Place

from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.ledger.records import PlanChanged, Stage
from ivan_core.ledger.sending import send_part, too_many, twins
from ivan_core.runs.storage import file_sha256

TEN_MINUTES = 600.0


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "data")
    place.confirm()
    return place


def test_a_confirmed_part_is_uploaded_and_made_a_batch(place):
    sent = place.send()
    assert (sent.stage, sent.batch_id, sent.file_id) == (Stage.CREATED, "batch-1", "file-1")
    (batch,) = place.provider.made
    assert dict(batch.metadata) == {
        "run": KEY.run,
        "part": "1",
        "attempt": "1",
        "sha256": file_sha256(place.file),
        "ivan": "0.1.0",
    }
    assert place.provider.files["file-1"] == LINES
    assert place.slept == []


def test_sending_again_finds_what_was_sent(place):
    first = place.send()
    assert place.send() == first
    assert (len(place.provider.made), len(place.provider.files)) == (1, 1)


def test_each_stage_is_written_before_its_call(place):
    seen = []
    place.provider.on_upload = lambda _: seen.append(place.ledger.part(KEY).stage)
    place.provider.on_create = lambda: seen.append(place.ledger.part(KEY).stage)
    place.send()
    assert seen == [Stage.UPLOADING, Stage.CREATING]


def test_a_lost_answer_is_found_in_the_list(place):
    place.provider.lose = "after"
    sent = place.send()
    assert (sent.stage, sent.batch_id) == (Stage.CREATED, "batch-1")
    assert "was lost" in sent.note
    assert sent.problem == ""
    assert (len(place.provider.made), place.slept) == (1, [])


def test_a_list_that_lags_is_read_again(place):
    place.provider.lose, place.provider.lag, place.provider.list_fails = "after", 2, 1
    assert place.send().batch_id == "batch-1"
    assert place.slept == [2, 4, 8]
    assert len(place.provider.made) == 1


def test_ten_minutes_without_a_batch_leave_the_part_in_doubt(place):
    place.provider.lose = "before"
    sent = place.send()
    assert (sent.stage, sent.batch_id) == (Stage.IN_DOUBT, "")
    assert "not in its list" in sent.problem
    assert sum(place.slept) == TEN_MINUTES
    assert place.slept == [2, 4, 8, 16, 30, *[60] * 9]
    assert place.provider.listings == len(place.slept) + 1


def test_what_stays_in_doubt_is_looked_for_once_each_time_and_never_sent_again(place):
    place.provider.lose, place.provider.lag = "after", 16
    assert place.send().stage is Stage.IN_DOUBT
    place.slept.clear()
    assert place.send().stage is Stage.IN_DOUBT
    assert place.send().batch_id == "batch-1"
    assert (len(place.provider.made), place.slept) == (1, [])


def test_a_list_that_cannot_be_read_says_so(place):
    place.provider.lose, place.provider.list_fails = "after", 99
    assert "The provider is away." in place.send().problem


def test_only_a_confirmation_that_says_so_sends_what_is_in_doubt_again(place):
    place.provider.lose = "before"
    place.send()
    with pytest.raises(BadInput, match="Nobody knows whether part 1"):
        place.confirm(attempt=2)
    assert place.confirm(attempt=2, twice=True)
    assert place.send(attempt=2).batch_id == "batch-1"
    assert place.send(attempt=1).stage is Stage.IN_DOUBT
    assert [batch.metadata["attempt"] for batch in place.provider.made] == ["2"]


def test_of_two_batches_with_the_same_marks_the_first_created_is_taken(place):
    place.provider.lose = "after"
    place.provider.lag = 1
    marks = {**place.ledger.part(KEY).part.marks}
    send = place.sleep

    def elsewhere(seconds: float) -> None:
        place.provider.create("file-1", marks)
        send(seconds)

    sent = send_part(place.ledger, place.provider, KEY, "plan 1", elsewhere)
    assert sent.batch_id == "batch-1"
    assert "another batch of this part, which may be charged too: batch-2. Cancel it" in sent.note
    assert "/batches/batch-2/cancel" in sent.note


def test_a_batch_that_was_made_twice_is_found_although_its_answer_came(place):
    sent = place.send()
    assert twins(place.provider, sent) == []
    marks = dict(place.provider.made[0].metadata)
    second, third = (place.provider.create("file-1", marks) for _ in range(2))
    place.provider.create("file-1", {**marks, "attempt": "2"})
    assert twins(place.provider, sent) == [second, third]
    place.provider.end(second, "cancelled")
    assert twins(place.provider, sent) == [third]
    assert "2 other batches" in too_many([second, third]) and "them" in too_many([second, third])


@pytest.mark.parametrize("wrong", ["run", "part", "attempt", "sha256"])
def test_a_batch_is_adopted_only_if_all_four_marks_match(place, wrong):
    marks = {**place.ledger.part(KEY).part.marks, wrong: "other"}
    place.provider.files["file-0"] = LINES
    place.provider.create("file-0", marks)
    place.provider.lose = "before"
    assert place.send().stage is Stage.IN_DOUBT


def test_a_batch_created_long_before_the_doubt_was_noticed_is_found(place):
    calls_until_created = 4
    place.provider.step = Steps(calls_until_created)
    with pytest.raises(Killed):
        place.send()
    assert len(place.provider.made) == 1
    place.time += 5 * 86_400
    assert place.send().batch_id == "batch-1"


def test_a_refusal_makes_no_batch_and_may_be_tried_again(place):
    place.provider.refuse = "You exceeded your current quota."
    with pytest.raises(BackendUnavailable, match="quota"):
        place.send()
    refused = place.ledger.part(KEY)
    assert (refused.stage, refused.problem) == (Stage.UPLOADED, "You exceeded your current quota.")
    sent = place.send()
    assert (sent.stage, sent.problem, len(place.provider.made)) == (Stage.CREATED, "", 1)


def test_a_failed_upload_may_be_tried_again(place):
    place.provider.refuse_upload = "The provider is away."
    with pytest.raises(BackendUnavailable):
        place.send()
    assert place.ledger.part(KEY).stage is Stage.PLANNED
    assert place.send().stage is Stage.CREATED


def test_a_file_that_changed_since_is_not_sent(place):
    place.file.write_bytes(LINES + b"{}\n")
    with pytest.raises(PlanChanged, match="has changed since it was confirmed"):
        place.send()
    assert (place.provider.files, place.provider.made) == ({}, [])


def test_a_file_that_changes_while_it_is_uploaded_makes_no_batch(place):
    place.provider.on_upload = lambda path: path.write_bytes(LINES + b"{}\n")
    with pytest.raises(PlanChanged):
        place.send()
    assert place.provider.made == []
    place.file.write_bytes(LINES)
    place.provider.on_upload = lambda _: None
    assert place.send().stage is Stage.CREATED


def test_a_file_that_is_gone_is_a_changed_plan(place):
    place.file.unlink()
    with pytest.raises(PlanChanged, match="cannot be read"):
        place.send()


def test_another_plan_is_not_sent(place):
    with pytest.raises(PlanChanged, match="Another plan"):
        send_part(place.ledger, place.provider, KEY, "plan with other prices")
    assert place.provider.files == {}


def test_another_account_neither_sends_nor_looks(place):
    place.provider.lose = "before"
    place.send()
    place.provider.account, place.provider.listings = "account two", 0
    for act in (place.send, place.settle):
        with pytest.raises(BadInput, match="another account") as refused:
            act()
        assert "key" in refused.value.hint
    assert (place.provider.listings, place.provider.made) == (0, [])


def test_a_part_given_up_while_it_is_uploaded_makes_no_batch(place):
    place.provider.on_upload = lambda _: place.ledger.abandon_unsent(KEY.run)
    assert place.send().stage is Stage.ABANDONED
    assert place.provider.made == []
