"""Make a column on Compare: checked at the door, followed, drawn, or refused in a sentence."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes, provider
from given import made_runs
from given.listed import listed

from ivan_core.experiments.columns import results as columns, work as column_module
from ivan_core.experiments.compare.results import open_results
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

COMPARE = "pages/compare.py"


@pytest.fixture
def page(data_dir, open_page, spawned):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=40))
    page = open_page(COMPARE, run=run_id)
    page.unfold("column-new")
    return page


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
        run_id = column_module.start(column_module.column_spec(dataset, "expression", text))
        work(Registry(data_dir), run_id, provider(Fakes()))
    page.run()
    assert "len(reply): " not in page.said
    shown = page.app.selectbox(key="column-show")
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
    page.unfold("column-new")
    make(page, "(a+)+$")
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    assert "There is no column matches of (a+)+$." in page.said
    assert "did not come to an end within 0.05 s on pair 0." in page.said
    assert "Write each repeat so that it can match in one way only." in page.said


def test_what_is_typed_is_never_markup(page, data_dir, spawned):
    make(page, "<img src=x>|:smile:")
    work(Registry(data_dir), spawned[0], provider(Fakes()))
    page.run()
    assert not [html.body for html in page.app.get("html") if "<img" in html.body]
    assert "matches of <img src=x>|:smile:: " in page.said


def made(data_dir, dataset, text):
    """The id of a column that is there."""
    spec = column_module.column_spec(dataset, "expression", text)
    work(Registry(data_dir), column_module.start(spec), provider(Fakes()))
    return spec.id


def test_the_column_shown_stands_in_the_url_and_in_links(page, data_dir, open_page):
    run_id = page.app.session_state["run"]
    column = made(data_dir, dataset_of(page), "len(reply)")
    page.run()
    page.app.selectbox(key="column-show").select_index(0)
    page.run()
    assert page.app.query_params["show"] == column
    page.run()
    assert f"show={column}" in page.links["Pairs"]
    again = open_page(COMPARE, run=run_id, show=column)
    assert "len(reply): Mean " in again.said
    assert f"figure-column-None-None-{column}" in again.buttons
    other = made(data_dir, dataset_of(page), "words(reply)")
    again.run()
    again.app.selectbox(key="column-show").select("words(reply)")
    again.run()
    assert again.app.query_params["show"] == other
    assert "words(reply): Mean " in again.said
    again.app.selectbox(key="column-show").set_value(None)
    again.run()
    assert "show" not in again.app.query_params and "words(reply): Mean " not in again.said


@pytest.mark.parametrize("link", ["x", "0123456789abcdef", "<img src=x>"])
def test_a_link_to_a_column_that_is_gone_shows_none(page, data_dir, open_page, link):
    made(data_dir, dataset_of(page), "len(reply)")
    again = open_page(COMPARE, run=page.app.session_state["run"], show=link)
    assert "len(reply): Mean " not in again.said
    assert "Click a pair to read it;" in again.said


def test_rows_are_ordered_by_the_column_shown(page, data_dir, open_page):
    dataset = dataset_of(page)
    column = made(data_dir, dataset, "len(reply)")
    again = open_page(COMPARE, run=page.app.session_state["run"], show=column)
    (order,) = [box for box in again.app.selectbox if box.label == "Order"]
    assert [option for option in order.options if option.startswith("len(reply)")] == [
        f"len(reply) ({side}), {end} first"
        for side in ("chosen minus rejected", "chosen", "rejected")
        for end in ("largest", "smallest")
    ]
    order.select("len(reply) (chosen), largest first")
    again.run()
    assert again.app.query_params["sort"] == f"column~1~{column}~chosen"
    lengths = columns.column(dataset, column).chosen[:40]
    shown = list(listed(again.app)["row_id"])
    assert shown == sorted(range(40), key=lambda row: (-lengths[row], row))


def test_the_order_of_a_link_is_named_though_its_column_is_not_shown(page, data_dir, open_page):
    column = made(data_dir, dataset_of(page), "len(reply)")
    run_id = page.app.session_state["run"]
    again = open_page(COMPARE, run=run_id, sort=f"column~1~{column}~any")
    (order,) = [box for box in again.app.selectbox if box.label == "Order"]
    assert order.value == "len(reply) (either side), largest first"
