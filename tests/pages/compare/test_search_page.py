"""Searches on Compare: started by words or by a button, told once, refused kindly."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.columns import work as column_work
from ivan_core.experiments.compare.results import open_results
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

COMPARE = "pages/compare.py"


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))


def do(data_dir, run_id: str) -> None:
    work(Registry(data_dir), run_id, provider(Fakes()))


def find(page, words: str) -> None:
    page.app.text_input(key="find").set_value(words)
    page.run()


def test_words_are_looked_for_by_a_worker_and_narrow_the_rows(data_dir, run_id, open_page, spawned):
    page = open_page(COMPARE, run=run_id)
    find(page, "the")
    assert page.said.count("Looking through the texts: “the”") == 1
    assert "search-now" not in page.buttons
    do(data_dir, spawned[0])
    page.run()
    assert "Looking through" not in page.said
    assert "Click a pair to read it;" in page.said


def test_a_link_with_a_search_nobody_did_here_offers_it(data_dir, run_id, open_page, spawned):
    page = open_page(COMPARE, run=run_id, find="the")
    assert "The texts have not been searched for “the” yet." in page.said
    assert page.buttons["search-now"] == "Search now"
    assert not spawned
    page.press("search-now")
    assert len(spawned) == 1
    assert "Looking through the texts: “the”" in page.said
    do(data_dir, spawned[0])
    page.run()
    assert "search-now" not in page.buttons and "not been searched" not in page.said
    assert "Click a pair to read it;" in page.said


def test_the_problem_of_a_press_is_said_once(run_id, open_page, monkeypatch):
    def refuse(_: str) -> None:
        raise StorageProblem("The disk of the data folder is full.", "Make room, then try again.")

    monkeypatch.setattr(runs, "spawn", refuse)
    page = open_page(COMPARE, run=run_id)
    find(page, "the")
    assert page.said.count("The disk of the data folder is full.") == 1
    assert "Make room, then try again." in page.said
    page.run()
    assert "The disk of the data folder is full." not in page.said


def test_too_many_conditions_are_refused_in_a_sentence(run_id, open_page, spawned):
    held = "~~".join(f"word{number}" for number in range(24))
    page = open_page(COMPARE, run=run_id, find=held)
    find(page, "one more")
    assert "More than 24 conditions do not fit in a link." in page.said
    assert page.app.query_params["find"] == held


def test_a_column_and_a_search_at_work_are_told_once_each(data_dir, run_id, open_page, spawned):
    dataset = open_results(run_id).dataset.fingerprint
    column_work.start(column_work.column_spec(dataset, "expression", "len(reply)"))
    column_work.start(ColumnSpec(dataset=dataset, form="search", expression="the", over="text"))
    page = open_page(COMPARE, run=run_id)
    assert page.said.count("Making the column len(reply)") == 1
    assert page.said.count("Looking through the texts: “the”") == 1
    assert page.said.count("len(reply)") == 1 and page.said.count("“the”") == 1
