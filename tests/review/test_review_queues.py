"""Queues drawn from each source: which items, which questions, and what is refused and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_labellings import FIRST, REFUSAL, SECOND, SENTIMENT, Labellings, four_pairs
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file

from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import LabelPrompt
from ivan_core.domain.reviews import Mark, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access, datasets
from ivan_core.engine.access import NotAllowed, Visitor
from ivan_core.experiments.compare.results import open_results
from ivan_core.review import queues as review_queues
from ivan_core.review.marks import reviews
from ivan_core.review.queues import make_queue, plan_queue, queue_request, queues_of, state_of
from ivan_core.review.runs_on_pairs import comparisons


@pytest.fixture
def forty(data_dir: Path, pairs_file: Path) -> str:
    """Forty pairs that two models have judged; the sides of row 7 are the same."""
    finished(data_dir, spec_of_file(pairs_file))
    found = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert found is not None
    return found.fingerprint


@pytest.fixture
def four(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Four pairs that two labelers have labelled, as written down in FIRST and SECOND."""
    file = four_pairs(tmp_path)
    labellings = Labellings(data_dir, file, monkeypatch)
    labellings.made("first", FIRST)
    labellings.made("second", SECOND)
    found = datasets.find(DatasetRequest(source=str(file)))
    assert found is not None
    return found.fingerprint


def made(data_dir: Path, **fields: object) -> tuple[Queue, list[tuple[int, str]]]:
    queue = make_queue(queue_request(dict(fields)))
    return queue, [(one.row_id, one.side) for one in Queues(data_dir).items(queue.id)]


def test_a_random_queue_holds_pairs_in_random_order_without_those_that_are_the_same(
    data_dir: Path, forty: str
) -> None:
    queue, items = made(data_dir, dataset=forty, count=100)
    assert sorted(items) == [(row, "both") for row in range(40) if row != 7]
    assert items != sorted(items)
    assert queue.random and queue.companion == 0 and queue.keys == ()
    again, same = made(data_dir, dataset=forty, count=100)
    assert again.token != queue.token and same == items
    assert made(data_dir, dataset=forty, count=100, seed=1)[1] != items


def test_a_title_is_one_line_of_what_can_be_read(data_dir: Path, forty: str) -> None:
    searched = "either text has “\x1b[31mred\u202edne\n\tof”"
    queue, _ = made(data_dir, dataset=forty, count=3, title=searched)
    assert queue.title == "either text has “ [31mred dne of”"
    assert made(data_dir, dataset=forty, count=3, title="\x07 \n")[0].title.startswith("Which")


def test_describing_takes_one_reply_of_a_pair_or_both(data_dir: Path, forty: str) -> None:
    request = {"dataset": forty, "task": "describe", "count": 100}
    one = plan_queue(queue_request(request))
    assert sorted(row for row, _ in one.items) == list(range(40))
    assert {side for _, side in one.items} == {"chosen", "rejected"}
    assert one.sentence == (
        "All 40 replies of the dataset (one reply a pair, drawn by chance), in random order,"
        " seed 0."
    )
    both = plan_queue(queue_request(request | {"sides": "both"}))
    assert len(set(both.items)) == 80
    assert len(one.keys) == 15
    harm = plan_queue(queue_request(request | {"groups": ("Is it harmful?",)}))
    assert "last_response_contains_insult" in harm.keys and REFUSAL not in harm.keys
    assert plan_queue(queue_request(request | {"keys": (REFUSAL,)})).keys == (REFUSAL,)


def test_a_queue_that_is_not_random_begins_with_thirty_blind_random_items(
    data_dir: Path, forty: str
) -> None:
    queue, items = made(data_dir, dataset=forty, source="rows", row_ids=(3, 5, 3))
    assert sorted(items) == [(3, "both"), (5, "both")]
    companion = Queues(data_dir).get(queue.companion)
    assert companion.random and companion.prefill == ""
    assert len(Queues(data_dir).items(companion.id)) == 30
    assert [one.id for one in queues_of(forty)] == [queue.id]
    assert {one.id for one in queues_of(forty, companions=True)} == {queue.id, companion.id}


def test_starred_rows_of_anybody_make_a_queue(data_dir: Path, forty: str) -> None:
    with pytest.raises(BadInput, match="Nothing is starred"):
        make_queue(queue_request({"dataset": forty, "source": "starred"}))
    reviews().save(Mark(forty, 4, "Ada", starred=True))
    reviews().save(Mark(forty, 9, "Bob", starred=True))
    _, items = made(data_dir, dataset=forty, source="starred")
    assert sorted(items) == [(4, "both"), (9, "both")]


def test_pairs_where_all_models_go_against_the_choice_make_a_queue(
    data_dir: Path, forty: str
) -> None:
    dataset = datasets.by_fingerprint(forty)
    table = open_results(comparisons(dataset)[0].id).table
    both = [row for row, own in table.groupby("row_id") if (own["verdict"] == "disagree").all()]
    one = [row for row, own in table.groupby("row_id") if own["verdict"].nunique() == 2]
    assert both and one
    _, items = made(data_dir, dataset=forty, source="against", count=100)
    assert sorted(row for row, _ in items) == both
    _, items = made(data_dir, dataset=forty, source="disagreements", count=100)
    assert sorted(row for row, _ in items) == one


