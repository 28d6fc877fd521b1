"""Compare in depth as pages: trust, tabs on odd runs, links that do not fit, hostile notes."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.annotations.notes import Reviews
from ivan_core.domain.reviews import Mark
from ivan_core.domain.runs import RunState
from ivan_core.experiments.compare.results import open_results

COMPARE = "pages/compare.py"
PAIRS = "pages/pairs.py"
TABS = ("Where do they differ?", "How sure are they?", "Is it just length?", "Rewards")
MODELS = (*made_runs.TWO_MODELS, "OpenAssistant/reward-model-deberta-v3-large-v2")
HOSTILE = "<img src=x onerror=alert(1)> **b** $x$ :red[r]"


def each_tab(page) -> None:
    for tab in TABS:
        page.app.segmented_control(key="view").set_value(tab)
        page.run()


def test_the_trust_strip_gives_its_reasons(data_dir, open_page):
    fakes = Fakes(constant=True)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40), fakes)
    page = open_page(COMPARE, run=run_id)
    strips = open_results(run_id).manifest["trust"]
    assert page.said.count("Can the numbers be trusted?") == 1
    assert len(strips) == 2
    for strip in strips:
        for check in strip["checks"]:
            assert f"{check['name']}: {check['reason']}" in page.said


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_tab_is_drawn_for_any_number_of_models(data_dir, open_page, count):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(MODELS[:count], limit=80))
    each_tab(open_page(COMPARE, run=run_id))


def test_a_run_without_rated_rows_is_drawn(data_dir, open_page):
    fakes = Fakes(failing="0123456789abcdef")
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20), fakes)
    assert "has rated none of 20 pairs" in open_page(COMPARE, run=run_id).said


def test_an_unfinished_run_is_drawn(data_dir, open_page):
    spec = made_runs.spec_of_sample()
    run_id = made_runs.stopped(data_dir, spec, RunState.CANCELLED)
    page = open_page(COMPARE, run=run_id)
    each_tab(page)
    assert "Can the numbers be trusted?" not in page.said


def test_what_makes_no_sense_in_a_link_is_named_once_and_left_out(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(COMPARE, run=run_id, sort="nonsense", seen="x~perhaps")
    assert page.said.count("Not understood in this link, and left out: ") == 1
    assert "sort=nonsense" in page.said and "seen=x~perhaps" in page.said
    assert "20 pairs" in page.said
    page.press("forget")
    assert "Not understood" not in page.said
    assert "sort" not in page.app.query_params


def test_a_link_made_for_another_run_is_a_sentence(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(COMPARE, run=run_id, verdict=f"{HOSTILE}/nobody~agree", subset="harmless")
    assert f"Run {run_id} has no model {HOSTILE}/nobody." in page.said
    chips = [label for key, label in page.buttons.items() if key.startswith("chip-")]
    assert len(chips) == 1 and "harmless" in chips[0]
    assert "Click a pair to read it;" in page.said


def test_a_filter_is_carried_by_the_links_to_its_run_only(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=10))
    page = open_page(COMPARE, run=run_id, subset="harmless")
    page.run()
    assert "subset=harmless" in page.links["Compare"]
    page.app.query_params.clear()
    page.app.query_params["run"] = other
    page.run()
    page.run()
    assert "subset" not in page.links["Compare"]


def test_hostile_notes_and_names_are_read_as_they_are(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    dataset = open_results(run_id).dataset.fingerprint
    Reviews(data_dir).save(Mark(dataset, 3, author=HOSTILE, starred=True, note=HOSTILE))
    page = open_page(PAIRS, run=run_id, row="3")
    assert f"★ {HOSTILE}: {HOSTILE}" in page.said
    assert not any("<img" in html.body for html in page.app.get("html"))
