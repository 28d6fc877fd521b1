"""Keeping runs in order from the page: rename, set beside, delete after a second thought, cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from given import made_runs
from given.made_labellings import FIRST, SECOND, Labellings, four_pairs
from streamlit.testing.v1 import AppTest

from ivan_core.datasets import prepare as preparing
from ivan_core.datasets.sources import Source, open_here
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import (
    CompareSpec,
    DatasetRequest,
    LabelSpec,
    RewriteSpec,
    RowsSpec,
    TaxonomySpec,
)
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import read_dataset
from ivan_core.engine.own_files import keep_file
from ivan_core.runs.registry import Registry
from pages.components.runs.duplicate import filled


def _manage(run_id: str) -> None:
    from ivan_core.engine import handling as runs
    from pages.components.runs.manage import manage

    manage(runs.get(run_id))


def _beside(first: str, second: str) -> None:
    from ivan_core.engine import handling as runs
    from pages.components.runs.table import side_by_side

    one, other = (
        (runs.get(run_id), {"What": "run", "Study": "sample", "By": ""})
        for run_id in (first, second)
    )
    side_by_side(one, other)


def _housekeeping() -> None:
    from pages.components.runs.manage import housekeeping

    housekeeping()


def managed(run_id: str, more: str) -> AppTest:
    app = AppTest.from_function(_manage, args=(run_id,), default_timeout=300)
    app.session_state[f"more-{run_id}"] = more
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(html.body for html in app.get("html"))


@pytest.fixture
def finished(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))


def test_a_run_gets_a_name(finished: str) -> None:
    app = managed(finished, "Rename")
    app.text_input(key=f"rename-to-{finished}").set_value("First <b>look</b>")
    app.button(key="rename").click().run()
    assert runs.get(finished).label == "First <b>look</b>"


def test_deleting_needs_a_second_thought(finished: str, data_dir: Path) -> None:
    app = managed(finished, "Delete")
    assert app.button(key="delete").disabled
    app.checkbox(key=f"delete-sure-{finished}").check().run()
    assert not app.button(key="delete").disabled
    app.button(key="delete").click().run()
    with pytest.raises(BadInput):
        runs.get(finished)
    assert not list((data_dir / "compare").glob("*.csv"))


def beside(first: str, second: str) -> str:
    app = AppTest.from_function(_beside, args=(first, second), default_timeout=300).run()
    assert not app.exception and f"{first}: run · sample" in said(app)
    app.button(key="beside-ask").click().run()
    assert not app.exception
    return said(app)


def test_two_runs_are_set_beside_each_other(finished: str, data_dir: Path) -> None:
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=15))
    told = beside(finished, other)
    assert "share 15 pairs" in told
    for model in made_runs.TWO_MODELS:
        assert f"{model} was trained on none of 15 pairs." in told


def test_two_labellings_are_set_beside_each_other_and_refused_beside_a_comparison(
    finished: str, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Labellings(data_dir, four_pairs(tmp_path), monkeypatch)
    first, second = made.made("first:1b", FIRST), made.made("second:1b", SECOND, seed=1)
    told = beside(first, second)
    assert "share all 4 pairs." in told and "The same answer in 67% of 6 texts" in told
    assert f"{finished} is a comparison, {first} is a labelling" in beside(finished, first)


def test_a_zip_and_every_file_can_be_taken_from_here(finished: str, data_dir: Path) -> None:
    app = AppTest.from_function(_manage, args=(finished,), default_timeout=300)
    app.session_state[f"export-of-{finished}"] = True
    labels = [button.proto.label for button in app.run().get("download_button")]
    assert labels[:2] == ["Export as a zip", "A zip with the texts too"]
    assert labels[2:4] == ["One page to send", "One page with a few texts"]
    written = sorted((data_dir / "compare").glob(f"{finished}-*.csv"))
    assert len(labels) == 4 + len(written) > 5
    assert not app.exception


def test_what_was_read_from_files_is_not_duplicated(data_dir: Path, tmp_path: Path) -> None:
    request = read_dataset(DatasetRequest(source=str(four_pairs(tmp_path))))
    path = tmp_path / "scores.csv"
    path.write_text("row_id,chosen_score,rejected_score,agreement\n0,1.5,0.5,True\n")
    (found,) = import_csvs([path], request)
    app = AppTest.from_function(_manage, args=(found.run_id,), default_timeout=300).run()
    button = app.button(key="duplicate")
    assert button.disabled and "Import the files again" in button.help


def test_several_files_of_a_study_are_dropped_at_once(data_dir: Path, tmp_path: Path) -> None:
    read_dataset(DatasetRequest())
    header = "row_id,chosen_score,rejected_score,agreement\n"
    good = [(f"{name}.csv", f"{header}0,1.5,0.5,True\n".encode(), "text/csv") for name in "ab"]
    app = AppTest.from_function(_housekeeping, default_timeout=300).run()
    app.file_uploader(key="import-files").set_value([*good, ("odd.csv", b"x,y\n1,2\n", "text/csv")])
    app.run()
    app.button(key="import").click().run()
    assert "odd.csv is no scores of a comparison" in said(app)
    assert "Nothing was imported" in said(app) and not runs.every()
    # Two files of one name are two files; here they would be one model.
    app.file_uploader(key="import-files").set_value([good[0], good[0]])
    app.run()
    app.button(key="import").click().run()
    assert "Two files would be the same model." in said(app)
    app.file_uploader(key="import-files").set_value(good)
    app.run()
    app.button(key="import").click().run()
    (run,) = runs.every()
    assert app.session_state["told"].startswith(f"Imported run {run.id}: 1 pairs, a, b.")


def test_the_cache_is_cleared_after_a_second_thought(data_dir: Path) -> None:
    app = AppTest.from_function(_housekeeping, default_timeout=300).run()
    assert "The cache holds 0 rewards" in said(app)
    assert app.button(key="clear-cache").disabled


def _filled(page: Any, run_id: str) -> Any:
    """A page whose form is filled from a run."""
    for key, value in filled(runs.get(run_id)).items():
        page.app.session_state[key] = value
        if key.endswith("-dataset"):  # the test runner knows the options of the last drawing only
            page.app.selectbox(key=key).options.append(value)
    page.run()
    return page.app


def test_duplicating_fills_the_form(data_dir: Path, open_page) -> None:  # type: ignore[no-untyped-def]
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample(limit=7, seed=3))
    app = _filled(open_page("pages/compare.py"), run_id)
    assert app.selectbox(key="form-rows").value == "The first N"
    assert app.number_input(key="form-n").value == 7
    assert app.number_input(key="form-seed").value == 3


def _queued(data_dir: Path, spec: Any) -> str:
    return Registry(data_dir).add(spec.kind, spec.model_dump_json(), spec.fingerprint)[0]


def test_duplicating_a_rewording_fills_its_form(data_dir: Path, open_page) -> None:  # type: ignore[no-untyped-def]
    spec = RewriteSpec(
        rewriter="ivan/rules",
        models=made_runs.TWO_MODELS[:1],
        limit=3,
        seed=4,
        scope="whole",
        labeler="ivan/lexicon",
        second=False,
    )
    app = _filled(open_page("pages/rewrite.py"), _queued(data_dir, spec))
    assert app.selectbox(key="rewrite-rows").value == "By number"
    assert app.text_input(key="rewrite-row-ids").value == "0, 1, 2"
    assert app.multiselect(key="rewrite-models").value == list(spec.models)
    assert app.selectbox(key="rewrite-scope").value == "whole"
    assert app.selectbox(key="rewrite-labeler").value == "ivan/lexicon"
    assert app.toggle(key="rewrite-second").value is False
    assert not [run for run in runs.every("rewrite") if run.spec != spec.model_dump_json()]


def test_duplicating_labels_fills_their_form_and_sends_nothing(data_dir: Path, open_page) -> None:  # type: ignore[no-untyped-def]
    paid = TaxonomySpec(model="gpt-6-luna", sample=9, keys=("topics",), max_usd=2.5)
    app = _filled(open_page("pages/taxonomy.py"), _queued(data_dir, paid))
    assert app.selectbox(key="label-labeler").value == "gpt-6-luna"
    assert app.selectbox(key="label-rows").value == "A random draw of N"
    assert app.number_input(key="label-n").value == 9
    assert app.multiselect(key="label-keys").value == ["topics"]
    assert app.number_input(key="label-cap").value == 2.5
    assert len(runs.every("taxonomy")) == 1
    free = LabelSpec(labeler="ivan/lexicon", row_ids=(4, 2))
    app = _filled(open_page("pages/taxonomy.py"), _queued(data_dir, free))
    assert app.selectbox(key="label-labeler").value == "ivan/lexicon"
    assert app.text_input(key="label-row-ids").value == "4, 2"


COLUMNS = {"chosen_column": "winner", "rejected_column": "loser", "prompt_column": "q"}
COMPARE, TAXONOMY, REWRITE = "pages/compare.py", "pages/taxonomy.py", "pages/rewrite.py"
DONE_ONCE_MORE = (
    (COMPARE, "form", "judge", CompareSpec(models=made_runs.TWO_MODELS)),
    (TAXONOMY, "label", "label", LabelSpec()),
    (
        REWRITE,
        "rewrite",
        "reword",
        RewriteSpec(rewriter="ivan/rules", models=made_runs.TWO_MODELS[:1], labeler="ivan/lexicon"),
    ),
)
"""Of each form its page, how its keys begin, the button that starts it, and what it was asked."""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five pairs in columns of other names; any dataset of the hub holds the same."""
    rows = [{"q": f"Question {i}?", "winner": f"Yes {i}.", "loser": f"No {i}."} for i in range(5)]
    path = made_runs.write_rows(tmp_path / "table.jsonl", rows)

    def from_hub(request: DatasetRequest) -> Source:
        here = {"source": str(path), "subset": "", "split": "train", "revision": ""}
        source = open_here(request.model_copy(update=here))
        assert source is not None
        return source

    monkeypatch.setattr(preparing, "open_hub", from_hub)
    return path


