"""The results of a run as pages ask for them; how far models lie apart where they differ."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from fakes.reward_models import Fakes
from given import made_runs
from given.made_scores import scores

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.experiments.compare.results import files, judged_pair, open_results, rows_page
from ivan_core.experiments.compare.tables import align
from ivan_core.lists.cells import Verdicts
from ivan_core.lists.page import PAGE_ROWS
from ivan_core.metrics.intervals import number_text

ALL_HEX = "0123456789abcdef"


@pytest.fixture
def results(data_dir):
    return open_results(made_runs.finished(data_dir, made_runs.spec_of_sample()))


def test_results_hold_every_row_and_model_in_order(results):
    assert results.models == made_runs.TWO_MODELS
    assert results.row_ids == list(range(480))
    assert len(results.table) == 960
    assert results.manifest["rows"] == 480


def test_the_sharpest_disagreement_comes_first(results):
    typical = results.typical_margins

    def apart(row: int) -> float:
        own = results.table[results.table["row_id"] == row].set_index("model")["margin"]
        one, other = (own[model] / typical[model] for model in made_runs.TWO_MODELS)
        assert one * other <= 0
        return abs(one - other)

    sharpness = [apart(row) for row in results.sharpest[:20]]
    assert sharpness == sorted(sharpness, reverse=True)


def test_a_page_holds_fifty_rows_and_the_last_the_rest(results):
    rows = results.row_ids[:120]
    assert [len(rows_page(results, rows, page)) for page in (1, 2, 3)] == [PAGE_ROWS, PAGE_ROWS, 20]
    assert list(rows_page(results, rows, 2)["row_id"])[:2] == [50, 51]


@pytest.mark.parametrize(("asked", "first"), [(0, 0), (-3, 0), (4, 100), (99, 100)])
def test_a_page_that_does_not_exist_is_the_nearest(results, asked, first):
    assert rows_page(results, results.row_ids[:120], asked)["row_id"].iloc[0] == first


def test_rows_keep_the_order_asked_for(results):
    assert list(rows_page(results, [7, 3, 479], 1)["row_id"]) == [7, 3, 479]


def test_a_row_tells_verdict_and_margin_in_typical_margins(results):
    model = made_runs.TWO_MODELS[0]
    own = results.table[(results.table["model"] == model) & (results.table["row_id"] == 3)].iloc[0]
    told = rows_page(results, [3], 1).iloc[0][model]
    in_units = own["margin"] / results.typical_margins[model]
    assert told == Verdicts((own["verdict"],), number_text(in_units, 1, signed=True))


def test_rows_that_were_not_rated_say_so(data_dir):
    spec = made_runs.spec_of_sample(limit=20)
    results = open_results(made_runs.finished(data_dir, spec, Fakes(failing=ALL_HEX)))
    shown = rows_page(results, results.row_ids, 1)
    assert set(shown[made_runs.TWO_MODELS[0]]) == {Verdicts(("not rated",))}
    assert results.sharpest == []


def test_only_ties_have_no_unit(data_dir):
    spec = made_runs.spec_of_sample(limit=20)
    results = open_results(made_runs.finished(data_dir, spec, Fakes(constant=True)))
    assert set(rows_page(results, results.row_ids, 1)[made_runs.TWO_MODELS[0]]) == {
        Verdicts(("tie",))
    }


def test_a_pair_comes_with_what_each_model_said(results):
    found = judged_pair(results, 17)
    assert found.pair.row_id == 17
    assert [row["model"] for row in found.judged] == list(made_runs.TWO_MODELS)
    assert found.about["subset"] == found.pair.subset


def test_a_row_outside_the_run_is_named(data_dir):
    spec = made_runs.spec_of_sample(row_ids=(3, 5))
    results = open_results(made_runs.finished(data_dir, spec))
    with pytest.raises(BadInput, match=r"has no pair 4\.") as problem:
        judged_pair(results, 4)
    assert problem.value.hint == "Its pairs go from 3 to 5."


def test_a_stopped_run_has_what_it_finished(data_dir):
    spec = made_runs.spec_of_sample(limit=100)
    results = open_results(made_runs.stopped(data_dir, spec, RunState.CANCELLED))
    assert 0 < len(results.row_ids) < 100
    assert results.manifest is None
    assert files(results) == []


def test_what_is_cached_follows_a_run_that_goes_on(data_dir):
    spec = made_runs.spec_of_sample(limit=100)
    run_id = made_runs.stopped(data_dir, spec, RunState.CANCELLED)
    before = len(open_results(run_id).row_ids)
    made_runs.resumed(data_dir, run_id)
    assert before < len(open_results(run_id).row_ids) == 100


def test_a_run_without_results_says_what_to_do(data_dir):
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    with pytest.raises(BadInput, match="has no results yet") as problem:
        open_results(run_id)
    assert problem.value.hint.startswith("Wait for it")


def test_lost_texts_are_a_sentence_and_found_again_when_they_return(data_dir):
    spec = made_runs.spec_of_sample(limit=20)
    run_id = made_runs.finished(data_dir, spec)
    shutil.move(data_dir / "datasets", data_dir / "away")
    with pytest.raises(BadInput, match="no longer in the data folder"):
        open_results(run_id)
    shutil.move(data_dir / "away", data_dir / "datasets")
    assert open_results(run_id).row_ids == list(range(20))


def test_the_files_are_the_csvs_and_the_table(results):
    names = [path.name for path in files(results)]
    assert len(names) == 4
    assert names[-1] == "table.parquet"
    assert all(name.startswith(results.run.id) for name in names[:-1])
    files(results)[0].unlink()
    assert len(files(results)) == 3


def test_models_lie_apart_by_their_typical_margins() -> None:
    # Typical margins: big sqrt((100 + 400 + 100) / 3) = 14.14, small sqrt((1 + 1 + 16) / 3) = 2.45
    big = scores([(10, 0), (20, 0), (0, 10), (5, 5)], "big").iloc[:3]
    small = scores([(0, 1), (1, 0), (4, 0), (None, 0)], "small")
    aligned = align(pd.concat([big, small], ignore_index=True))
    assert aligned.sharpest() == [2, 0]
    apart = aligned.apart()
    assert apart[2] == pytest.approx(4 / 6**0.5 + 10 / 200**0.5)
    assert apart[0] == pytest.approx(1 / 6**0.5 + 10 / 200**0.5)
    assert np.isnan(apart[[1, 3]]).all()


def test_models_that_never_differ_leave_nothing_to_list() -> None:
    assert align(scores([(2, 1), (None, 1)])).sharpest() == []


def test_equally_sharp_disagreements_come_in_the_order_of_the_dataset() -> None:
    table = pd.concat([scores([(1, 0)] * 3, "a"), scores([(0, 1)] * 3, "b")])
    assert align(table.iloc[::-1]).sharpest() == [0, 1, 2]


def test_arrays_of_a_table_are_the_same_in_whatever_order_its_rows_stand() -> None:
    first = scores([(1, 0), (None, 1), (0, 2)], "a", chosen_length=[5, 6, 7])
    second = scores([(0, 1), (2, 1), (3, 3)], "b", chosen_length=[5, 6, 7])
    together = pd.concat([first, second], ignore_index=True)
    mixed = together.iloc[[3, 0, 4, 2, 1, 5]]
    for table in (together, mixed):
        found = align(table)
        assert found.row_ids.tolist() == [0, 1, 2]
        assert found.length.tolist() == [4, 5, 6]
        assert found.models["a"].failed.tolist() == [False, True, False]
        margins = [found.models[name].margin.tolist() for name in ("a", "b")]
        assert margins[0] == pytest.approx([1, np.nan, -2], nan_ok=True)
        assert margins[1] == [-1, 1, 0]
