"""What the browser's tab says while a run of the page is at work, and afterwards."""

from __future__ import annotations

import pytest
import streamlit as st
from given import made_runs

from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import LabelSpec
from ivan_core.engine import handling as runs
from ivan_core.runs.locks import FileLock

COMPARE = "pages/compare.py"


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the tab was told to say, one after the other."""
    said: list[str] = []
    true_way = st.set_page_config

    def tell(**asked: object) -> None:
        said.append(str(asked["page_title"]))
        true_way(**asked)  # type: ignore[arg-type]

    monkeypatch.setattr(st, "set_page_config", tell)
    return said


def test_a_page_is_called_as_its_title(data_dir, open_page, tab) -> None:
    open_page("pages/runs.py")
    open_page()
    assert tab == ["Runs · IVAN", "IVAN"]


def test_the_tab_tells_how_far_the_run_is_until_it_ends(data_dir, open_page, tab) -> None:
    with made_runs.at_work(data_dir, made_runs.spec_of_sample()) as run_id:
        runs.registry().progress(run_id, doing="Scoring with a model", done=240, rate=60.0)
        page = open_page(COMPARE, run=run_id)
        page.run()
        # The second drawing begins with what was told before: the tab does not flicker.
        assert tab == ["Compare · IVAN", "(25%) Compare · IVAN", *2 * ["(25%) Compare · IVAN"]]
        runs.registry().progress(run_id, doing="Scoring with a model", done=955, rate=60.0)
        page.run()
        assert tab[-2:] == ["(25%) Compare · IVAN", "(99%) Compare · IVAN"]
    runs.registry().finish(run_id, RunState.CANCELLED)
    page.run()
    assert tab[-2:] == ["(99%) Compare · IVAN", "Compare · IVAN"]
    page.run()
    assert tab[-1] == "Compare · IVAN" and tab[-3:].count("Compare · IVAN") == 2


def test_home_tells_which_stage_of_its_study_is_at_work(data_dir, open_page, tab) -> None:
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    with made_runs.at_work(data_dir, made_runs.spec_of_sample(seed=5)) as run_id:
        runs.registry().progress(run_id, doing="Scoring with a model", done=240, rate=60.0)
        open_page()
    assert tab == ["IVAN", "(25%) Compare · IVAN"]


def test_another_page_says_nothing_of_the_run(data_dir, open_page, tab) -> None:
    with made_runs.at_work(data_dir, made_runs.spec_of_sample()) as run_id:
        runs.registry().progress(run_id, doing="Scoring with a model", done=240, rate=60.0)
        page = open_page(COMPARE, run=run_id)
        page.app.switch_page("pages/rewrite.py")
        page.run()
    assert tab[-1] == "Rewrite · IVAN"


def test_nothing_is_told_while_nobody_knows_of_how_much(data_dir, open_page, tab) -> None:
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    open_page(COMPARE, run=run_id)
    assert set(tab) == {"Compare · IVAN"}


def test_a_labelling_tells_its_progress_too(data_dir, open_page, tab) -> None:
    spec = LabelSpec(limit=10)
    registry = runs.registry()
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    registry.finish(run_id, RunState.RUNNING)
    with FileLock(registry.lock_path(run_id)) as lock:
        assert lock.acquire()
        registry.progress(run_id, doing="Labelling", done=8, total=20, rate=1.0)
        open_page("pages/taxonomy.py", run=run_id)
    assert tab == ["Taxonomy · IVAN", "(40%) Taxonomy · IVAN"]
