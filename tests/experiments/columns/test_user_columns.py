"""User columns: one run a column, and rows that are found, filtered and sorted by them."""

from __future__ import annotations

import json
import math
import time

import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs
from given.support import wait_for

from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.columns import results as columns, work as column_module
from ivan_core.experiments.columns.conditions import TextHas, UserColumnIn, missing_searches
from ivan_core.experiments.columns.results import column_path
from ivan_core.experiments.columns.work import compile_column
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.runs.registry import Registry
from ivan_core.worker import work


def test_a_regular_expression_counts_its_matches():
    spec = {"dataset": "0" * 16, "form": "regex", "expression": r"(?i)\bsorry\b"}
    text = Dialogue("\n\nHuman: Sorry?\n\nAssistant: Sorry, I am sorry.")
    counted = [
        compile_column(ColumnSpec(**spec, over=over))(text) for over in ("reply", "prompt", "text")
    ]
    assert counted == [2, 1, 3]


def test_the_same_column_has_the_same_id_however_it_is_written():
    def of(form, expression, **more):
        return ColumnSpec(dataset="0" * 16, form=form, expression=expression, **more).id

    assert of("search", "SORRY") == of("search", "sorry")
    assert of("expression", " len(reply) ") == of("expression", "len(reply)", over="text")
    assert of("regex", "a") != of("search", "a") != of("search", "a", over="text")


