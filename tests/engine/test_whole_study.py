"""All that is left of a study: begun once, one run after the other, gone on with, cancelled."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from given import made_runs
from given.support import write_pairs

from ivan_core import in_turn
from ivan_core.domain.runs import Run, RunState, Span
from ivan_core.domain.specs import DatasetRequest, RewriteSpec, RowsSpec
from ivan_core.engine import access, handling as runs, own_pairs, studies
from ivan_core.engine.studies import About
from ivan_core.engine.whole_study import cancel_all, do_all, left_of
from ivan_core.experiments.analysis.units import AnalysisSpec

FREE = ["compare", "labels", "rewrite"]
KINDS = [*FREE, "analysis"]
"""The last joins what comes of others, so that it can be begun only after them."""


@pytest.fixture
def in_turns(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Runs that were begun together, in place of their workers."""
    begun: list[list[str]] = []
    monkeypatch.setattr(runs, "spawn_in_turn", begun.append)
    return begun


@pytest.fixture
def about(data_dir: Path) -> About:
    """A study of eight pairs of the sample that nobody has worked on."""
    return studies.take(RowsSpec(limit=8))


def kinds(run_ids: list[str]) -> list[str]:
    return [runs.get(run_id).kind for run_id in run_ids]


def of_study(about: About) -> list[Run]:
    return studies.runs_of(about.id)


def test_a_stage_each_is_left_and_its_times_add_up(about: About) -> None:
    left = left_of(about.spec)
    assert [step.kind for step in left.steps] == FREE
    assert all(step.starts and step.dollars == 0 for step in left.steps)
    times = [step.takes for step in left.steps if step.takes]
    total = Span(sum(one.low for one in times), sum(one.high for one in times))
    assert left.takes == total


def test_all_is_begun_in_the_order_of_the_stages_and_only_once(
    about: About, in_turns: list[list[str]]
) -> None:
    run_ids = do_all(about)
    assert in_turns == [run_ids] and kinds(run_ids) == KINDS
    assert {run.id for run in of_study(about)} == set(run_ids), "before a worker read the dataset"
    assert do_all(about) == [] and len(in_turns) == 1


def test_the_analysis_joins_the_runs_that_are_begun_before_it(
    about: About, in_turns: list[list[str]]
) -> None:
    compared, labelled, _, analysed = do_all(about)
    spec = runs.any_spec_of(runs.get(analysed))
    assert isinstance(spec, AnalysisSpec)
    assert (spec.comparison, spec.labelers) == (compared, (labelled,))
    assert "analysis" not in [step.kind for step in left_of(about.spec, of_study(about)).steps]


def test_what_comes_last_is_told_before_it_can_begin(
    about: About, in_turns: list[list[str]]
) -> None:
    assert left_of(about.spec).then == (
        "analyse what is rewarded (regressions, free, a few seconds)",
    )
    do_all(about)
    assert left_of(about.spec, of_study(about)).then == ()


def test_what_is_done_is_not_done_again(
    data_dir: Path, about: About, in_turns: list[list[str]]
) -> None:
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=8))
    assert kinds(do_all(about)) == KINDS[1:]


def test_what_was_cancelled_goes_on_with_the_runs_that_there_are(
    about: About, in_turns: list[list[str]]
) -> None:
    run_ids = do_all(about)
    cancel_all(about)
    assert {run.state for run in of_study(about)} == {RunState.CANCELLED}
    assert do_all(about) == run_ids
    assert {run.state for run in of_study(about)} == {RunState.QUEUED}


def test_one_of_them_is_cancelled_alone(about: About, in_turns: list[list[str]]) -> None:
    first, second, *others = do_all(about)
    runs.cancel(second)
    assert [runs.get(one).state for one in (first, second, *others)] == [
        RunState.QUEUED,
        RunState.CANCELLED,
        RunState.QUEUED,
        RunState.QUEUED,
    ]


def test_what_asks_a_server_is_not_begun(
    about: About, in_turns: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivan_core.experiments.rewrite import plan

    asking = RewriteSpec(rewriter="llama3", models=("ivan/minilm-harmless",))
    monkeypatch.setattr(plan, "preset_spec", lambda: asking)
    assert kinds(do_all(about)) == ["compare", "labels", "analysis"]


def test_somebody_who_may_only_read_begins_nothing(
    about: About, in_turns: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_provider", lambda: access.Visitor(local=False))
    with pytest.raises(access.NotAllowed):
        do_all(about)
    assert in_turns == []


def test_a_study_of_a_file_is_done_from_that_file(
    data_dir: Path, tmp_path: Path, in_turns: list[list[str]]
) -> None:
    path = write_pairs(tmp_path / "mine.jsonl", 6)
    request = DatasetRequest(source=str(path))
    own_pairs.read(request, lambda _: None)
    run_ids = do_all(studies.take(RowsSpec(dataset=request)))
    specs = [runs.any_spec_of(runs.get(run_id)) for run_id in run_ids]
    assert [spec.dataset.source for spec in specs if isinstance(spec, RowsSpec)] == [str(path)] * 4


def test_each_worker_starts_when_the_one_before_has_ended_however_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    worker = f"""
import sys
run = sys.argv[1]
with open({str(told)!r}, "a") as file:
    file.write(run + " begins\\n")
    file.write(run + " ends\\n")
print("of", run)
sys.exit(run == "first")
"""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    gone = tmp_path / "deleted"
    words = ["in_turn", sys.executable, "-c", worker, "--", str(gone), *map(str, folders)]
    monkeypatch.setattr(sys, "argv", words)
    assert in_turn.main() == 0
    assert told.read_text().splitlines() == [
        "first begins",
        "first ends",
        "second begins",
        "second ends",
    ]
    assert [(folder / "worker.log").read_text() for folder in folders] == [
        "of first\n",
        "of second\n",
    ]
