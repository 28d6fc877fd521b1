"""Several replies, a benchmark's own count and strengths on Compare; all replies on Pairs."""

from __future__ import annotations

from given.layouts import scored
from given.listed import listed

COMPARE, PAIRS = "pages/compare.py", "pages/pairs.py"


def test_compare_says_the_best_of_several_replies_first_and_shows_it(data_dir, tmp_path, open_page):
    page = open_page(COMPARE, run=scored.second(tmp_path))
    said = page.said
    assert "a right one gets the highest reward of better in 67% of 5 prompts" in said
    assert "one drawn at random is right in 32%" in said
    assert "better rewards a right reply most for 67% of 5 prompts" in said
    assert "Click a bar for the prompts for which a wrong reply has the highest reward" in said


def test_the_benchmarks_own_count_is_a_view_that_says_what_is_missing(
    data_dir, tmp_path, open_page
):
    page = open_page(COMPARE, run=scored.second(tmp_path), view="5")
    table = page.app.dataframe[0].value
    assert table["Model"].tolist() == ["better", "worse"]
    assert table["Math"].tolist() == ["50.0% [0.0, 100.0]", "0.0% [0.0, 0.0]"]
    assert "Score" not in table
    assert "3 of the 6 subsets are here, so there is no score of the whole." in page.said
    assert "Equal rewards share the credit here" in page.said


def test_a_dataset_of_pairs_has_none_of_these_views(data_dir, tmp_path, open_page):
    rows = [
        {"prompt": f"{at}?", "chosen": "Good answer.", "rejected": "Bad one."} for at in range(4)
    ]
    run = scored.imported(tmp_path, rows, {"one": [(1.0, 0.0)] * 4})
    said = open_page(COMPARE, run=run).said
    assert "gets the highest reward" not in said and "Click a bar for the prompts" not in said


def test_a_pair_has_all_replies_to_its_prompt_by_reward(data_dir, tmp_path, open_page):
    run = scored.second(tmp_path)
    page = open_page(PAIRS, run=run, row="4")
    assert "better rewards a wrong reply most." in page.said
    table = listed(page.app)
    assert table["text"].tolist()[0] == "Eight."
    assert table["right"].tolist() == ["wrong", "wrong", "wrong", "right"]
    shared = open_page(PAIRS, run=run, row="6").said
    assert "better gives 3 of 4 replies its highest reward." in shared
    blind = open_page(PAIRS, run=run, row="4", guess="yes").said
    assert "All replies to this prompt" not in blind
