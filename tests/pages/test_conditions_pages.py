"""A condition of another run is added in a few picks, and is a chip, on every page of rows."""

from __future__ import annotations

import pytest
from given import made_runs
from given.made_labellings import REFUSAL, Labellings

from ivan_core.annotations.queues import Queues
from ivan_core.engine import figures
from ivan_core.review.queues import queues_of
from ivan_core.settings import data_dir

COMPARE, TAXONOMY = "pages/compare.py", "pages/taxonomy.py"
MODEL = made_runs.TWO_MODELS[0]


@pytest.fixture
def compared(labellings: Labellings) -> str:
    return made_runs.finished(labellings.data_dir, made_runs.spec_of_file(labellings.file))


def test_a_label_is_asked_for_on_the_rows_of_a_comparison(compared, first, open_page):
    page = open_page(COMPARE, run=compared)
    page.app.session_state["add-0"] = True
    page.run()
    what = page.app.selectbox(key="add-0-what")
    assert {"Verdict", "Label", "Label on both replies", "Starred"} <= set(what.options)
    what.set_value("Label")
    page.run()
    assert f"Of first, run {first}." in page.said
    page.press("add-0-go")
    assert page.app.query_params["and"] == f"{first}~labels.label~{REFUSAL}~!0~yes"
    assert "3 pairs. Click a pair" in page.said
    (chip,) = [label for key, label in page.buttons.items() if key.startswith("chip-")]
    assert chip.replace("\\", "") == f"Refusal: yes (first, run {first}) ✕"
    page.press(next(key for key in page.buttons if key.startswith("chip-")))
    assert "and" not in page.app.query_params
    assert "4 pairs. Click a pair" in page.said


def test_how_many_rows_have_no_value_is_said(compared, first, open_page):
    link = f"{first}~labels.sides~{REFUSAL}"
    page = open_page(COMPARE, run=compared, **{"and": link})
    assert "1 pair. Click a pair" in page.said
    words = f"Refusal: differs between the replies (first, run {first})"
    assert f"1 of 4 pairs have no value for “{words}”, and are not listed." in page.said


def test_a_verdict_is_asked_for_on_the_texts_of_a_labelling(compared, first, open_page):
    link = f"{compared}~compare.rated~{MODEL}"
    page = open_page(TAXONOMY, run=first, **{"and": link})
    assert "8 texts. Click one" in page.said
    gone = open_page(TAXONOMY, run=first, **{"and": f"2020-01-01-00-00~compare.rated~{MODEL}"})
    assert "There is no run '2020-01-01-00-00' here." in gone.said
    assert "8 texts. Click one" in gone.said


def test_what_is_listed_becomes_a_queue(compared, first, open_page):
    link = f"{first}~labels.label~{REFUSAL}"
    page = open_page(COMPARE, run=compared, **{"and": link})
    page.app.session_state["review-rows"] = True
    page.run()
    page.press("queue-go")
    (queue, _) = sorted(queues_of(companions=True), key=lambda one: one.source == "random")
    assert f"Queue {queue.id} is made." in page.said
    assert (queue.source, queue.title) == ("rows", f"Refusal: yes (first, run {first})")
    assert sorted(item.row_id for item in Queues(data_dir()).items(queue.id)) == [0, 1, 3]


def test_a_figure_can_be_had_of_the_rows_listed(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
    page = open_page(COMPARE, run=run_id, longer="chosen")
    (key,) = (key for key in page.buttons if key.startswith("figure-agreement-"))
    page.press(key)
    n = figures.rows_picked(run_id, "longer=chosen")
    (rows,) = page.app.toggle
    assert rows.label == f"Only the {n} pairs listed below" and not rows.value
    assert figures.caption(run_id, "agreement") in [code.value for code in page.app.code]
    page.app.session_state[f"{key}-rows"] = True
    page.press(key)
    told = [code.value for code in page.app.code]
    assert figures.caption(run_id, "agreement", where="longer=chosen") in told
    assert (f"ivan figure {run_id} agreement --format svg --width 85 --where longer=chosen") in told


def test_a_figure_of_the_whole_run_says_so_beside_a_narrowed_list(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
    page = open_page(COMPARE, run=run_id, longer="chosen")
    page.app.segmented_control(key="view").set_value("How sure are they?")
    page.run()
    (key,) = (key for key in page.buttons if key.startswith("figure-coverage-"))
    page.press(key)
    assert not page.app.toggle
    assert "whatever is listed" in page.said


def test_a_figure_of_labels_can_be_had_of_the_texts_listed(first, open_page):
    page = open_page(TAXONOMY, run=first, side="chosen")
    (key,) = (key for key in page.buttons if key.startswith("figure-prevalence-"))
    page.press(key)
    (rows,) = page.app.toggle
    assert rows.label == "Only the 4 texts listed below" and not rows.value
    page.app.session_state[f"{key}-rows"] = True
    page.press(key)
    told = [code.value for code in page.app.code]
    assert figures.caption(first, "prevalence", where="side=chosen") in told
    assert f"ivan figure {first} prevalence --format svg --width 85 --where side=chosen" in told


def test_a_figure_waits_for_no_search(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
    page = open_page(COMPARE, run=run_id, find="never searched")
    page.press(next(key for key in page.buttons if key.startswith("figure-agreement-")))
    assert not page.app.toggle
    assert "have not been searched" in page.said and "This figure shows the whole run." in page.said
    assert figures.caption(run_id, "agreement") in [code.value for code in page.app.code]


def test_sentences_can_be_had_of_the_rows_listed(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=60))
    page = open_page(COMPARE, run=run_id, longer="chosen")
    page.app.session_state["sentences"] = True
    page.run()
    n = figures.rows_picked(run_id, "longer=chosen")
    (rows,) = page.app.toggle
    assert rows.label == f"Only the {n} pairs that are listed" and not rows.value
    first = figures.quotes(run_id)[0]
    assert f"{first.sentence}\n{first.command}" in [code.value for code in page.app.code]
    page.app.session_state["sentences-rows"] = True
    page.run()
    first = figures.quotes(run_id, "longer=chosen")[0]
    assert f"{first.sentence}\n{first.command}" in [code.value for code in page.app.code]