@pytest.mark.parametrize("kept_as", ["file", "dropped file", "dataset of the hub"])
@pytest.mark.parametrize(("page", "keys", "button", "asked"), DONE_ONCE_MORE)
def test_what_is_done_once_more_begins_with_the_very_same_dataset(
    page: str,
    keys: str,
    button: str,
    asked: RowsSpec,
    kept_as: str,
    data_dir: Path,
    open_page: Any,
    spawned: list[str],
    table: Path,
) -> None:
    source = {
        "file": {"source": str(table)},
        "dropped file": {"source": keep_file("mine.jsonl", table.read_bytes()).source},
        "dataset of the hub": {"source": "lab/prefs", "subset": "hard", "split": "test"},
    }[kept_as]
    request = DatasetRequest(**source, **COLUMNS)
    preparing.prepare(data_dir, request)
    run_id = _queued(data_dir, asked.model_copy(update={"dataset": request}))
    # The study that is looked at is of another request for the same file, called the same.
    other = request.model_copy(update={"chosen_column": "loser", "rejected_column": "winner"})
    preparing.prepare(data_dir, other)
    studies.take(RowsSpec(dataset=other))
    opened = open_page(page)
    assert other == opened.app.session_state["study-now"][1].spec.dataset
    app = _filled(opened, run_id)
    app.number_input(key=f"{keys}-seed").set_value(6)
    opened.run()
    assert app.selectbox(key=f"{keys}-dataset").value == request.label
    opened.press(button)
    assert runs.any_spec_of(runs.get(spawned[0])).dataset == request


@pytest.mark.parametrize(("page", "keys", "button", "asked"), DONE_ONCE_MORE)
def test_the_part_of_a_dataset_that_was_never_read_here_is_carried_and_can_be_changed(
    page: str,
    keys: str,
    button: str,
    asked: RowsSpec,
    data_dir: Path,
    open_page: Any,
    spawned: list[str],
) -> None:
    part = {"subset": "harmles-base", "split": "test", "revision": "main"}
    request = DatasetRequest(source="Anthropic/hh-rlhf", **part)
    run_id = _queued(data_dir, asked.model_copy(update={"dataset": request}))
    opened = open_page(page)
    app = _filled(opened, run_id)
    assert app.selectbox(key=f"{keys}-subset").value == "harmles-base"
    assert app.selectbox(key=f"{keys}-split").value == "test"
    assert app.text_input(key=f"{keys}-revision").value == "main"
    app.selectbox(key=f"{keys}-subset").select("harmless-base")
    opened.run()
    opened.press(button)
    mended = request.model_copy(update={"subset": "harmless-base"})
    assert runs.any_spec_of(runs.get(spawned[0])).dataset == mended
