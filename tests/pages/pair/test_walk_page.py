"""Pairs within a filter: which pair of how many, keys that stay inside, and the ways out."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from given import made_runs
from given.made_labellings import FIRST, REFUSAL

from ivan_core.engine import archive
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.verdicts import ModelsDiffer, VerdictIs
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.url import query_of
from pages.components.pair.walk import Walk

PAIRS, COMPARE, TAXONOMY = "pages/pairs.py", "pages/compare.py", "pages/taxonomy.py"
MODEL = made_runs.TWO_MODELS[0]
DISAGREES = Filter(LANGUAGE, (VerdictIs(model=MODEL, verdict="disagree"),))


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))


@pytest.fixture
def rows(run_id) -> list[int]:
    return matching_rows(listing(open_results(run_id)), DISAGREES)


def test_next_previous_and_d_stay_within_the_filter(run_id, rows, open_page):
    page = open_page(PAIRS, run=run_id, row=str(rows[0]), **query_of(DISAGREES))
    among = f"of {len(rows)} pairs: minilm-harmless disagrees"
    assert f"1 {among}" in page.said
    assert page.app.button(key="move-k").disabled
    page.press("move-j")
    assert page.app.query_params["row"] == str(rows[1])
    assert f"2 {among}" in page.said
    sharpest = [row for row in open_results(run_id).sharpest if row in rows]
    for expected in sharpest[:3]:
        page.press("move-d")
        assert page.app.query_params["row"] == str(expected)
    page.press("walk-leave")
    assert "minilm-harmless disagrees" not in page.said
    assert "verdict" not in page.app.query_params


def test_without_a_row_the_walk_begins_at_its_first(run_id, rows, open_page):
    page = open_page(PAIRS, run=run_id, **query_of(DISAGREES))
    assert f"pair {rows[0]} of 480" in page.said and f"1 of {len(rows)} pairs" in page.said


def test_a_row_outside_the_filter_is_told_and_next_leads_in(run_id, rows, open_page):
    outside = next(row for row in open_results(run_id).row_ids if row not in rows)
    page = open_page(PAIRS, run=run_id, row=str(outside), **query_of(DISAGREES))
    assert f"Pair {outside} is none of these {len(rows)} pairs: minilm-harmless" in page.said
    page.press("move-j")
    assert page.app.query_params["row"] == str(rows[0])


def test_a_filter_that_no_pair_meets_says_so(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="3", subset="nowhere")
    assert "No pair meets this filter: subset: nowhere" in page.said
    assert "pair 3 of 480" in page.said and page.app.button(key="move-j").disabled


@pytest.mark.parametrize("key", ["move-j", "move-d", "walk-table", "walk-leave", "moved-ask"])
def test_a_run_deleted_under_an_open_pair_is_said(run_id, rows, open_page, key):
    page = open_page(PAIRS, run=run_id, row=str(rows[0]), **query_of(DISAGREES))
    archive.delete(run_id)
    page.press(key)
    assert f"There is no run '{run_id}' here." in page.said


def test_the_table_that_one_came_from_is_a_press_away(run_id, rows, open_page):
    page = open_page(PAIRS, run=run_id, row=str(rows[0]), **query_of(DISAGREES))
    page.press("walk-table")
    assert f"{len(rows)} pairs: minilm-harmless disagrees" in page.said
    assert any("scrollIntoView" in html.body for html in page.app.get("html"))
    page.run()
    assert not any("scrollIntoView" in html.body for html in page.app.get("html"))


def test_while_guessing_the_filter_is_not_told(run_id, rows, open_page):
    page = open_page(PAIRS, run=run_id, row=str(rows[0]), guess="1", **query_of(DISAGREES))
    assert f"1 of {len(rows)} pairs" in page.said
    assert "disagrees" not in page.said


def test_a_search_that_nobody_did_is_said_and_all_pairs_are_walked(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="0", find="nowhere")
    assert "nowhere" in page.said and "search-now" in page.buttons
    page.press("move-j")
    assert "Pair " not in page.said


def test_the_strip_tells_a_filter_and_takes_it_away(run_id, rows, open_page):
    page = open_page(COMPARE, run=run_id, **query_of(DISAGREES))
    assert f"{len(rows)} pairs: minilm-harmless disagrees" in page.said
    assert page.links[":primary[Read them one by one]"] == (
        f"pairs?run={run_id}&verdict=ivan%2Fminilm-harmless~disagree&row={rows[0]}"
    )
    assert any('<a href="#compared-rows"' in one.body for one in page.app.get("html"))
    page.press("strip-close")
    assert "verdict" not in page.app.query_params
    assert "strip-close" not in page.buttons


def test_a_filter_that_leaves_nothing_has_nothing_to_read(run_id, open_page):
    both = Filter(LANGUAGE, (VerdictIs(model=MODEL, verdict="unrated"), ModelsDiffer()))
    page = open_page(COMPARE, run=run_id, **query_of(both))
    assert "0 pairs: minilm-harmless did not rate; models disagree" in page.said
    assert ":primary[Read them one by one]" not in page.links


def test_a_walk_of_nothing_leads_nowhere():
    walk = Walk([], "nothing")
    assert walk.step(3, 1) is None and walk.next_sharpest([3, 4], 3) is None


def test_an_order_alone_is_told_and_walked(run_id, open_page):
    order = Filter(LANGUAGE, sort=Sort(by="margin", of=MODEL, descending=True))
    first, second = matching_rows(listing(open_results(run_id)), order)[:2]
    page = open_page(COMPARE, run=run_id, **query_of(order))
    assert "120 pairs: margin of ivan/minilm-harmless, largest first" in page.said
    page = open_page(PAIRS, run=run_id, row=str(first), **query_of(order))
    page.press("move-j")
    assert page.app.query_params["row"] == str(second)


def test_texts_of_a_labelling_are_read_as_pairs_where_a_comparison_has_them(
    labellings, data_dir, open_page
):
    labelling = labellings.made("first", FIRST)
    query = {"run": labelling, "label": REFUSAL, "side": "rejected"}
    read = ":primary[Read them one by one]"
    assert read not in open_page(TAXONOMY, **query).links
    compared = made_runs.finished(data_dir, made_runs.spec_of_file(labellings.file))
    page = open_page(TAXONOMY, **query)
    assert "1 text: Only rejected replies; Refusal: yes" in page.said
    address, _, asked = page.links[read].partition("?")
    given = dict(parse_qsl(asked))
    assert (address, given["run"], given["row"]) == ("pairs", compared, "1")
    page = open_page(PAIRS, **given)
    assert "1 of 1 pair: Only rejected replies; Refusal: yes (first, run" in page.said
    page.press("walk-table")
    assert page.app.query_params["run"] == labelling
    assert "1 text: Only rejected replies; Refusal: yes" in page.said
