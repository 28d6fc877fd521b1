"""Runs: the table and its words."""

from __future__ import annotations

from given import made_runs

from ivan_core.domain.runs import RunState
from ivan_core.engine import archive

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
    assert (
        table["Study"].iloc[-1] == "sample · 20 pairs"
        and table["Study"].iloc[0] == "sample · 103 pairs"
    )
    assert set(table["By"]) == {"minilm-harmless, minilm-control"}
    assert "Select a run to open, name, star" in page.said


def test_a_new_run_on_top_forgets_the_selection(data_dir, open_page):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(RUNS)
    before = page.app.dataframe[0].key
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=21))
    page.run()
    assert page.app.dataframe[0].key != before


def test_a_run_is_called_by_its_name_and_a_file_by_its_own(data_dir, tmp_path, open_page):
    rows = [
        {"chosen": "\n\nHuman: Hi\n\nAssistant: A.", "rejected": "\n\nHuman: Hi\n\nAssistant: B."}
    ]
    path = made_runs.write_rows(tmp_path / "my-prefs.jsonl", rows)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(path))
    archive.rename(run_id, "First look")
    (row,) = open_page(RUNS).app.dataframe[0].value.to_dict("records")
    assert (row["Run"], row["Study"]) == ("First look", "my-prefs.jsonl · 1 pair")


def test_starred_runs_stand_first_also_before_those_of_other_pages(data_dir, open_page):
    first = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    second = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=21))
    assert list(open_page(RUNS).app.dataframe[0].value["Run"]) == [second, first]
    archive.star(first)
    table = open_page(RUNS).app.dataframe[0].value
    assert list(table["Run"]) == [first, second] and list(table["★"]) == ["★", ""]
    archive.star(first, False)
    assert list(open_page(RUNS).app.dataframe[0].value["Run"]) == [second, first]


def test_the_runs_of_one_study_are_listed_alone_and_the_address_says_so(data_dir, open_page):
    older = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    assert not open_page(RUNS).app.toggle  # there is but one study
    newer = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=21))
    again = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20, seed=1))
    page = open_page(RUNS)
    assert list(page.app.dataframe[0].value["Run"]) == [again, newer, older]
    archive.star(older)
    page.app.toggle(key="only-study").set_value(True)
    page.run()
    assert list(page.app.dataframe[0].value["Run"]) == [older, again]
    assert "only-study" in page.app.query_params
