"""Several comparisons that are ticked on Runs, in one table."""

from __future__ import annotations

from pathlib import Path

from given import made_runs
from given.listed import lists_of
from streamlit.testing.v1 import AppTest

from ivan_core.experiments.compare.results import open_results
from ivan_core.metrics.agreement import ALL_SUBSETS

A, B, C = made_runs.many(3)


def _together(*run_ids: str) -> None:
    from ivan_core.engine import handling as runs
    from pages.components.runs.several import in_one_table

    in_one_table([runs.get(run_id) for run_id in run_ids])


def asked(*run_ids: str) -> AppTest:
    """The box of ticked runs after its button was pressed."""
    app = AppTest.from_function(_together, args=run_ids, default_timeout=300).run()
    assert not app.dataframe
    app.button(key="together-ask").click().run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(html.body for html in app.get("html"))


def made(data_dir: Path, *models: str, **fields: object) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(models, **fields))


def test_runs_on_the_same_pairs_stand_in_one_table(data_dir: Path) -> None:
    runs = [made(data_dir, model, limit=40) for model in (A, B, C)]
    app = asked(*runs)
    assert "3 models of 3 runs judged the same 40 pairs" in said(app)
    table = app.dataframe[0].value
    assert {*table["Model"]} == {A, B, C} and {*table["Run"]} == {*runs}
    assert (table["Pairs"] == 40).all() and table["95% interval"].str.startswith("[").all()
    assert len(app.get("vega_lite_chart")) == 1 and len(app.get("download_button")) == 1


def test_runs_that_read_texts_otherwise_are_told_apart_in_a_sentence(data_dir: Path) -> None:
    app = asked(made(data_dir, A, limit=40), made(data_dir, B, limit=40, max_tokens=128))
    assert not app.dataframe
    told = said(app) + "".join(one.value for one in app.error)
    assert "cuts texts at 128 tokens" in told
    assert "--" not in told


def test_a_clicked_model_lists_the_pairs_on_which_it_goes_against_the_choice(
    data_dir: Path,
) -> None:
    app = asked(*[made(data_dir, model, limit=40) for model in (A, B)])
    table = app.dataframe[0].value
    assert not lists_of(app)
    model = table["Model"][1]
    app.session_state["together-clicked"] = {"model": model, "subset": ALL_SUBSETS}
    app.run()
    against = open_results(table["Run"][1]).table.query("verdict == 'disagree'")
    assert f"{model} disagrees" in said(app)
    (listed,) = lists_of(app)
    assert [row[0] for row in listed["rows"]] == [str(row) for row in against["row_id"]]
    assert all(f"run={table['Run'][1]}" in link for link in listed["links"])
    app.button(key="together-close").click().run()
    assert not app.exception and not lists_of(app)
