"""The form on Compare: its defaults, what it says of a plan, and what it says of bad input."""

from __future__ import annotations

import pytest
from given import made_runs
from streamlit.testing.v1 import AppTest

from ivan_core.engine import handling as runs

COMPARE = "pages/compare.py"


def fill(page, **values) -> None:
    """Fill in fields by the ends of their keys."""
    for name, value in values.items():
        page.app.session_state[f"form-{name}"] = value
        if name == "dataset":  # the test runner knows no typed options
            page.app.selectbox(key="form-dataset").options.append(value)
    page.run()


def test_the_defaults_are_the_demo(data_dir, open_page):
    page = open_page(COMPARE)
    form: AppTest = page.app
    assert form.selectbox(key="form-dataset").value == "sample"
    assert form.multiselect(key="form-models").value == list(made_runs.TWO_MODELS)
    assert form.selectbox(key="form-rows").value == "All pairs"
    assert page.buttons == {"judge": "Judge 480 pairs with 2 models"}
    assert "Nothing is sent anywhere." in page.said
    assert "Takes " in page.said


def test_each_model_shows_size_licence_training_and_whether_it_runs_here(data_dir, open_page):
    facts = open_page(COMPARE).app.dataframe[0].value
    first = facts.iloc[0]
    assert first["Model"] == "ivan/minilm-harmless"
    assert first["Size"] == "23 M"
    assert "MIT" in first["Licence"]
    assert first["On this machine"] == "runs here, ships with IVAN"


def test_one_press_starts_one_run_and_shows_it(data_dir, open_page, spawned):
    page = open_page(COMPARE)
    page.press("judge")
    assert len(spawned) == 1
    assert page.app.query_params["run"] == spawned[0]
    assert "Judging sample" in page.said
    assert "cancel" in page.buttons


def test_a_second_press_finds_the_same_run(data_dir, open_page, spawned):
    for _ in range(2):
        open_page(COMPARE).press("judge")
    assert len(spawned) == 1
    assert len(runs.every()) == 1


@pytest.mark.parametrize(
    ("rows", "count", "note"),
    [
        ({"rows": "The first N", "n": 7}, 7, "The first 7 of 480 pairs: not a random sample."),
        ({"rows": "A random draw of N", "n": 9}, 9, "A random draw of 9 of 480 pairs, seed 0."),
        ({"rows": "By number", "row-ids": "0, 479"}, 2, "2 pairs picked by number"),
        ({"rows": "The first N", "n": 900}, 480, "900 pairs were asked for and the data has 480"),
    ],
)
def test_the_choice_of_rows_is_said_before_the_start(data_dir, open_page, rows, count, note):
    page = open_page(COMPARE)
    fill(page, rows=rows.pop("rows"))
    fill(page, **rows)
    assert page.buttons["judge"] == f"Judge {count} pairs with 2 models"
    assert note in page.said


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"dataset": "/nowhere/pairs.jsonl"}, "/nowhere/pairs.jsonl"),
        ({"models": ["ivan/none"]}, "ivan/none"),
        ({"models": ["no model"]}, "'no model' is neither in the catalog, nor a name on the hub"),
        ({"models": ["/nowhere/model"]}, "There is no model in /nowhere/model."),
        ({"rows": "By number", "row-ids": "0, 480"}, "No such pair in this dataset: 480."),
        (
            {"rows": "By number", "row-ids": "one"},
            "Pair numbers are whole numbers from 0, not one.",
        ),
        ({"rows": "By number", "row-ids": " "}, "Pair numbers are whole numbers from 0"),
        ({"dataset": "  "}, "Choose a dataset."),
        ({"dataset": "no such thing"}, "no such thing"),
    ],
)
def test_bad_input_is_a_sentence_and_offers_no_button(data_dir, open_page, values, problem):
    page = open_page(COMPARE)
    if "rows" in values:
        fill(page, rows=values.pop("rows"))
    fill(page, **values)
    assert problem in page.said
    assert "judge" not in page.buttons
    assert page.app.selectbox(key="form-dataset")


def test_no_model_asks_for_one(data_dir, open_page):
    page = open_page(COMPARE)
    fill(page, models=[])
    assert "Choose at least one reward model." in page.said
    assert page.buttons == {}


def test_a_hub_dataset_offers_subsets_and_has_no_count_before_it_is_read(data_dir, open_page):
    page = open_page(COMPARE)
    fill(page, dataset="Anthropic/hh-rlhf")
    assert "harmless-base" in page.app.selectbox(key="form-subset").options
    assert page.buttons["judge"] == "Judge the pairs with 2 models"
    assert "the dataset has not been read on this machine yet" in page.said


def test_a_file_that_was_read_is_offered_again(data_dir, open_page, pairs_file):
    made_runs.finished(data_dir, made_runs.spec_of_file(pairs_file))
    page = open_page(COMPARE)
    field = page.app.selectbox(key="form-dataset")
    assert field.value == pairs_file.name
    assert field.options[0] == pairs_file.name


def test_what_is_known_already_is_said(data_dir, open_page):
    made_runs.finished(data_dir, made_runs.spec_of_sample())
    assert "(all is known already). Nothing is sent" in open_page(COMPARE).said


def test_a_model_behind_a_server_is_named_by_its_address(data_dir, open_page, monkeypatch):
    monkeypatch.delenv("IVAN_SERVER_KEY", raising=False)
    page = open_page(COMPARE)
    fill(page, server=" http://gpu.example.org:8000 ")
    assert page.buttons == {"judge": "Judge 480 pairs with 3 models"}
    assert "The texts go to gpu.example.org:8000." in page.said
    assert "how fast a server is shows with its first run" in page.said
    assert "Nothing is sent anywhere." not in page.said
    facts = page.app.dataframe[0].value.iloc[2]
    assert facts["Model"] == "http://gpu.example.org:8000"
    assert facts["On this machine"] == "runs on its server"
    monkeypatch.setenv("IVAN_SERVER_KEY", "mine")
    page.run()
    assert "over plain http: whoever is on the way can read it." in page.said


def test_an_address_with_a_password_is_refused_without_repeating_it(data_dir, open_page):
    page = open_page(COMPARE)
    fill(page, server="http://me:s3cret@gpu.example.org:8000")
    assert "holds a name or a password, which would be kept with the run" in page.said
    assert "s3cret" not in page.said
    assert page.buttons == {}
