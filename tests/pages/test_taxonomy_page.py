"""The page Taxonomy, step by step, without a browser: what it says, offers and refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import taxonomy_runs as made

from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.workspace import runs, taxonomy

TAXONOMY = "pages/taxonomy.py"
Open = Callable[..., Any]


@pytest.fixture
def server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer() as demo, made.workers_here(monkeypatch):
        made.account_of(monkeypatch, demo)
        yield demo


def test_the_first_visit_offers_rules_that_cost_nothing(data_dir: Path, open_page: Open) -> None:
    page = open_page(TAXONOMY)
    assert page.app.selectbox(key="label-dataset").value == "sample"
    assert page.app.selectbox(key="label-labeler").value == "ivan/lexicon"
    assert page.app.selectbox(key="label-labeler").options[0] == (
        "ivan/lexicon (rule-based, here, free)"
    )
    assert page.buttons["label"] == "Label 960 texts"
    assert "Nothing is sent anywhere, and nothing is paid." in page.said
    assert "1 · Choose" in page.said
    assert "– 2 · Cost and exact text" in page.said


def test_a_batch_is_prepared_and_its_cost_shown(
    server: DemoServer, open_page: Open, tmp_path: Path
) -> None:
    run_id, _ = taxonomy.start(made.spec_of(tmp_path))
    page = open_page(TAXONOMY, run=run_id)
    assert runs.get(run_id).state is RunState.AWAITING_CONFIRMATION
    assert "2 · Cost and exact text" in page.said
    assert "accept" in page.buttons
    print(page.said)
    made.say_yes(run_id)
    page = open_page(TAXONOMY, run=run_id)
    print(page.said)