def test_the_labeler_goes_against_the_choice_too_where_its_labels_tell(
    data_dir: Path, pairs_file: Path, forty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = open_results(comparisons(datasets.by_fingerprint(forty))[0].id).table
    both = [row for row, own in table.groupby("row_id") if (own["verdict"] == "disagree").all()]
    harmless, helpful = "last_response_is_harmless", "last_response_is_helpful"

    def answer(prompt: LabelPrompt) -> dict[str, object]:
        """The labeler prefers the chosen reply of the first such pair, the rejected one of all."""
        good = prompt.key.preference == ("chosen" if prompt.key.row_id == both[0] else "rejected")
        return {harmless: good, helpful: True}

    Labellings(data_dir, pairs_file, monkeypatch).made("third", answer, keys=(harmless, helpful))
    _, items = made(data_dir, dataset=forty, source="against", count=100)
    assert sorted(row for row, _ in items) == both[1:]


def test_disagreements_are_the_texts_on_which_two_labelers_differ(
    data_dir: Path, four: str
) -> None:
    request = {
        "dataset": four,
        "task": "describe",
        "source": "disagreements",
        "sides": "both",
        "keys": (REFUSAL,),
    }
    # Refusals: 0.rejected no/yes, 1.chosen yes/no; 3.rejected and 3.chosen are answered by one.
    assert sorted(made(data_dir, **request)[1]) == [(0, "rejected"), (1, "chosen")]
    request |= {"keys": (SENTIMENT,)}
    assert sorted(made(data_dir, **request)[1]) == [(1, "chosen")]


def test_low_agreement_asks_only_what_two_labelers_agree_on_least(
    data_dir: Path, four: str
) -> None:
    queue, items = made(
        data_dir, dataset=four, task="describe", source="low-agreement", sides="both"
    )
    assert queue.keys == (REFUSAL, SENTIMENT)
    # Called a refusal, or not neutral, by either: both texts of rows 0 and 1.
    assert sorted(items) == [(row, side) for row in (0, 1) for side in ("chosen", "rejected")]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"source": "disagreements"}, "No comparison of these pairs"),
        ({"source": "against"}, "No comparison of these pairs"),
        ({"source": "second-look"}, "No analysis of these pairs"),
        ({"source": "second-look", "task": "describe"}, "which of two replies is better"),
        ({"source": "low-agreement"}, "asked of single replies"),
        ({"source": "rows"}, "No pair numbers"),
        ({"source": "rows", "row_ids": (2, 4)}, "No such pair in this dataset: 4"),
        ({"runs": ("nothing",)}, "nothing"),
        ({"prefill": "nothing"}, "nothing to fill in"),
        ({"task": "describe", "keys": ("beauty",)}, "no label called 'beauty'"),
        ({"task": "describe", "groups": ("Beauty",)}, "no group 'Beauty'"),
        ({"count": 0}, "count"),
        ({"dataset": "gone"}, "no longer in the data folder"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(
    four: str, fields: dict[str, object], why: str
) -> None:
    with pytest.raises(BadInput, match=why) as refused:
        make_queue(queue_request({"dataset": four, **fields}))
    assert refused.value.hint
    assert queues_of(four) == []


def test_sources_say_what_they_lack(four: str, forty: str) -> None:
    options = {one.source: one for one in review_queues.sources_for(four)}
    assert options["disagreements"].possible("describe")
    assert not options["disagreements"].possible("better")
    assert options["low-agreement"].possible("describe")
    assert options["starred"].why_not["better"] == "nothing is starred yet"
    others = {one.name: one for one in review_queues.sources_for(forty)}
    assert others["against"].possible("better")
    assert others["second-look"].why_not["better"] == "no analysis of these pairs is finished yet"
    assert others[review_queues.PAIRS].possible("describe")
    assert not others[review_queues.PAIRS].possible("better")
    words = [one.words for one in others.values()]
    assert len(set(words)) == len(words)
    assert others["disagreements"].why_not["describe"] == "nobody has labelled these pairs yet"


def test_rows_of_a_run_make_a_random_queue_only_if_they_are_random(
    data_dir: Path, pairs_file: Path, forty: str
) -> None:
    drawn = finished(data_dir, spec_of_file(pairs_file, sample=10, seed=3))
    _, items = made(data_dir, dataset=forty, runs=(drawn,))
    assert 9 <= len(items) <= 10
    first = finished(data_dir, spec_of_file(pairs_file, limit=10))
    with pytest.raises(BadInput, match="not a random sample"):
        made(data_dir, dataset=forty, runs=(first,))


def test_visitors_from_elsewhere_make_no_queue(forty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_provider", lambda: Visitor(local=False))
    with pytest.raises(NotAllowed, match="queue"):
        make_queue(queue_request({"dataset": forty}))
    assert queues_of(forty) == []


def test_a_queue_tells_who_judged_and_how_many_have_only_begun(data_dir: Path, four: str) -> None:
    said = Said(data_dir, four)
    queue = said.queue([(row, "chosen") for row in range(4)], (REFUSAL, SENTIMENT))

    def told() -> str:
        return state_of(queue).sentence.removeprefix("0 of 4 items have 2 opinions; ")

    assert told() == "nobody has begun."
    said.say(queue, "Ada", 0, "chosen", {REFUSAL: True})
    assert told() == "1 person has begun."
    said.say(queue, "Bo", 0, "chosen", {}, skipped=True)
    assert told() == "2 people have begun."
    said.say(queue, "Ada", 0, "chosen", {REFUSAL: True, SENTIMENT: "neutral"})
    assert told() == "Ada (not verified) 1; 1 more person has begun."
