"""Keeping runs in order from the page: rename, set beside, delete after a second thought, cache."""

from __future__ import annotations

from pathlib import Path

import made_runs
import pytest
from streamlit.testing.v1 import AppTest

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs


def _manage(run_id: str) -> None:
    from ivan_core.engine import handling as runs
    from pages.components.runs.manage import manage

    manage(runs.get(run_id), runs.every())


def _housekeeping() -> None:
    from pages.components.runs.manage import housekeeping

    housekeeping()


def managed(run_id: str, more: str) -> AppTest:
    app = AppTest.from_function(_manage, args=(run_id,), default_timeout=300)
    app.session_state[f"more-{run_id}"] = more
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(html.body for html in app.get("html"))


@pytest.fixture
def finished(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))


def test_a_run_gets_a_name(finished: str) -> None:
    app = managed(finished, "Rename")
    app.text_input(key=f"rename-to-{finished}").set_value("First <b>look</b>")
    app.button(key="rename").click().run()
    assert runs.get(finished).label == "First <b>look</b>"


def test_deleting_needs_a_second_thought(finished: str, data_dir: Path) -> None:
    app = managed(finished, "Delete")
    assert app.button(key="delete").disabled
    app.checkbox(key=f"delete-sure-{finished}").check().run()
    assert not app.button(key="delete").disabled
    app.button(key="delete").click().run()
    with pytest.raises(BadInput):
        runs.get(finished)
    assert not list((data_dir / "compare").glob("*.csv"))


def test_two_runs_are_set_beside_each_other(finished: str, data_dir: Path) -> None:
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=15))
    app = managed(finished, "Set beside another run")
    app.selectbox(key="beside").set_value(other).run()
    assert "15" in said(app) and other in said(app)
    for model in made_runs.TWO_MODELS:
        assert f"{model} was trained on none of 15 pairs." in said(app)


def test_the_cache_is_cleared_after_a_second_thought(data_dir: Path) -> None:
    app = AppTest.from_function(_housekeeping, default_timeout=300).run()
    assert "The cache holds 0 rewards" in said(app)
    assert app.button(key="clear-cache").disabled


def test_duplicating_fills_the_form(finished: str, open_page) -> None:  # type: ignore[no-untyped-def]
    from pages.components.runs.manage import _into_form

    page = open_page("pages/compare.py")
    spec = made_runs.spec_of_sample(limit=7, seed=3)
    import streamlit as st

    held: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "session_state", held)
        _into_form(spec)
    for key, value in held.items():
        page.app.session_state[key] = value
    page.run()
    assert page.app.selectbox(key="form-rows").value == "The first N"
    assert page.app.number_input(key="form-n").value == 7
    assert page.app.number_input(key="form-seed").value == 3
