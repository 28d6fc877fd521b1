"""What differs between reviewers, what is said beside it, and how it is settled."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from given.made_labellings import FIRST, REFUSAL, SECOND, SENTIMENT, TOPICS, Labellings, four_pairs
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file

from ivan_core.annotations.opinions import Opinions
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.reviews import BETTER, DecisionConflict, Item
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access, datasets
from ivan_core.engine.access import NotAllowed, Visitor
from ivan_core.engine.studies import Stage, study_of
from ivan_core.review.settle import (
    decide,
    in_letters,
    in_state,
    letters,
    opinions_csv,
    queues_to_settle,
    said_of_row,
    tally,
    to_settle,
    views,
)

ADA, BOB = "Ada", "Bob"


@pytest.fixture
def four(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedDataset:
    file = four_pairs(tmp_path)
    labellings = Labellings(data_dir, file, monkeypatch)
    labellings.made("first", FIRST)
    labellings.made("second", SECOND)
    finished(data_dir, spec_of_file(file))
    found = datasets.find(DatasetRequest(source=str(file)))
    assert found is not None
    return found


@pytest.fixture
def said(data_dir: Path, four: PreparedDataset) -> Said:
    return Said(data_dir, four.fingerprint)


def test_only_different_answers_are_to_settle(said: Said, four: PreparedDataset) -> None:
    queue = said.queue([(row, "chosen") for row in range(4)], (REFUSAL, TOPICS))
    for row, ours, theirs in (
        (0, {REFUSAL: True, TOPICS: ("a", "b")}, {REFUSAL: True, TOPICS: ("b", "a")}),
        (1, {REFUSAL: True, TOPICS: ()}, {REFUSAL: False, TOPICS: ()}),
        (2, {REFUSAL: True, TOPICS: ()}, {REFUSAL: None, TOPICS: ()}),
    ):
        words = {"a": "Mathematics and logic", "b": "People and self"}
        for person, answers in ((ADA, ours), (BOB, theirs)):
            named = tuple(words[one] for one in answers[TOPICS])
            said.say(queue, person, row, "chosen", answers | {TOPICS: named})
    said.say(queue, ADA, 3, "chosen", {REFUSAL: True, TOPICS: ()})
    (one,) = to_settle(queue)
    assert (one.item.row_id, one.differing, one.settled) == (1, (REFUSAL,), False)
    assert [opinion.reviewer for opinion in one.opinions] == [ADA, BOB]
    assert list(queues_to_settle(four)) == [queue.id]
    # The labelers say yes and no of 1.chosen; a skipped opinion is none.
    told = {view.name: view.answers[REFUSAL] for view in views(queue, one.item)}
    assert told == {"first": True, "second": False}
    said.say(queue, BOB, 1, "chosen", {}, skipped=True)
    assert to_settle(queue) == []


def test_a_decision_stands_beside_the_opinions_and_ends_the_matter(
    said: Said, four: PreparedDataset, data_dir: Path
) -> None:
    queue = said.pairs(4)
    said.choose(queue, ADA, {0: "chosen", 1: "none", 2: "chosen"})
    said.choose(queue, BOB, {0: "rejected", 1: "rejected", 2: "chosen"})
    items = to_settle(queue)
    assert sorted(one.item.row_id for one in items) == [0, 1]
    item = next(one.item for one in items if one.item.row_id == 0)
    made = decide(item, BETTER, "rejected", "Cem", "read twice", 0)
    assert (made.version, made.by) == (1, "Cem")
    after = to_settle(queue)
    assert [one.item.row_id for one in in_state(after, "settled")] == [0]
    assert [one.item.row_id for one in in_state(after, "unsettled")] == [1]
    assert len(in_state(after, "all")) == 2
    assert Opinions(data_dir).of(item, ADA).answers == {BETTER: "chosen"}
    with pytest.raises(DecisionConflict) as conflict:
        decide(item, BETTER, "chosen", "Dan", "", 0)
    assert conflict.value.current.answer == "rejected"
    assert decide(item, BETTER, "chosen", "Dan", "", 1).version == 2
    names = [view.name for view in views(queue, item)]
    assert names[0] == "the recorded choice"
    assert names[1:3] == ["ivan/minilm-harmless", "ivan/minilm-control"]
    ((_, here),) = said_of_row(four, 0)
    assert here.decisions[BETTER].answer == "chosen" and here.differing == (BETTER,)
    ((_, there),) = said_of_row(four, 2)
    assert there.differing == () and len(there.opinions) == 2
    assert said_of_row(four, 3) == []


def test_decisions_have_columns_of_their_own_in_the_export(
    said: Said, four: PreparedDataset
) -> None:
    pairs = said.pairs(2)
    said.choose(pairs, ADA, {0: "chosen"}, note="=1+1")
    said.choose(pairs, BOB, {0: None})
    decide(Item(pairs.id, 0, 0, "both"), BETTER, "rejected", "Cem", "because, so", 0)
    texts = said.queue([(1, "rejected")], (REFUSAL, SENTIMENT))
    said.say(texts, ADA, 1, "rejected", {REFUSAL: True, SENTIMENT: "neutral"}, blind=False)
    rows = list(csv.DictReader(io.StringIO(opinions_csv(four).decode("utf-8"), newline="")))
    assert [(row["row_id"], row["reviewer"], row["better"]) for row in rows] == [
        ("0", ADA, "chosen"),
        ("0", BOB, "can't tell"),
        ("1", ADA, ""),
    ]
    assert {row["settled_better"] for row in rows[:2]} == {"rejected"}
    assert rows[0]["settled_by_better"] == "Cem" and rows[0]["settled_why_better"] == "because, so"
    assert (rows[2][REFUSAL], rows[2][SENTIMENT], rows[2]["blind"]) == ("yes", "neutral", "False")
    assert rows[2]["settled_better"] == rows[2][f"settled_{REFUSAL}"] == ""
    assert rows[0]["note"] == "=1+1"
    sheet = opinions_csv(four, spreadsheet=True).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(sheet, newline="")))["note"] == "'=1+1"


def test_settling_is_for_trusted_visitors(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = said.pairs(2)
    said.choose(queue, ADA, {0: "chosen"})
    said.choose(queue, BOB, {0: "rejected"})
    (one,) = to_settle(queue)
    monkeypatch.setattr(access, "_provider", lambda: Visitor(local=False))
    with pytest.raises(NotAllowed, match="Settling"):
        decide(one.item, BETTER, "chosen", "Eve", "", 0)
    assert to_settle(queue)[0].decisions == {}


def test_a_study_counts_the_items_that_have_the_opinions_they_need(
    said: Said, data_dir: Path, tmp_path: Path, four: PreparedDataset
) -> None:
    run_id = finished(data_dir, spec_of_file(tmp_path / "four.jsonl", limit=2))
    study = study_of(run_id)
    assert study is not None and study.stages[-1].done is None
    queue = said.pairs(4)  # of which rows 0 and 1 are this study's
    said.pairs(1, source="starred", first=[(1, "both")])  # its companion is not counted
    said.choose(queue, ADA, {0: "chosen", 3: "chosen"})
    said.choose(queue, BOB, {3: "chosen"})
    study = study_of(run_id)
    assert study is not None and study.stages[-1] == Stage("Review", 0, 3)
    said.choose(queue, BOB, {0: "rejected"})
    study = study_of(run_id)
    assert study is not None and study.stages[-1] == Stage("Review", 1, 3)


def test_a_tally_counts_answers_by_letter_until_the_choice_is_known(said: Said) -> None:
    queue = said.pairs(4)
    for person, answer in ((ADA, "rejected"), (BOB, "chosen"), ("Cem", "rejected"), ("Dan", None)):
        said.choose(queue, person, {0: answer})
    (one,) = to_settle(queue)
    named = letters(queue, one.item)
    assert sorted(named.values()) == ["A", "B"] and named == letters(queue, one.item)
    assert tally(one, BETTER, named) == (
        f"2 said {named['rejected']}, 1 said {named['chosen']}, 1 could not tell"
    )
    assert in_letters(BETTER, "none", named) == "no difference"
    texts = said.queue([(1, "chosen")], (REFUSAL,))
    for person, answer in ((ADA, True), (BOB, False), ("Cem", False)):
        said.say(texts, person, 1, "chosen", {REFUSAL: answer})
    (one,) = to_settle(texts)
    assert tally(one, REFUSAL, letters(texts, one.item)) == "2 said no, 1 said yes"


def test_a_tally_counts_the_same_words_in_another_order_as_the_same_answer(said: Said) -> None:
    queue = said.queue([(0, "chosen")], (TOPICS,))
    first, second = "Mathematics and logic", "People and self"
    for person, named in ((ADA, (first, second)), (BOB, (second, first)), ("Cem", ())):
        said.say(queue, person, 0, "chosen", {TOPICS: named})
    (one,) = to_settle(queue)
    assert tally(one, TOPICS, letters(queue, one.item)) == f"2 said {first}, {second}, 1 said none"
