"""Both replies of random pairs: their order, who judges them, and how many pairs are whole."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from given.made_labellings import REFUSAL
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file
from openpyxl import load_workbook

from ivan_core import settings
from ivan_core.annotations.queues import Queues
from ivan_core.domain.reviews import Item, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.review.flow import next_place, standing
from ivan_core.review.queues import make_queue, plan_queue, queue_request, queues_of, state_of
from ivan_core.review.sheets.sheets import export_file
from ivan_core.review.whole_pairs import APART, both_of_each, whole_rows


@pytest.fixture
def forty(data_dir: Path, pairs_file: Path) -> str:
    """Forty pairs that two models have judged."""
    finished(data_dir, spec_of_file(pairs_file))
    found = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert found is not None
    return found.fingerprint


def of_pairs(dataset: str, pairs: int, **fields: object) -> dict[str, object]:
    return {
        "dataset": dataset,
        "task": "describe",
        "sides": "both",
        "count": 2 * pairs,
        "keys": (REFUSAL,),
        **fields,
    }


def made(dataset: str, pairs: int, **fields: object) -> tuple[Queue, list[Item]]:
    queue = make_queue(queue_request(of_pairs(dataset, pairs, **fields)))
    return queue, Queues(settings.data_dir()).items(queue.id)


@pytest.mark.parametrize("rows", [2, 9, 10, 19, 20, 37, 300])
def test_the_replies_of_a_pair_are_both_there_and_never_side_by_side(rows: int) -> None:
    items = both_of_each(list(range(rows)), random.Random(0))
    assert len(items) == len(set(items)) == 2 * rows
    places: dict[int, list[int]] = {}
    for place, (row, _) in enumerate(items):
        places.setdefault(row, []).append(place)
    apart = {second - first for first, second in places.values()}
    assert min(apart) >= min(rows, APART) and max(apart) < 2 * APART
    first = Counter(items[min(own)][1] for own in places.values())
    assert rows < 20 or min(first.values()) > rows / 4, "which comes first is drawn by chance"


def test_who_stops_early_leaves_few_halves() -> None:
    items = both_of_each(list(range(300)), random.Random(0))
    for stopped in range(0, 600, 7):
        done = Counter(row for row, _ in items[:stopped])
        assert sum(sides == 1 for sides in done.values()) < 2 * APART


def test_a_queue_of_pairs_is_random_blind_and_says_what_it_holds(forty: str) -> None:
    queue, items = made(forty, 12)
    assert queue.random and queue.companion == 0 and queue.prefill == ""
    assert queue.title == "Describe both replies of 12 random pairs"
    assert len(items) == 24 and len(whole_rows(items)) == 12
    assert plan_queue(queue_request(of_pairs(forty, 12))).sentence == (
        "12 of 40 pairs of the dataset, both replies of each, drawn at random, seed 0. The two"
        " replies of a pair are never side by side."
    )
    assert [one.id for one in queues_of(forty)] == [queue.id]
    assert whole_rows(made(forty, 12, seed=1)[1]) != whole_rows(items)
    odd, of_odd = made(forty, 12, count=25)
    assert len(of_odd) == 24 and odd.title == queue.title
    named, of_named = made(forty, 3, source="rows", row_ids=(4, 9, 11))
    assert whole_rows(of_named) == {4, 9, 11} and not named.random


def test_half_a_pair_does_not_count_whoever_described_it(forty: str, data_dir: Path) -> None:
    queue, items = made(forty, 4)
    assert state_of(queue).of_pairs == "Of 0 of 4 pairs both replies are described."
    said = Said(data_dir, forty)
    first, second = items[0], next(i for i in items[1:] if i.row_id == items[0].row_id)
    said.say(queue, "Ada", first.row_id, first.side, {REFUSAL: True})
    said.say(queue, "Ada", items[1].row_id, items[1].side, {REFUSAL: True})
    said.say(queue, "Bob", items[2].row_id, items[2].side, {}, skipped=True)
    assert state_of(queue).of_pairs == (
        "Of 0 of 4 pairs both replies are described; 2 pairs have one described, which does not"
        " count."
    )
    said.say(queue, "Bob", second.row_id, second.side, {REFUSAL: False})
    assert state_of(queue).of_pairs == (
        "Of 1 of 4 pairs both replies are described; 1 pair has one described, which does not"
        " count."
    )
    assert state_of(said.queue([(1, "chosen")], (REFUSAL,))).of_pairs == ""


def test_several_people_share_a_queue_and_nobody_reads_a_pair_twice_in_a_row(
    forty: str, data_dir: Path
) -> None:
    queue, items = made(forty, 20, opinions=1)
    said, people = Said(data_dir, forty), ("Ada", "Bob", "Cleo")
    draw, seen = random.Random(3), {name: list[int]() for name in people}
    while True:
        name = draw.choice(people)
        place = next_place(standing(queue, name))  # as after a reload: nothing else is kept
        assert place is not None
        seen[name].append(place.row_id)
        skips = draw.random() < 0.2
        answers = {} if skips else {REFUSAL: True}
        said.say(queue, name, place.row_id, place.side, answers, skipped=skips)
        if state_of(queue).whole == 20:
            break
    for own in seen.values():
        assert all(one != other for one, other in pairwise(own))
    assert sum(map(len, seen.values())) < 2 * len(items), "few items are described twice"


def test_a_sheet_of_pairs_tells_nothing_of_what_was_chosen(
    forty: str, data_dir: Path, tmp_path: Path
) -> None:
    queue, _ = made(forty, 20)
    path = tmp_path / "ada.xlsx"
    export_file(queue.id, path, "Ada")
    book = load_workbook(path)
    cells = [str(cell.value) for sheet in book for row in sheet for cell in row if cell.value]
    assert not any("chosen" in one.lower() or "rejected" in one.lower() for one in cells)
