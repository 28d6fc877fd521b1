"""What people could be asked next: which pairs, in which words, for how many minutes."""

from __future__ import annotations

import pytest
from given.made_labellings import FIRST, REFUSAL, SECOND, Labellings
from given.made_reviews import Said
from given.made_runs import finished, spec_of_sample

from ivan_core.engine import studies
from ivan_core.experiments.compare.results import open_results
from ivan_core.review.asking import asked_before, worth_asking, worth_describing

HARMLESS, CONTROL = "ivan/minilm-harmless", "ivan/minilm-control"


def about_run(run_id: str) -> studies.About:
    about = studies.about_run(run_id)
    assert about is not None
    return about


def against(run_id: str, model: str) -> int:
    table = open_results(run_id).table
    return int((table["model"].eq(model) & table["verdict"].eq("disagree")).sum())


def test_of_one_model_people_are_asked_where_it_goes_against_the_choice(data_dir):
    run_id = finished(data_dir, spec_of_sample(limit=20, models=(HARMLESS,)))
    asking = worth_asking(about_run(run_id), frozenset())
    assert asking is not None
    count = against(run_id, HARMLESS)
    assert (
        asking.does == f"Ask people about the {count} pairs where the model goes against the choice"
    )
    # Half a minute a pair is taken, the thirty random ones that come first included.
    assert (asking.count, asking.first, asking.minutes) == (count, 30, round((count + 30) / 2))
    assert len(asking.rows) == count


def test_of_many_pairs_thirty_are_asked_at_the_pace_of_people_here(data_dir):
    run_id = finished(data_dir, spec_of_sample())
    about = about_run(run_id)
    said = Said(data_dir, about.fingerprint)
    queue = said.pairs(12)
    said.choose(queue, "Ada", dict.fromkeys(range(12), "chosen"), seconds=6.0)
    asking = worth_asking(about, asked_before(about))
    assert asking is not None and len(asking.rows) > 40
    assert (
        asking.does
        == f"Ask people about 30 of the {len(asking.rows):,} pairs where the models part"
    )
    assert (asking.count, asking.minutes) == (30, 6)


@pytest.mark.parametrize("source", ["rows", "starred", "against", "second-look"])
def test_who_was_asked_about_picked_pairs_is_not_asked_again(data_dir, source):
    run_id = finished(data_dir, spec_of_sample(limit=20))
    about = about_run(run_id)
    Said(data_dir, about.fingerprint).pairs(3, source=source)
    assert worth_asking(about, asked_before(about)) is None


def test_models_that_never_part_are_named_together(data_dir):
    run_id = finished(data_dir, spec_of_sample(limit=20, models=(HARMLESS, CONTROL)))
    results = open_results(run_id)
    table = results.table
    first = table[table["model"].eq(HARMLESS)].set_index("row_id")
    for column in ("verdict", "margin", "chosen_reward", "rejected_reward"):
        table[column] = table["row_id"].map(first[column])
    vars(results).pop("aligned", None)
    asking = worth_asking(about_run(run_id), frozenset())
    assert asking is not None
    assert asking.does.endswith(" pairs where the models go against the choice")


def test_who_described_replies_was_not_asked_which_is_better(data_dir, labellings: Labellings):
    labellings.made("first:1b", FIRST)
    about = about_run(labellings.made("second:1b", SECOND, seed=1))
    said = Said(data_dir, about.fingerprint)
    said.queue([(1, "chosen")], (REFUSAL,), source="disagreements")
    asked = asked_before(about)
    assert asked == {("describe", "disagreements")}
    assert worth_describing(about, asked) is None
    assert worth_describing(about, frozenset({("better", "rows")})) is not None
    asking = worth_asking(about, asked)
    assert asking is not None and asking.does == "Ask people about 4 random pairs"


def test_two_labelers_who_never_differ_leave_nothing_to_describe(labellings: Labellings):
    labellings.made("first:1b", FIRST)
    about = about_run(labellings.made("second:1b", FIRST, seed=1))
    assert worth_describing(about, frozenset()) is None
