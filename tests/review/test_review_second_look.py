"""Queues of pairs worth a second look: half listed, half random, blind; and what people say."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_analyses import PAIRS, SIDES, Analysing
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file

from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.engine.opinions import used_opinions
from ivan_core.engine.second_choices import second_choices_on
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.robustness.labels import difference_interval
from ivan_core.review.queues import make_queue, plan_queue, queue_request
from ivan_core.review.second_look import LEAST, halves, most_to_ask, preferred, preferred_sentence
from ivan_core.review.sentences import review_quotes


@pytest.fixture
def analysed(analysing: Analysing) -> Analysed:
    return open_analysis(analysing.analysed(analysing.compared(), analysing.labelled()))


def asked(analysed: Analysed, **fields: object) -> dict[str, object]:
    return {
        "dataset": analysed.dataset.fingerprint,
        "source": "second-look",
        "runs": (analysed.run.id,),
        **fields,
    }


def made(analysed: Analysed, count: int = 20, **fields: object) -> Queue:
    return make_queue(queue_request(asked(analysed, count=count, **fields)))


def test_half_are_the_first_of_the_list_and_half_random_ones_of_all_others(
    analysed: Analysed, data_dir: Path
) -> None:
    queue = made(analysed)
    items = Queues(data_dir).items(queue.id)
    ranked = analysed.tables["second-look"]["row_id"].tolist()
    listed = [one.row_id for one in items if one.listed]
    random = [one.row_id for one in items if not one.listed]
    assert sorted(listed) == sorted(ranked[:10]) and len(random) == 10
    assert not set(listed) & set(random) and set(random) & set(ranked), "the others are of all"
    flags = [one.listed for one in items]
    assert flags != sorted(flags) and flags != sorted(flags, reverse=True), "they are shuffled"
    assert listed != ranked[:10]


def test_the_same_seed_draws_the_same_and_another_one_others(analysed: Analysed) -> None:
    first, same, other = (halves(analysed, 20, seed) for seed in (0, 0, 1))
    assert first == same
    assert first.listed == other.listed and first.random != other.random


def test_both_halves_have_one_size_however_many_are_asked_for(analysed: Analysed) -> None:
    for count in (2, 3, 21, 5_000):
        both = halves(analysed, count)
        assert len(both.listed) == len(both.random) == min(count, most_to_ask(analysed)) // 2


def test_a_second_queue_asks_about_further_pairs_until_none_is_left(
    analysed: Analysed, data_dir: Path
) -> None:
    first, second = made(analysed), made(analysed)
    items = [Queues(data_dir).items(queue.id) for queue in (first, second)]
    rows = [{one.row_id for one in own} for own in items]
    assert [len(own) for own in rows] == [20, 20] and not rows[0] & rows[1]
    ranked = [row for row in analysed.tables["second-look"]["row_id"] if row not in rows[0]]
    assert {one.row_id for one in items[1] if one.listed} == set(ranked[:10])
    while most_to_ask(analysed):
        made(analysed)
    with pytest.raises(BadInput, match="about all pairs of the list already"):
        made(analysed)
    said = Said(data_dir, analysed.dataset.fingerprint)
    kept = items[0][0].row_id
    said.choose(first, "Ada", {kept: "chosen"})
    Queues(data_dir).close(first.id)
    free = {one.row_id for one in Queues(data_dir).items(made(analysed).id)}
    assert free & rows[0] and kept not in free, "what nobody judged is free again"
    assert not free & rows[1]


def test_without_a_run_the_newest_analysis_is_meant(analysed: Analysed) -> None:
    drawn = plan_queue(queue_request(asked(analysed, runs=(), count=20)))
    assert f"on the list of run {analysed.run.id}" in drawn.sentence


def test_nobody_is_told_of_the_list_and_no_other_pairs_come_first(
    analysed: Analysed, data_dir: Path
) -> None:
    queue = made(analysed)
    assert queue.title == "Which reply is better? 20 items"
    assert queue.prefill == "" and not queue.tells and not queue.random
    assert not Queues(data_dir).items(queue.companion)
    first = Queues(data_dir).next_item(queue, "Ada")
    assert first is not None and first.queue == queue.id
    assert Queues(data_dir).judged(queue, "Ada") == (0, 20)


def test_the_plan_says_what_the_halves_are(analysed: Analysed) -> None:
    drawn = plan_queue(queue_request(asked(analysed, count=20)))
    assert drawn.sentence == (
        f"All 20 pairs half first on the list of run {analysed.run.id}, half random, in random"
        " order, seed 0."
    )


def test_what_cannot_be_asked_is_refused_in_a_sentence(
    analysed: Analysed, data_dir: Path, pairs_file: Path
) -> None:
    with pytest.raises(BadInput, match="which of two replies is better"):
        made(analysed, task="describe")
    finished(data_dir, spec_of_file(pairs_file))
    other = datasets.find(DatasetRequest(source=str(pairs_file)))
    assert other is not None
    with pytest.raises(BadInput, match="an analysis of other pairs"):
        made(analysed, dataset=other.fingerprint)


def people(
    analysed: Analysed, said: Said, queue: Queue, listed: tuple[int, int], random: tuple[int, int]
) -> None:
    """So many answers on pairs of each half, the first of which prefer the other reply."""
    items = Queues(said.data_dir).items(queue.id)
    for flag, (against, count) in ((True, listed), (False, random)):
        rows = [one.row_id for one in items if one.listed is flag][:count]
        sides = {row: SIDES[place < against] for place, row in enumerate(rows)}
        said.choose(queue, "Ada", sides)


def test_from_thirty_answers_on_each_half_their_shares_are_told(
    analysed: Analysed, data_dir: Path
) -> None:
    assert preferred(analysed.dataset) is None
    said = Said(data_dir, analysed.dataset.fingerprint)
    queue = made(analysed, PAIRS)
    people(analysed, said, queue, (20, LEAST), (6, LEAST - 1))
    before = preferred(analysed.dataset)
    assert before is not None and not before.enough
    assert preferred_sentence(before) == (
        "People gave 30 answers on listed pairs and 29 on random ones; what they prefer is told"
        " from 30 each."
    )
    people(analysed, said, queue, (20, LEAST), (6, LEAST))
    found = preferred(analysed.dataset)
    assert found is not None and found.listed is not None and found.random is not None
    assert (found.listed, found.random) == (wilson(20, 30), wilson(6, 30))
    assert (found.low, found.high) == difference_interval(found.listed, found.random)
    # Wilson 20/30: .4878, .8077; 6/30: .0951, .3731. Newcombe: .4667 - sqrt(.1789² + .1731²), ...
    assert (found.low, found.high) == pytest.approx((0.2178, 0.6425), abs=1e-4)
    assert preferred_sentence(found) == (
        "People prefer the other reply in 67% [49, 81] of 30 answers on listed pairs and in"
        " 20% [10, 37] of 30 on random ones: a difference of +47 points [+22, +64]."
    )


def test_two_answers_on_a_pair_widen_what_is_told(analysed: Analysed, data_dir: Path) -> None:
    said = Said(data_dir, analysed.dataset.fingerprint)
    queue = made(analysed, PAIRS)
    items = Queues(data_dir).items(queue.id)
    for name in ("Ada", "Bob"):
        for flag in (True, False):
            rows = [one.row_id for one in items if one.listed is flag][:20]
            said.choose(queue, name, {row: SIDES[row % 2] for row in rows})
    found = preferred(analysed.dataset)
    assert found is not None and found.listed is not None and found.random is not None
    told, apart = preferred_sentence(found), "(answers share pairs or prompts: as if n = "
    assert found.listed.effective_n < 21, "two of one mind tell as much as one"
    assert f"of 40 answers on listed pairs {apart}{found.listed.effective_n}) and in" in told
    assert f"of 40 on random ones {apart}{found.random.effective_n}): a difference of" in told


def test_only_blind_first_answers_that_say_something_count(
    analysed: Analysed, data_dir: Path
) -> None:
    said = Said(data_dir, analysed.dataset.fingerprint)
    earlier = said.pairs(PAIRS)
    queue = made(analysed)
    rows = [one.row_id for one in Queues(data_dir).items(queue.id) if one.listed]
    said.choose(earlier, "Ada", {rows[0]: "rejected"})
    said.choose(queue, "Ada", {rows[0]: "rejected", rows[1]: "none", rows[2]: None})
    said.choose(queue, "Bob", {rows[3]: "rejected"}, seconds=0.3)
    said.choose(queue, "Cleo", {rows[3]: "rejected"}, blind=False)
    said.say(queue, "Dan", rows[4], "both", {}, skipped=True)
    said.choose(queue, "Eve", {rows[1]: "rejected"})
    found = preferred(analysed.dataset)
    assert found is not None and found.listed is not None and found.random is None
    assert (found.listed.count, found.listed.n) == (1, 2)
    assert found.listed.design == 2.0, "two answers on one pair tell as much as one"
    assert len(second_choices_on(analysed.dataset)) == 4


def test_such_answers_enter_no_other_rate(analysed: Analysed, data_dir: Path) -> None:
    said = Said(data_dir, analysed.dataset.fingerprint)
    people(analysed, said, made(analysed, PAIRS), (20, 30), (6, 30))
    used = used_opinions(analysed.dataset)
    assert used.opinions == 0 and used.left_out["not_random"] == 60
    told = [one.sentence for one in review_quotes(used)]
    assert told == [preferred_sentence(found) for found in [preferred(analysed.dataset)] if found]
