"""Studies are runs on the same rows; two runs are compared on the rows they share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from fakes.reward_models import Fakes
from given.made_runs import (
    TWO_MODELS,
    at_work,
    failed,
    finished,
    queued,
    spec_of_file,
    spec_of_sample,
)

from ivan_core.domain.errors import BadInput
from ivan_core.engine import archive, handling as runs
from ivan_core.engine.set_beside import beside
from ivan_core.engine.studies import Stage, abouts_of, studies, study_of
from ivan_core.experiments.compare.sentences import compare_runs
from ivan_core.metrics.intervals import PROMPT
from ivan_core.metrics.two_runs import two_runs, two_runs_sentence

ONE = TWO_MODELS[:1]


def table(
    model: str, margins: dict[int, float | None], seen: Mapping[int, bool] | None = None
) -> pd.DataFrame:
    """A scores table of one model from its margins by row id, and which rows it was trained on."""
    verdicts = [
        None if m is None else "tie" if m == 0 else "agree" if m > 0 else "disagree"
        for m in margins.values()
    ]
    return pd.DataFrame(
        {
            "row_id": list(margins),
            "model": model,
            "verdict": verdicts,
            "margin": [float("nan") if m is None else m for m in margins.values()],
            "identical": False,
            "failure": ["failed" if m is None else None for m in margins.values()],
            "chosen_truncated": False,
            "rejected_truncated": False,
            "seen": pd.array([(seen or {}).get(row) for row in margins], "boolean"),
        }
    )


def test_runs_on_the_same_rows_are_one_study(data_dir: Path, pairs_file: Path) -> None:
    first = finished(data_dir, spec_of_file(pairs_file, limit=10))
    second = finished(data_dir, spec_of_file(pairs_file, ONE, row_ids=tuple(range(9, -1, -1))))
    other = finished(data_dir, spec_of_file(pairs_file, ONE, seed=4))
    found = {study.id: study for study in studies()}
    assert len(found) == 2
    small = study_of(first)
    assert small is not None and set(small.runs) == {first, second} and small.rows == 10
    whole = study_of(other)
    assert whole is not None and whole.runs == (other,) and whole.rows == 40
    assert small.fingerprint == whole.fingerprint and small.dataset == pairs_file.name


def test_another_draw_is_another_study_and_the_seed_of_the_order_is_not(
    data_dir: Path, pairs_file: Path
) -> None:
    drawn = [finished(data_dir, spec_of_file(pairs_file, ONE, sample=9, seed=s)) for s in (1, 2)]
    whole = [finished(data_dir, spec_of_file(pairs_file, ONE, seed=s)) for s in (1, 2)]
    ids = [study.id for run_id in (*drawn, *whole) if (study := study_of(run_id))]
    assert ids[0] != ids[1] and ids[2] == ids[3]


def test_stages_count_pairs_and_name_the_next_step(data_dir: Path, pairs_file: Path) -> None:
    stopped = failed(data_dir, spec_of_file(pairs_file))
    study = study_of(stopped)
    assert study is not None
    assert study.stages[0].done in range(1, 40) and not study.stages[0].finished
    finished(data_dir, spec_of_file(pairs_file, ONE))
    study = study_of(stopped)
    assert study is not None
    names = ("Labels", "Rewording", "Analysis", "Review")
    assert study.stages == (Stage("Compare", 40, 40), *(Stage(name, None, 40) for name in names))


def test_a_run_that_read_no_dataset_yet_is_in_no_study(data_dir: Path, pairs_file: Path) -> None:
    assert study_of(queued(data_dir, spec_of_file(pairs_file))) is None
    with at_work(data_dir, spec_of_file(pairs_file, limit=39)) as busy:
        assert study_of(busy) is not None
    gone = finished(data_dir, spec_of_file(pairs_file, row_ids=(99,)))
    assert study_of(gone) is None
    with pytest.raises(BadInput, match="no run"):
        study_of("2000-01-01-00-00")


def test_what_listed_runs_are_about_is_told_at_once(data_dir: Path, pairs_file: Path) -> None:
    begun = finished(data_dir, spec_of_file(pairs_file, ONE, limit=10))
    waiting = queued(data_dir, spec_of_file(pairs_file, ONE))
    missing = finished(data_dir, spec_of_file(pairs_file.with_name("missing.jsonl"), ONE))
    told = abouts_of([runs.get(run_id) for run_id in (begun, waiting, missing)])
    assert {run_id: about.name for run_id, about in told.items()} == {
        begun: "pairs.jsonl · 10 pairs",
        waiting: "pairs.jsonl · 40 pairs",
    }


def test_a_deleted_run_leaves_its_study(data_dir: Path, pairs_file: Path) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file, ONE))
    assert len(studies()) == 1
    archive.delete(run_id)
    assert studies() == []


def test_a_dataset_that_comes_back_brings_its_runs_along(data_dir: Path, pairs_file: Path) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file, ONE))
    away = (data_dir / "datasets").rename(data_dir / "away")
    assert studies() == []
    away.rename(data_dir / "datasets")
    assert [study.runs for study in studies()] == [(run_id,)]


def test_two_runs_by_hand() -> None:
    # Shared rows 2..5. Row 2 agrees in both, 3 is gained, 4 lost, 5 turns from tie to disagree.
    first = table("m", {1: 1.0, 2: 2.0, 3: -1.0, 4: 1.0, 5: 0.0})
    second = table("m", {2: 4.0, 3: 1.0, 4: -1.0, 5: -2.0, 6: 1.0})
    found = two_runs(first, second)
    assert (found.rows, found.shared) == ((5, 5), 4)
    (pair,) = found.pairs
    assert (pair.n, pair.changed, pair.gained, pair.lost) == (4, 3, 1, 1)
    # Margins (2, -1, 1, 0) and (4, 1, -1, -2): means 0.5 and 0.5, covariance 5, squares 5 and 21.
    assert pair.correlation == pytest.approx(5 / (5 * 21) ** 0.5)
    rates = [dict(found.first)["m"], dict(found.second)["m"]]
    assert [(rate.count, rate.n) for rate in rates if rate] == [(2, 4), (2, 4)]
    assert two_runs_sentence(found, "A", "B") == (
        "A and B share 4 pairs (of 5 and 5).\n"
        "m agrees with the choice in 50% [15, 85] of 4, in both; 3 of 4 verdicts differ"
        " (1 gained, 1 lost); margins correlate at 0.488.\n"
        "Nobody says on how many of 4 pairs m was trained."
    )


def test_only_pairs_that_both_rated_are_compared() -> None:
    found = two_runs(table("m", {1: 1.0, 2: None, 3: 1.0}), table("m", {1: 1.0, 2: 1.0, 3: None}))
    assert found.shared == 3 and found.pairs[0].n == 1
    assert found.pairs[0].correlation is None
    assert [rate.n for _, rate in (*found.first, *found.second) if rate] == [2, 2]


def test_a_model_in_both_runs_is_set_beside_itself_the_others_beside_each_other() -> None:
    margins: dict[int, float | None] = {1: 1.0, 2: -1.0, 3: 0.5}
    first = pd.concat([table("same", margins), table("old", margins)])
    second = pd.concat([table("new", margins), table("same", margins)])
    found = two_runs(first, second)
    assert [(pair.first, pair.second) for pair in found.pairs] == [("same", "same"), ("old", "new")]
    assert all(pair.changed == 0 and pair.correlation == 1 for pair in found.pairs)
    told = two_runs_sentence(found, "A", "B")
    assert "share all 3 pairs" in told and "correlate at 1.000" in told
    assert two_runs_sentence(two_runs(first, table("m", {9: 1.0})), "A", "B") == (
        "A and B share no pairs."
    )


def test_numbers_of_two_runs_rest_on_pairs_that_no_model_was_trained_on() -> None:
    """Of rows 1..6 `a` was trained on 1 and 2, where it agrees; of the others it agrees on 3."""
    margins: dict[int, float | None] = {1: 1.0, 2: 2.0, 3: 1.0, 4: -1.0, 5: -2.0, 6: -3.0}
    a = table("a", margins, {row: row < 3 for row in margins})
    b = table("b", dict.fromkeys(margins, -2.0), dict.fromkeys(margins, False))
    found = two_runs(a, b)
    (pair,) = found.pairs
    assert (pair.n, pair.changed, pair.lost, pair.left_out) == (4, 1, 1, 2)
    assert two_runs_sentence(found, "A", "B") == (
        "A and B share all 6 pairs.\n"
        "a agrees with the choice in 25% [5, 70] of 4, b in 0% [0, 39] of 6;"
        " 1 of 4 verdicts differ (0 gained, 1 lost); 2 pairs that one of them was trained on are"
        " left out of these.\n"
        "a was trained on 2 of 6 pairs; its figures are about the 4 others.\n"
        "b was trained on none of 6 pairs."
    )
    same = two_runs_sentence(two_runs(a, a), "A", "B")
    assert "2 pairs that it was trained on are left out of these" in same
    assert same.count("a was trained on") == 1
    fewer = two_runs_sentence(two_runs(a, a[a["row_id"] < 6].assign(seen=None)), "A", "B")
    assert "In A: a was trained on 2 of 5 pairs" in fewer
    assert "In B: Nobody says on how many of 5 pairs a was trained." in fewer


def test_a_model_on_its_training_pairs_beside_another_is_never_clear() -> None:
    margins: dict[int, float | None] = dict.fromkeys(range(60), 1.0)
    trained = table("a", margins, dict.fromkeys(margins, True))
    other = table("b", dict.fromkeys(margins, -1.0), dict.fromkeys(margins, False))
    told = two_runs_sentence(two_runs(trained, other), "A", "B")
    assert "a was trained on all 60 pairs: no figure here is about pairs it has not seen." in told
    assert told.endswith(
        "a was trained on these very pairs and b was not, so no difference here is called clear."
    )
    unknown = table("c", margins)
    card = two_runs_sentence(two_runs(unknown, other, ({"c": True}, {})), "A", "B")
    assert "c was trained on this dataset, nobody says on which pairs" in card
    again = two_runs_sentence(two_runs(trained, trained), "A", "B")
    assert "clear" not in again


def test_two_runs_on_repeated_prompts_say_as_if_of_how_many_pairs() -> None:
    """Four prompts of five pairs each, alike within: as good as four pairs."""
    margins: dict[int, float | None] = {row: 1.0 if row < 10 else -1.0 for row in range(20)}
    one = table("m", margins).assign(**{PROMPT: [row // 5 for row in range(20)]})
    told = two_runs_sentence(two_runs(one, one), "A", "B")
    # Between groups 4 * 5**2 * .25 = 25 over 3 of 4; within 20 * .25 = 5 over 19 of 20: 6.33.
    assert "of 20 (prompts repeat: as if n = 3), in both" in told


def test_runs_on_the_same_dataset_are_compared(data_dir: Path, pairs_file: Path) -> None:
    first = finished(data_dir, spec_of_file(pairs_file, limit=20))
    again = finished(data_dir, spec_of_file(pairs_file, limit=30), Fakes(revision="r2"))
    found = compare_runs(first, again)
    assert (found.rows, found.shared) == ((20, 30), 20)
    assert [pair.changed for pair in found.pairs] == [0, 0], "the fakes are the same"
    other = finished(data_dir, spec_of_sample(limit=5))
    with pytest.raises(BadInput, match="holds other pairs"):
        compare_runs(first, other)
    with pytest.raises(BadInput, match="named twice"):
        beside(first, first)
    assert beside(first, again) == two_runs_sentence(found, first, again)
    apart = finished(data_dir, spec_of_file(pairs_file, row_ids=(39,)))
    with pytest.raises(BadInput, match="share no pairs"):
        compare_runs(first, apart)
