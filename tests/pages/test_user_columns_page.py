"""Make a column on Compare: checked at the door, followed, drawn, or refused in a sentence."""

from __future__ import annotations

import made_runs
import pytest
from fakes import Fakes, provider

from ivan_core.experiments import column as column_module
from ivan_core.runs.registry import Registry
from ivan_core.worker import work
from ivan_core.workspace import columns
from ivan_core.workspace.results import open_results

COMPARE = "pages/compare.py"


@pytest.fixture
def page(data_dir, open_page, spawned):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))
    return open_page(COMPARE, run=run_id)


def make(page, text, kind="regular expression"):
    if kind != "regular expression":
        page.app.session_state["column-kind"] = kind
        page.run()
    key = "column-regex" if kind == "regular expression" else "column-expression"
    page.app.text_input(key=key).set_value(text)
    page.press("column-make")


def charts(page):
    return page.kinds.count("vega_lite_chart")


def dataset_of(page):
    return open_results(page.app.session_state["run"]).dataset.fingerprint


def test_a_column_is_made_followed_and_drawn(page, data_dir, spawned):
    before = charts(page)
    make(page, "len(reply)", "expression")
    assert "Making the column len(reply): 0 of " in page.said
    assert len(spawned) == 1
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    assert "Making the column" not in page.said
    assert "len(reply): Mean " in page.said
    assert charts(page) == before + 2


def test_a_column_that_is_there_is_shown_at_once(page, data_dir, spawned):
    make(page, "the")
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    make(page, "the")
    assert len(spawned) == 1
    assert "matches of the: Mean " in page.said


def test_known_columns_can_be_chosen_and_put_away(page, data_dir, spawned):
    dataset = dataset_of(page)
    for text in ("len(reply)", "words(reply)"):
        run_id = columns.start(columns.column_spec(dataset, "expression", text))
        work(Registry(data_dir), run_id, provider(Fakes()))
    page.run()
    assert "len(reply): " not in page.said
    shown = page.app.selectbox(key="column-show-None-2")
    assert shown.options == ["len(reply)", "words(reply)"]
    shown.select_index(1)
    page.run()
    assert "words(reply): Mean " in page.said


def test_a_syntax_error_is_a_sentence_and_starts_nothing(page, spawned):
    make(page, "len(reply", "expression")
    assert "This is not an expression at character" in page.said
    make(page, "open('/etc/passwd')", "expression")
    assert "no function called open" in page.said
    assert not spawned


@pytest.mark.parametrize(
    ("text", "said"),
    [("(", "This is not a regular expression"), ("", "There is nothing to look for.")],
)
def test_a_regular_expression_is_checked_at_the_door(page, spawned, text, said):
    make(page, text)
    assert said in page.said
    assert not spawned


def test_a_catastrophic_regular_expression_ends_kindly(
    data_dir, open_page, spawned, tmp_path, monkeypatch
):
    monkeypatch.setattr(column_module, "TEXT_SECONDS", 0.05)
    ask = "\n\nHuman: q\n\nAssistant: "
    rows = [{"chosen": f"{ask}{'a' * 5000}!", "rejected": f"{ask}no"}]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "a.jsonl", rows))
    page = open_page(COMPARE, run=made_runs.finished(data_dir, spec))
    make(page, "(a+)+$")
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    assert "There is no column matches of (a+)+$." in page.said
    assert "did not come to an end within 0.05 s on row 0." in page.said
    assert "Write each repeat so that it can match in one way only." in page.said


def test_what_is_typed_is_never_markup(page, data_dir, spawned):
    make(page, "<img src=x>|:smile:")
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    assert not [html.body for html in page.app.get("html") if "<img" in html.body]
    assert "matches of <img src=x>|:smile:: " in page.said
