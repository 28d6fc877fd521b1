"""The list of notes and stars on Compare: newest first, by author, as text, as files."""

from __future__ import annotations

import csv
import io

import pytest
from given import made_runs

from ivan_core.annotations.notes import Reviews
from ivan_core.domain.reviews import Mark
from ivan_core.experiments.compare.results import open_results
from ivan_core.review.marks import notes_csv

COMPARE = "pages/compare.py"
HOSTILE = "=1+1 <img src=x> **b**"


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))


@pytest.fixture
def noted(run_id, data_dir) -> str:
    """Three marks of two people; the fingerprint of their dataset."""
    dataset = open_results(run_id).dataset.fingerprint
    reviews = Reviews(data_dir)
    for row, author, starred, note in (
        (3, "Ada", True, "odd"),
        (400, "Ben", False, HOSTILE),
        (5, "Ada", False, "fine"),
    ):
        reviews.save(Mark(dataset, row, author, starred=starred, note=note))
    return dataset


def listed(page):
    """The table of notes, the last one of the page."""
    return page.app.dataframe[-1].value


def test_without_a_note_there_is_no_list(run_id, open_page):
    page = open_page(COMPARE, run=run_id)
    assert not [folded.label for folded in page.app.expander if "Notes" in folded.label]


def test_notes_are_listed_newest_first_as_they_are(run_id, noted, open_page):
    page = open_page(COMPARE, run=run_id)
    assert "Notes and stars (3)" in [folded.label for folded in page.app.expander]
    table = listed(page)
    assert list(table["Pair"]) == [5, 400, 3]
    assert list(table["By"]) == ["Ada", "Ben", "Ada"]
    assert list(table["Star"]) == ["", "", "★"]
    assert list(table["Note"]) == ["fine", HOSTILE, "odd"]


def test_the_list_is_narrowed_to_an_author(run_id, noted, open_page):
    page = open_page(COMPARE, run=run_id)
    page.app.selectbox(key="notes-by").set_value("Ada")
    page.run()
    assert list(listed(page)["Pair"]) == [5, 3]


def test_notes_go_out_as_csv_with_and_without_the_guard(noted):
    rows = list(csv.DictReader(io.StringIO(notes_csv(noted).decode())))
    assert [(row["row_id"], row["author"], row["starred"], row["note"]) for row in rows] == [
        ("3", "Ada", "True", "odd"),
        ("5", "Ada", "False", "fine"),
        ("400", "Ben", "False", HOSTILE),
    ]
    assert all(row["dataset"] == noted and row["saved"].endswith("Z") for row in rows)
    guarded = notes_csv(noted, "Ben", spreadsheet=True).decode("utf-8-sig")
    assert [row["note"] for row in csv.DictReader(io.StringIO(guarded))] == [f"'{HOSTILE}"]


def test_a_row_is_opened_by_its_number(run_id, open_page):
    page = open_page(COMPARE, run=run_id, subset="harmless")
    for typed in ("20", "٧"):
        page.app.text_input(key="pair-by-number").set_value(typed)
        page.run()
        assert f"No pair {typed} here: their numbers go from 0 to 19." in page.said
    page.app.text_input(key="pair-by-number").set_value(" 7 ")
    page.run()
    assert "pair 7 of 480" in page.said
    assert page.app.query_params["row"] == "7"
    assert page.app.query_params["subset"] == "harmless"
