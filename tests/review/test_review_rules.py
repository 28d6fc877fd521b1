"""Answers that rules gave: shown as those of rules, and in nothing that is said of people."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_labellings import REFUSAL
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file

from ivan_core.charts.annotators import KIND_COLOURS, who_dots
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.reviews import BETTER, RULE, reviewers_in_words
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.engine.exports.settled import settled_pairs
from ivan_core.engine.opinions import ceiling_of, ceiling_sentence, second_choices, used_opinions
from ivan_core.engine.second_choices import second_choices_on
from ivan_core.experiments.analysis.steps.people import people_on
from ivan_core.review.agreement import choices_beside
from ivan_core.review.lists import choices_table
from ivan_core.review.pace import paces
from ivan_core.review.queues import state_of
from ivan_core.review.sentences import NO_PERSON, headline, pairs_sentence, said_by, source_line
from ivan_core.review.settle import queues_to_settle, who_differs

ONE, TWO, ADA, BOB = f"{RULE}longer", f"{RULE}shorter", "Ada", "Bob"
ROWS = 30


@pytest.fixture
def pairs(data_dir: Path, pairs_file: Path) -> PreparedDataset:
    finished(data_dir, spec_of_file(pairs_file))
    found = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert found is not None
    return found


@pytest.fixture
def said(data_dir: Path, pairs: PreparedDataset) -> Said:
    """Two rules that choose alike on 29 of 30 pairs, for the rejected reply."""
    found = Said(data_dir, pairs.fingerprint)
    queue = found.pairs(ROWS)
    found.choose(queue, ONE, dict.fromkeys(range(ROWS), "rejected"), seconds=5.0)
    other = {**dict.fromkeys(range(ROWS), "rejected"), 4: "chosen"}
    found.choose(queue, TWO, other, seconds=5.0)
    return found


def test_reviewers_are_counted_as_what_they_are() -> None:
    assert reviewers_in_words(()) == "0 people"
    assert reviewers_in_words((ADA,)) == "1 person"
    assert reviewers_in_words((ONE,)) == "1 rule"
    assert reviewers_in_words((ONE, TWO, ADA, BOB)) == "2 rules and 2 people"


def test_where_only_rules_answered_no_sentence_names_people(
    said: Said, pairs: PreparedDataset
) -> None:
    used = used_opinions(pairs)
    told = headline(used, "better")
    assert told == (
        "2 rules judged items drawn at random without knowing the choice, 60 opinions in all. "
        f"{NO_PERSON} Two rules gave the same answer in 29 of 30 pairs (97% [83, 99])."
    )
    assert said_by(used) == "60 blind opinions by 2 rules"
    assert "by 2 rules" in source_line(used)
    beside = {one.who.name: one.sentence for one in choices_beside(pairs, used)}
    assert beside[ONE].startswith(f"{ONE} and the other rules agree on 29 of 30 pairs")
    assert beside["the recorded choice"].startswith("The recorded choice and the rules agree on")
    assert not [told for told in beside.values() if "people" in told or "reviewers" in told]


def test_rules_say_nothing_of_how_far_people_agree_with_themselves(
    said: Said, pairs: PreparedDataset
) -> None:
    used = used_opinions(pairs)
    assert ceiling_of(pairs) is None
    assert ceiling_sentence(used) == ""
    assert second_choices(used) == (0, 0, 0)
    assert second_choices_on(pairs) == []
    assert paces(used) == {}
    assert settled_pairs(pairs) == {}


def test_people_who_come_after_rules_are_counted_alone(said: Said, pairs: PreparedDataset) -> None:
    queue = said.pairs(ROWS)
    said.choose(queue, ADA, {0: "chosen", 1: "rejected", 2: "chosen"}, seconds=4.0)
    said.choose(queue, BOB, {0: "chosen"}, seconds=4.0)
    used = used_opinions(pairs)
    assert headline(used, BETTER).startswith("2 rules and 2 people judged")
    assert NO_PERSON not in headline(used, BETTER)
    assert pairs_sentence(used).startswith("All who judged the same pair gave the same answer")
    assert second_choices(used) == (2, 3, 0)
    assert len(second_choices_on(pairs)) == 4
    assert (settled_pairs(pairs)[0].answer, settled_pairs(pairs)[0].people) == ("chosen", 2)
    assert paces(used)[BETTER].n == 4
    state = state_of(queue)
    assert state.row["People"] == 2


def test_a_queue_tells_rules_from_names_that_were_typed(said: Said, data_dir: Path) -> None:
    queue = said.pairs(1)
    said.choose(queue, ONE, {0: "chosen"})
    said.choose(queue, ADA, {0: "chosen"}, seconds=3.0)
    assert state_of(queue).sentence.endswith(f"; Ada (not verified) 1, {ONE} 1.")


def test_what_rules_say_of_replies_corrects_no_labeler(said: Said, pairs: PreparedDataset) -> None:
    import numpy as np

    texts = said.queue([(0, "chosen"), (1, "chosen")], keys=(REFUSAL,))
    said.say(texts, ONE, 0, "chosen", {REFUSAL: True})
    rows = np.arange(ROWS)
    assert people_on(pairs, rows) is None
    said.say(texts, ADA, 1, "chosen", {REFUSAL: True}, seconds=3.0)
    found = people_on(pairs, rows)
    assert found is not None
    assert found.count == 1
    assert np.flatnonzero(~np.isnan(found.said.chosen[:, 0])).tolist() == [1]


def test_where_rules_differ_it_is_not_people_who_do(said: Said, pairs: PreparedDataset) -> None:
    ((queue, items),) = queues_to_settle(pairs).values()
    assert who_differs(items) == "Rules"
    said.choose(queue, ADA, {4: "rejected"}, seconds=3.0)
    ((_, items),) = queues_to_settle(pairs).values()
    assert who_differs(items) == "People"


def test_the_chart_draws_rules_as_rules(said: Said, pairs: PreparedDataset) -> None:
    table = choices_table(choices_beside(pairs, used_opinions(pairs)))
    assert dict(zip(table["name"], table["kind"], strict=True))[ONE] == "rule"
    drawn = who_dots(table)
    assert not isinstance(drawn, str)
    text = drawn.to_json()
    assert "a rule with the others" in text
    assert KIND_COLOURS["rule"] in text