@pytest.fixture
def dataset(data_dir, tmp_path):
    """Three pairs, the last of which has no reply on its rejected side."""
    path = tmp_path / "rows.jsonl"
    rows = [
        {"chosen": f"\n\nHuman: Q\n\nAssistant: {c}", "rejected": f"\n\nHuman: Q\n\nAssistant: {r}"}
        for c, r in (("I am sorry", "Sorry, sorry"), ("aaaa", "no"))
    ]
    rows.append({"chosen": "\n\nHuman: Q\n\nAssistant: ok", "rejected": "Only a text"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return prepare(data_dir, DatasetRequest(source=str(path))).fingerprint


@pytest.fixture
def here(data_dir, monkeypatch):
    """Workers that do their run in this process, as soon as they are started."""

    def spawn(run_id):
        work(Registry(data_dir), run_id, provider(Fakes()))

    monkeypatch.setattr(runs, "spawn", spawn)


def test_a_column_holds_a_number_for_both_sides_of_every_pair(dataset, here):
    spec = column_module.column_spec(dataset, "expression", "words(reply)")
    run = runs.get(column_module.start(spec))
    assert (run.state, run.done, run.total, run.kind) == (RunState.DONE, 3, 3, "column")
    found = columns.column(dataset, spec.id)
    assert list(found.chosen) == [3, 1, 1]
    assert list(found.rejected[:2]) == [2, 1]
    assert math.isnan(found.rejected[2])
    assert list(found.difference[:2]) == [1, 0]
    assert columns.known(dataset) == [spec]
    assert found.label == "words(reply)"
    with pytest.raises(ValueError):
        found.chosen[0] = 1


def test_a_column_is_never_computed_twice(dataset, here, monkeypatch):
    spec = column_module.column_spec(dataset, "search", "Sorry")
    assert column_module.start(spec)
    monkeypatch.setattr(runs, "spawn", lambda _: pytest.fail("started again"))
    assert column_module.start(column_module.column_spec(dataset, "search", "sORRY")) is None
    assert columns.known(dataset) == []
    assert columns.known(dataset, searches=True) == [spec]


def test_the_same_column_started_twice_is_one_run(dataset, monkeypatch):
    started = []
    monkeypatch.setattr(runs, "spawn", started.append)
    spec = column_module.column_spec(dataset, "regex", "a+")
    assert column_module.start(spec) == column_module.start(spec)
    assert len(started) == 1
    assert [run.id for run, _ in column_module.at_work(dataset)] == started


def test_lists_of_runs_show_comparisons_only(dataset, here):
    column_module.start(column_module.column_spec(dataset, "regex", "a+"))
    assert runs.every("compare") == []
    (run,) = runs.every("column")
    assert runs.any_spec_of(run).expression == "a+"
    with pytest.raises(BadInput, match="no comparison"):
        runs.spec_of(run, CompareSpec)


@pytest.mark.parametrize("pattern", ["(a|a)*$", r"(\w|\w\w|a)*$", "((a+)+b?)*$|x{e<=3}$"])
def test_a_catastrophic_expression_times_out_kindly(data_dir, tmp_path, here, pattern):
    endless = "a" * 60 + "-" + "a" * 60 + "!"
    rows = [{"chosen": "\n\nHuman: Q\n\nAssistant: fine", "rejected": endless}]
    rows.insert(0, rows[0] | {"rejected": "nothing"})
    path = made_runs.write_rows(tmp_path / "endless.jsonl", rows)
    dataset = prepare(data_dir, DatasetRequest(source=str(path))).fingerprint
    spec = column_module.column_spec(dataset, "regex", pattern, over="text")
    start = time.process_time()
    run = runs.get(column_module.start(spec))
    assert time.process_time() - start < 5
    assert run.state is RunState.FAILED
    assert run.problem == "The regular expression did not come to an end within 0.5 s on pair 1."
    assert "Repeats inside repeats" in run.hint
    assert not columns.is_known(spec)
    assert columns.known(dataset) == []


def test_all_texts_together_have_a_limit_too(dataset, here, monkeypatch):
    monkeypatch.setattr(column_module, "ALL_SECONDS", -1.0)
    run = runs.get(
        column_module.start(column_module.column_spec(dataset, "expression", "len(text)"))
    )
    assert run.state is RunState.FAILED
    assert "3 of 3 pairs were done" in run.problem


def test_a_stopped_column_leaves_nothing_and_can_be_resumed(dataset, data_dir, monkeypatch):
    monkeypatch.setattr(runs, "spawn", lambda _: None)
    spec = column_module.column_spec(dataset, "expression", "len(text)")
    run_id = column_module.start(spec)
    registry = Registry(data_dir)
    assert registry.begin(run_id)
    assert registry.get(run_id).state is RunState.INTERRUPTED
    assert not columns.is_known(spec)
    monkeypatch.setattr(runs, "spawn", lambda i: work(registry, i, provider(Fakes())))
    runs.resume(run_id)
    assert registry.get(run_id).state is RunState.DONE
    assert columns.is_known(spec)
    assert [path.name for path in column_path(data_dir, spec).parent.iterdir()] == [
        f"{spec.id}.parquet"
    ]


def test_a_worker_process_computes_a_column(dataset):
    spec = column_module.column_spec(dataset, "expression", "len(reply)")
    run_id = column_module.start(spec)
    run = wait_for(lambda: (r := runs.get(run_id)).state.live or r)
    wait_for(lambda: not runs.get(run_id).state.live)
    assert runs.get(run_id).state is RunState.DONE, run.problem
    assert list(columns.column(dataset, spec.id).chosen) == [10, 4, 2]


@pytest.mark.parametrize(
    ("form", "expression", "said"),
    [
        ("regex", "(", "not a regular expression"),
        ("expression", "reply", "gives a text"),
        ("search", "  ", "nothing to look for"),
        ("search", "", "nothing to look for"),
        ("regex", "a" * 501, "501 characters"),
    ],
)
def test_nothing_starts_that_makes_no_sense(dataset, form, expression, said):
    with pytest.raises(BadInput, match=said):
        column_module.column_spec(dataset, form, expression)
    assert runs.every(None) == []


def test_a_dataset_or_column_that_is_gone_says_so(dataset):
    with pytest.raises(BadInput, match="no longer in the data folder"):
        column_module.column_spec("f" * 16, "regex", "a")
    for column_id in ("f" * 16, "../../x", ""):
        with pytest.raises(BadInput, match="no such column"):
            columns.column(dataset, column_id)


@pytest.fixture
def results(data_dir, tmp_path, here):
    rows = [
        {
            "chosen": f"\n\nHuman: Hi\n\nAssistant: {c}",
            "rejected": f"\n\nHuman: Hi\n\nAssistant: {r}",
        }
        for c, r in (("I am SORRY", "No"), ("Yes", "sorry!"), ("Yes, sir", "No"))
    ]
    path = made_runs.write_rows(tmp_path / "judged.jsonl", rows)
    return open_results(made_runs.finished(data_dir, made_runs.spec_of_file(path)))


def test_rows_are_found_by_their_texts_once_the_search_is_done(results):
    condition = TextHas(text="Sorry")
    row_filter = Filter(LANGUAGE).add(condition)
    (spec,) = missing_searches(results.dataset.fingerprint, row_filter)
    with pytest.raises(BadInput, match="not been searched for “Sorry” yet"):
        matching_rows(listing(results), row_filter)
    column_module.start(spec)
    assert missing_searches(results.dataset.fingerprint, row_filter) == []
    assert matching_rows(listing(results), row_filter) == [0, 1]
    in_chosen = Filter(LANGUAGE).add(TextHas(text="sorry", side="chosen"))
    assert matching_rows(listing(results), in_chosen) == [0]


def test_rows_are_filtered_and_sorted_by_a_user_column(results):
    spec = column_module.column_spec(results.dataset.fingerprint, "expression", "len(reply)")
    column_module.start(spec)

    def found(**fields):
        condition = UserColumnIn(column=spec.id, **fields)
        order = Sort(by="column", of=spec.id, side="difference", descending=True)
        return matching_rows(listing(results), Filter(LANGUAGE, (condition,), sort=order))

    # Lengths: 10 and 2, 3 and 6, 8 and 2.
    assert found(low=0.0) == [0, 2, 1]
    assert found(low=6.0, high=6.0) == [1]
    assert found(low=6.0, side="chosen") == [0, 2]
    assert found(high=2.0, side="rejected") == [0, 2]
    assert found(low=-3.0, high=6.0, side="difference") == [2, 1]


def test_a_search_that_failed_says_why(results, data_dir, monkeypatch):
    monkeypatch.setattr(column_module, "ALL_SECONDS", -1.0)
    row_filter = Filter(LANGUAGE).add(TextHas(text="sorry"))
    column_module.start(missing_searches(results.dataset.fingerprint, row_filter)[0])
    with pytest.raises(BadInput, match=r"did not come to its end \(failed\)") as said:
        matching_rows(listing(results), row_filter)
    assert "Make the expression simpler" in said.value.hint
