"""Pages while one of two runs is damaged: its own page says so, every other is as it was."""

from __future__ import annotations

import pytest
from given import made_runs
from given.damages import CELLS, FILES, bad_cell

RUNS = "pages/runs.py"
PAGES = (
    "streamlit_app.py",
    "pages/compare.py",
    "pages/pairs.py",
    "pages/rewrite.py",
    "pages/taxonomy.py",
    "pages/review.py",
    RUNS,
)
DAMAGES = {
    "spec": bad_cell("spec", CELLS["spec"][1]),
    "state": bad_cell("state", CELLS["state"][1]),
    "created": bad_cell("created", CELLS["created"][0]),
    "kind": bad_cell("kind", CELLS["kind"][1]),
    "notes": bad_cell("notes", CELLS["notes"][1]),
    "spec that is no text": bad_cell("spec", CELLS["spec"][4]),
    **{name: FILES[name] for name in ("garbage manifest", "cut table")},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_only_the_page_of_a_damaged_run_says_so(data_dir, open_page, damage):
    whole = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    damaged = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20, seed=1))
    DAMAGES[damage](data_dir, damaged)
    for page in PAGES:
        open_page(page)  # without an exception
    home = open_page()
    assert f"Found in sample, run {whole}." in home.said
    assert f"compare?run={whole}" in home.links.values()
    table = open_page(RUNS).app.dataframe[0].value
    assert set(table["Run"]) == {whole, damaged}
    said = open_page("pages/compare.py", run=damaged).said
    assert "damaged" in said or "belongs to another page" in said
    assert "sides with the author's choice in" in open_page("pages/compare.py", run=whole).said
    assert "A · chosen" in open_page("pages/pairs.py", run=whole, row="3").said


def test_a_damaged_run_is_listed_with_its_problem(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    bad_cell("notes", "{")(data_dir, run_id)
    table = open_page(RUNS).app.dataframe[0].value
    assert list(table["State"]) == ["damaged"]
    assert table["Problem"][0] == "The entry of this run in the registry is damaged (notes)."


def test_many_runs_are_shown_fifty_a_page(data_dir, open_page):
    for seed in range(52):
        made_runs.queued(data_dir, made_runs.spec_of_sample(seed=seed))
    page = open_page(RUNS)
    assert "52 runs, starred ones first, then the newest, 50 a page." in page.said
    assert len(page.app.dataframe[0].value) == 50
