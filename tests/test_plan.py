"""The plan of a comparison: pairs, what is known already, and the time it would take."""

from __future__ import annotations

import made_runs
import pytest
from fakes import Fakes

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.workspace import compare, runs


def test_the_demo_is_estimated_before_it_has_ever_run(data_dir):
    plan = compare.plan(compare.preset_spec("demo"))
    assert (plan.pairs, plan.models, plan.cached) == (480, 2, 0)
    assert plan.estimate_from == "estimated from a short measurement"
    assert 1 < plan.seconds < 600


def test_a_plan_starts_nothing(data_dir):
    compare.plan(compare.preset_spec("demo"))
    assert runs.every() == []


def test_a_second_run_knows_all_rewards(data_dir):
    made_runs.finished(data_dir, made_runs.spec_of_sample())
    plan = compare.plan(made_runs.spec_of_sample())
    assert plan.cached == 960
    assert plan.estimate_from == "all known already"
    assert plan.seconds == 1.0


def test_half_of_it_known_takes_half_the_time(data_dir):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=240), Fakes(delay=0.05))
    half = compare.plan(made_runs.spec_of_sample())
    assert half.estimate_from == "measured on this machine"
    assert half.cached == 480
    less = compare.plan(made_runs.spec_of_sample(limit=260))
    assert less.seconds < half.seconds


def test_a_model_that_never_ran_here_has_no_estimate(data_dir):
    plan = compare.plan(made_runs.spec_of_sample(("org/model",)))
    assert plan.seconds is None
    assert plan.estimate_from == "org/model has not been run on this machine yet"


def test_a_hub_dataset_that_was_never_read_has_no_count(data_dir):
    plan = compare.plan(compare.preset_spec("seal"))
    assert plan.pairs is None
    assert plan.models == 4


def test_a_file_is_counted_after_its_first_run(data_dir, pairs_file):
    spec = made_runs.spec_of_file(pairs_file)
    assert compare.plan(spec).pairs is None
    made_runs.finished(data_dir, spec)
    assert compare.plan(spec).pairs == 40


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"models": ("ivan/none",)}, "ivan/none"),
        ({"models": ("two words",)}, "neither in the catalog"),
        ({"row_ids": (480,)}, "No such row in this dataset: 480."),
        ({"row_ids": ()}, "No row ids were given."),
        ({"dataset": DatasetRequest(source="/nowhere.jsonl")}, "/nowhere.jsonl"),
        ({"dataset": DatasetRequest(source="sample", subset="x")}, "has no subsets"),
    ],
)
def test_what_cannot_work_is_refused_before_the_start(data_dir, changes, problem):
    spec = CompareSpec(**({"models": made_runs.TWO_MODELS} | changes))
    with pytest.raises(BadInput, match=problem):
        compare.plan(spec)


def test_a_preset_that_does_not_exist_names_those_that_do():
    with pytest.raises(BadInput) as problem:
        compare.preset_spec("none")
    assert problem.value.hint == "Choose one of demo, seal."
