"""How long an answer takes: which ones are timed, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_labellings import REFUSAL, SENTIMENT
from given.made_reviews import Said

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.opinions import used_opinions
from ivan_core.review.pace import paces
from ivan_core.review.sentences import review_quotes


@pytest.fixture
def forty(data_dir: Path, pairs_file: Path) -> PreparedDataset:
    return prepare(data_dir, DatasetRequest(source=str(pairs_file)))


def test_the_median_is_that_of_answers_that_enter_rates(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.pairs(6)
    for row, seconds in enumerate((4.0, 8.0, 10.0, 30.0)):
        said.choose(queue, "Ada", {row: "chosen"}, seconds=seconds)
    said.choose(queue, "Bo", {0: None}, seconds=12.0)
    said.choose(queue, "Bo", {1: "chosen"}, seconds=0.4)  # nobody reads a pair in that time
    said.choose(queue, "Bo", {2: "chosen"}, skipped=True, seconds=500.0)
    said.choose(queue, "Bo", {3: "chosen"})  # from a sheet: nobody knows
    (pace,) = paces(used_opinions(forty)).values()
    assert (pace.n, pace.people, pace.median, pace.low, pace.high) == (5, 2, 10.0, 8.0, 12.0)
    assert pace.sentence == (
        "Choosing the better reply took 10 s a pair (median of 5 answers by 2 people; the middle"
        " half took 8.0 to 12 s). 1 more answer has no time, as in a sheet."
    )
    quotes = {one.question: one.sentence for one in review_quotes(used_opinions(forty))}
    assert quotes["How long does an answer take?"] == pace.sentence


def test_a_description_is_timed_once_it_is_whole_and_pauses_are_counted_aloud(
    data_dir: Path, forty: PreparedDataset
) -> None:
    said = Said(data_dir, forty.fingerprint)
    queue = said.queue([(row, "chosen") for row in range(3)], (REFUSAL, SENTIMENT))
    whole = {REFUSAL: True, SENTIMENT: "neutral"}
    said.say(queue, "Ada", 0, "chosen", whole, seconds=50.0)
    said.say(queue, "Ada", 1, "chosen", whole, seconds=4_000.0)
    said.say(queue, "Ada", 2, "chosen", {REFUSAL: True}, seconds=7.0)
    (pace,) = paces(used_opinions(forty)).values()
    assert pace.sentence == (
        "Describing a reply took 2,025 s a text with 2 questions (median of 2 answers by 1 person)."
        " 1 of them took over ten minutes, perhaps with a pause; it is counted."
    )


def test_where_no_time_is_known_nothing_is_said(data_dir: Path, forty: PreparedDataset) -> None:
    said = Said(data_dir, forty.fingerprint)
    said.choose(said.pairs(2), "Ada", {0: "chosen"})
    assert paces(used_opinions(forty)) == {}
