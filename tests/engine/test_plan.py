"""The plan of a comparison: pairs, what is known already, and the time it would take."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Span
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import handling as runs, plan as speeds
from ivan_core.engine.plan import Speed
from ivan_core.experiments.compare import plan as compare


def test_the_demo_is_estimated_before_it_has_ever_run(data_dir, idle):
    plan = compare.plan(compare.preset_spec("demo"))
    assert (plan.pairs, plan.models, plan.cached) == (480, 2, 0)
    assert plan.estimate_from == "not measured on this machine yet"
    assert plan.takes == Span(0.5 + 1.5 + 4.0, 3.0 + 6.0 + 19.2)  # 960 texts on two cores


def test_a_plan_starts_nothing(data_dir):
    compare.plan(compare.preset_spec("demo"))
    assert runs.every() == []


def test_a_second_run_knows_all_rewards(data_dir, idle):
    made_runs.finished(data_dir, made_runs.spec_of_sample())
    plan = compare.plan(made_runs.spec_of_sample())
    assert plan.cached == 960
    assert plan.estimate_from == "all is known already"
    assert plan.takes is not None and 0.5 <= plan.takes.low < plan.takes.high


def test_half_of_it_known_takes_half_the_time(data_dir):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=240), Fakes(delay=0.05))
    half = compare.plan(made_runs.spec_of_sample())
    assert half.estimate_from == "measured on this machine"
    assert half.cached == 480
    less = compare.plan(made_runs.spec_of_sample(limit=260))
    assert less.takes is not None and half.takes is not None
    assert less.takes.middle < half.takes.middle


def test_a_model_that_never_ran_here_has_no_estimate(data_dir):
    plan = compare.plan(made_runs.spec_of_sample(("org/model",)))
    assert plan.takes is None
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
        ({"row_ids": (480,)}, "No such pair in this dataset: 480."),
        ({"row_ids": ()}, "No pair numbers were given."),
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


def scored(speed: float, load: float | None = 0.0, checked: bool = True) -> Speed:
    return Speed(speed, startup=3.0, loading=1.0, identity="", load=load, checked=checked)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of two cores without a GPU, and without other work."""
    monkeypatch.setattr(speeds.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(speeds, "has_gpu", lambda: False)
    monkeypatch.setattr(speeds, "machine_load", lambda: 0.0)


def test_the_time_is_that_of_the_texts_that_are_not_known(idle):
    found, source = speeds.scoring_time({"org/a": scored(10.0)}, {"org/a": 200})
    assert (found, source) == (Span(23.0, 23.0), "measured on this machine")
    found, _ = speeds.scoring_time({"org/a": scored(10.0, checked=False)}, {"org/a": 200})
    assert found == Span(29.4, 29.4)  # 64 texts more, to see whether batches matter
    found, _ = speeds.scoring_time({"org/a": scored(10.0)}, {"org/a": 0})
    assert found == Span(1.0, 1.0)
    both = {"org/a": scored(10.0), "org/b": scored(20.0)}
    assert speeds.scoring_time(both, {"org/a": 200, "org/b": 200})[0] == Span(36.0, 36.0)


def test_embedded_models_read_a_text_once_and_the_one_that_read_it_tells_the_speed(idle):
    known = {"ivan/minilm-harmless": scored(50.0), "ivan/minilm-control": scored(100_000.0)}
    found, _ = speeds.scoring_time(known, dict.fromkeys(known, 200))
    assert found == Span(7.0, 7.0)


def test_a_machine_with_other_work_is_told_as_a_range(idle, monkeypatch):
    monkeypatch.setattr(speeds, "machine_load", lambda: 2.0)
    found, _ = speeds.scoring_time({"org/a": scored(10.0)}, {"org/a": 200})
    assert found == Span(34.5, 46.0)  # one more or two more want the two cores that two threads use
    same, _ = speeds.scoring_time({"org/a": scored(10.0, load=2.0)}, {"org/a": 200})
    assert same == Span(17.25, 23.0)
    monkeypatch.setattr(speeds, "has_gpu", lambda: True)
    assert speeds.scoring_time({"org/a": scored(10.0)}, {"org/a": 200})[0] == Span(23.0, 34.5)
