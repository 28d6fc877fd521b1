"""Runs: the table and its words."""

from __future__ import annotations

from given import made_runs

from ivan_core.domain.runs import RunState

RUNS = "pages/runs.py"


def test_no_runs_lead_to_the_form(data_dir, open_page):
    page = open_page(RUNS)
    assert "No runs yet." in page.said
    assert page.links[":primary[Start a comparison →]"] == "compare?"


def test_every_run_is_a_row_with_its_state(data_dir, open_page):
    spec = made_runs.spec_of_sample
    made_runs.finished(data_dir, spec(limit=20))
    made_runs.failed(data_dir, spec(limit=100))
    made_runs.stopped(data_dir, spec(limit=101), RunState.CANCELLED)
    made_runs.interrupted(data_dir, spec(limit=102))
    with made_runs.at_work(data_dir, spec(limit=103)):
        page = open_page(RUNS)
    table = page.app.dataframe[0].value
    assert list(table["State"]) == ["running", "interrupted", "cancelled", "failed", "done"]
    assert list(table["Done"])[-1] == 100
    assert table["Problem"].iloc[3] == "The server of this model went away."
    assert set(table["Dataset"]) == {"sample"}
    assert "Select a run to open, resume or cancel it." in page.said


def test_a_new_run_on_top_forgets_the_selection(data_dir, open_page):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(RUNS)
    before = page.app.dataframe[0].key
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=21))
    page.run()
    assert page.app.dataframe[0].key != before
