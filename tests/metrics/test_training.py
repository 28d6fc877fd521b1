"""Pairs that a model was trained on: how many they are, and that nothing is clear on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from given import made_runs
from given.made_scores import scores

from ivan_core.datasets.prepared import pair_hash
from ivan_core.domain.runs import RunState
from ivan_core.engine import datasets, figures
from ivan_core.engine.work import BEGUN
from ivan_core.experiments.compare.findings import findings
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.sentences import quotes, two_models
from ivan_core.experiments.compare.tables import training_so_far
from ivan_core.metrics.comparison_sentences import difference_sentence
from ivan_core.metrics.paired import paired_difference, shared_rows
from ivan_core.metrics.training import (
    Training,
    fair_pairs,
    never_clear,
    trained_on,
    trained_on_pair,
    training_of,
    trainings_told,
    unseen_rows,
)
from ivan_core.runs.context import Parts

HARMLESS, CONTROL = made_runs.TWO_MODELS


def table(first: list[bool | None], second: list[bool | None]) -> pd.DataFrame:
    """Two models on the same pairs: `a` always agrees, `b` never; which pairs each has seen."""
    n = len(first)
    a = scores([(2, 1)] * n, "a", seen=first)
    b = scores([(1, 2)] * n, "b", seen=second)
    return pd.concat([a, b], ignore_index=True)


def test_training_pairs_are_counted_for_each_model() -> None:
    found = training_of(table([True, True, False], [None, None, None]), {"b": True})
    assert found["a"] == Training("a", 3, 2, 1)
    assert found["a"].sentence == (
        "a was trained on 2 of 3 pairs; its figures are about the other one."
    )
    assert found["b"] == Training("b", 3, 0, 0, card_says=True)
    assert "its figures may be about pairs it has seen" in found["b"].caveat
    assert not Training("c", 3, 0, 3).caveat and not Training("c", 3, 0, 0).caveat


def test_figures_rest_on_unseen_rows_where_there_are_any() -> None:
    mixed = table([True, True, False], [None, None, None])
    assert list(unseen_rows(mixed)["model"]) == ["a", "b", "b", "b"]
    everything = table([True, True, True], [False, False, False])
    assert unseen_rows(everything) is everything


def _difference(both: pd.DataFrame) -> str:
    training = training_of(both, {})
    shared = fair_pairs(shared_rows(both, "a", "b"))
    against = never_clear(shared, training["a"], training["b"])
    found = paired_difference(shared)
    return difference_sentence(
        found, "a", "b", "people's choice", complete=True, never_clear=against
    )


def test_a_model_on_its_training_pairs_is_never_clearly_better() -> None:
    told = _difference(table([True] * 60, [False] * 60))
    assert told.endswith(
        "a was trained on these very pairs and b was not, so no difference here is called clear."
    )
    assert "b were trained on pairs among these" in _difference(table([True] * 60, [True] * 60))
    assert "nobody says it of b" in _difference(table([True] * 60, [None] * 60))


def test_only_pairs_that_both_rated_say_who_was_trained_on_them() -> None:
    """`a` has seen the 60 pairs that both rated; `b` has seen others, which `a` could not rate."""
    a = scores([(2, 1)] * 60 + [(None, None)] * 40, "a", seen=[True] * 60 + [False] * 40)
    b = scores([(1, 2)] * 100, "b", seen=[False] * 60 + [True] * 40)
    told = _difference(pd.concat([a, b], ignore_index=True))
    assert told.endswith(
        "a was trained on these very pairs and b was not, so no difference here is called clear."
    )
    # Of the shared pairs nobody says it of b, though it is known that b has not seen others.
    b["seen"] = pd.array([None] * 60 + [False] * 40, "boolean")
    assert "nobody says it of b" in _difference(pd.concat([a, b], ignore_index=True))


def test_pairs_that_neither_has_seen_may_show_a_clear_difference() -> None:
    told = _difference(table([True] * 60 + [False] * 40, [False] * 100))
    assert "of 40 pairs both rated" in told and told.endswith("This difference is clear.")


def test_a_card_that_names_the_dataset_and_no_pairs_is_reason_enough() -> None:
    both = table([None] * 60, [False] * 60)
    training = training_of(both, {"a": True, "b": False})
    shared = shared_rows(both, "a", "b")
    assert never_clear(shared, training["a"], training["b"]).startswith(
        "a was trained on this dataset, nobody says on which pairs"
    )
    assert not never_clear(shared, replace(training["a"], card_says=None), training["b"])


@pytest.fixture
def run_id(data_dir: Path) -> str:
    """A finished comparison whose first model was trained on every pair."""
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))
    return _seen(data_dir, run_id, 120)


def _seen(data_dir: Path, run_id: str, rows: int) -> str:
    """Let the first model have been trained on so many of the first rows, the second on none."""
    path = data_dir / "runs" / run_id / "table.parquet"
    found = pd.read_parquet(path)
    of_first = found["model"].eq(HARMLESS)
    found["seen"] = (of_first & found["row_id"].lt(rows)).astype("boolean")
    found.to_parquet(path, index=False)
    return run_id


def _sentences(results: Results) -> list[str]:
    return [quote.sentence for quote in quotes(results)]


def test_no_number_of_a_model_on_its_training_pairs_goes_without_saying_so(run_id: str) -> None:
    results = open_results(run_id)
    rated = results.training[HARMLESS].rated
    told = [
        sentence for sentence in _sentences(results) if HARMLESS in sentence and "%" in sentence
    ]
    assert len(told) > 5
    without = [s for s in told if "trained on" not in s]
    # How often two models part, and how many pairs it needs, is no agreement with the choice.
    assert all(s.startswith("On ") and "only one of them" in s for s in without), without
    assert f"{HARMLESS} was trained on all {rated} pairs" in " ".join(_sentences(results))
    assert not any("This difference is clear" in s for s in _sentences(results))
    for finding in findings(results):
        assert "trained on" in finding.sentence or HARMLESS not in finding.sentence


@pytest.mark.parametrize("name", ["agreement", "length", "coverage", "verdicts", "rewards"])
def test_captions_and_methods_say_how_many_pairs_were_in_training(run_id: str, name: str) -> None:
    rated = open_results(run_id).training[HARMLESS].rated
    for text in (figures.caption(run_id, name), figures.methods(run_id, name)):
        assert f"{HARMLESS} was trained on all {rated} pairs: no figure here is about" in text
    if name != "rewards":
        assert f"{CONTROL} was trained on none of {rated} pairs." in figures.caption(run_id, name)


def test_what_a_figure_counts_leaves_training_pairs_out(data_dir: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120, seed=1))
    _seen(data_dir, run_id, 50)
    results = open_results(run_id)
    training = results.training[HARMLESS]
    assert training.on_some and training.seen + training.unseen == training.rated
    headline = results.summaries[0].headline
    assert headline is not None and headline.n == training.unseen
    assert f"of {training.unseen} pairs it was not trained on" in " ".join(_sentences(results))
    assert f"{HARMLESS} {headline.rate:.0%}" in figures.caption(run_id, "agreement")
    two = two_models(results, HARMLESS, CONTROL)
    assert two.left_out == training.seen and len(two.shared) == training.unseen
    assert f"{training.seen} pairs that one of them was trained on are left out" in " ".join(
        _sentences(results)
    )
    assert (
        f"n = {training.unseen} pairs that both rated ({training.seen} more that one of them was"
        " trained on are left out); in "
    ) in figures.caption(run_id, "two-margins")
    told = figures.caption(run_id, "margins", model=HARMLESS)
    assert f"n = {training.unseen} rated pairs." in told
    assert f"(root mean square of {training.rated} margins)" in told


def test_a_figure_of_one_pair_says_whether_the_models_were_trained_on_that_pair(
    data_dir: Path,
) -> None:
    assert trained_on_pair("m", -1) == "Nobody says whether m was trained on this pair."
    known = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120, seed=1))
    _seen(data_dir, known, 50)
    for row, word in ((49, ""), (50, "not ")):
        for take in (figures.caption, figures.methods):
            told = take(known, "pair-margins", row=str(row))
            assert f"{HARMLESS} was {word}trained on this pair." in told
            assert f"{CONTROL} was not trained on this pair." in told and "others" not in told


def test_numbers_so_far_say_that_a_model_was_trained_on_the_pairs(data_dir: Path) -> None:
    spec = made_runs.spec_of_sample(limit=60)
    run_id = made_runs.stopped(data_dir, spec, RunState.RUNNING)
    assert training_so_far(run_id, [HARMLESS]) == ""
    again = made_runs.stopped(data_dir, spec.model_copy(update={"seed": 1}), RunState.RUNNING)
    parts = Parts(data_dir / "runs" / again)
    (card,) = parts.rows(f"card|{HARMLESS}")
    dataset = datasets.by_fingerprint(parts.rows(BEGUN)[0]["dataset"])
    hashes = dataset.numbers(["chosen_hash", "rejected_hash"]).head(25)
    seen = [pair_hash(*pair) for pair in hashes.itertuples(index=False)]
    parts.append(f"card|{HARMLESS}", [{**card, "seen_hashes": seen}])
    told = training_so_far(again, [HARMLESS])
    assert told.startswith(f"{HARMLESS} was trained on 25 of the 60 pairs of this run: these are")


def test_numbers_on_all_pairs_say_on_how_many_of_them_a_model_was_trained() -> None:
    assert trained_on("m", 0, 7) == "m was trained on none of 7 pairs."
    assert trained_on("m", 3, 7) == "m was trained on 3 of 7 pairs."
    assert trained_on("m", 7, 7) == "m was trained on all 7 pairs."
    assert trained_on("m", None, 1) == "Nobody says on how many of 1 pair m was trained."


def test_models_that_were_trained_on_none_of_the_same_pairs_are_told_in_one_sentence() -> None:
    one, other = Training("a", 7, 0, 7), Training("b", 7, 0, 7)
    assert trainings_told([one, other]) == "Neither model was trained on any of 7 pairs."
    third = Training("c", 7, 0, 7)
    assert trainings_told([one, other, third]) == "No model was trained on any of 7 pairs."
    assert trainings_told([one]) == one.sentence
    for differs in (Training("b", 6, 0, 6), Training("b", 7, 2, 5), Training("b", 7, 0, 3)):
        assert trainings_told([one, differs]) == f"{one.sentence} {differs.sentence}"
