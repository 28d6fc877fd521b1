"""Pairs of one's own on pages: looked at first, judged then, and in one study everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given import made_runs
from given.support import write_pairs

from ivan_core.domain.errors import IvanError
from ivan_core.domain.specs import CompareSpec, DatasetRequest, LabelSpec, RewriteSpec, RowsSpec
from ivan_core.engine import access, handling as runs, own_pairs, studies
from ivan_core.engine.access import Visitor

COMPARE, TAXONOMY, REWRITE = "pages/compare.py", "pages/taxonomy.py", "pages/rewrite.py"
Open = Callable[..., Any]


def own_table(path: Path) -> Path:
    rows = [{"q": f"Question {i}?", "winner": f"Yes {i}.", "loser": f"No {i}."} for i in range(5)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def begun(path: Path, **rows: Any) -> studies.About:
    request = DatasetRequest(source=str(path))
    own_pairs.read(request, lambda _: None)
    return studies.take(RowsSpec(dataset=request, **rows))


def test_a_dropped_file_is_looked_at_before_it_is_judged(
    data_dir: Path, open_page: Open, spawned: list[str], tmp_path: Path
) -> None:
    content = write_pairs(tmp_path / "mine.jsonl", 60).read_bytes() + b"{not json\n"
    page = open_page()
    page.app.file_uploader(key="home-file").set_value(("my-prefs.jsonl", content, "text/plain"))
    page.run()
    assert "60 pairs, 2 turns each." in page.said
    assert "1 line is no pair and left out: line 61: not valid JSON." in page.said
    assert "Answer 0." in page.said and "A · chosen" in page.said
    assert page.buttons["home-judge"].startswith("Judge 60 pairs with 2 models")
    assert spawned == [] and studies.abouts() == []
    page.press("home-judge")
    (run_id,) = spawned
    spec = runs.any_spec_of(runs.get(run_id))
    assert isinstance(spec, CompareSpec)
    assert spec.dataset.source.startswith(str(data_dir / "dropped"))
    assert page.app.query_params["run"] == run_id
    assert page.study == "Study: my-prefs.jsonl · 60 pairs"


def test_columns_of_other_names_become_a_choice_and_no_failed_run(
    data_dir: Path, open_page: Open, spawned: list[str], tmp_path: Path
) -> None:
    path = own_table(tmp_path / "table.jsonl")
    page = open_page()
    page.app.text_input(key="home-source").set_value(str(path))
    page.run()
    picked = {box.label: box for box in page.app.selectbox}
    assert [picked[name].value for name in ("Chosen reply", "Rejected reply")] == [
        "winner",
        "loser",
    ]
    assert "5 pairs, texts without turns." in page.said
    assert "5 of 5 pairs have no prompt." in page.said
    picked["Prompt"].select("q")
    page.run()
    assert "5 pairs, 2 turns each." in page.said
    page.press("home-judge")
    spec = runs.any_spec_of(runs.get(spawned[0]))
    assert spec.dataset.columns.prompt == "q" and spec.dataset.columns.chosen == "winner"


def test_one_column_twice_is_said_and_can_be_mended(
    data_dir: Path, open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    page.app.text_input(key="home-source").set_value(str(own_table(tmp_path / "table.jsonl")))
    page.run()
    box = next(box for box in page.app.selectbox if box.label == "Rejected reply")
    box.select("winner")
    page.run()
    assert "Both replies would be taken from the column winner." in page.said
    assert "home-judge" not in page.buttons
    next(box for box in page.app.selectbox if box.label == "Rejected reply").select("loser")
    page.run()
    assert "home-judge" in page.buttons


@pytest.mark.parametrize("name", ["none", "winner\nreply"])
def test_a_column_may_be_called_anything_and_half_characters_break_no_page(
    data_dir: Path, open_page: Open, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps({name: "Yes.", "other": "No.", "\ud800": "x"}))
    page = open_page()
    page.app.text_input(key="home-source").set_value(str(path))
    page.run()
    boxes = {box.label: box for box in page.app.selectbox}
    assert boxes["Chosen reply"].options == [name, "other"]
    boxes["Chosen reply"].select(name)
    boxes["Rejected reply"].select("other")
    page.run()
    assert "1 pair, texts without turns." in page.said and "home-judge" in page.buttons


@pytest.mark.parametrize("source", ["/nowhere/at-all.csv", "no such thing", "."])
def test_what_cannot_be_read_is_said_where_it_was_asked(
    data_dir: Path, open_page: Open, source: str
) -> None:
    page = open_page()
    page.app.text_input(key="home-source").set_value(source)
    page.run()
    assert "home-judge" not in page.buttons and page.buttons["first"]
    assert "--" not in page.said


def test_a_form_takes_own_pairs_and_every_other_form_begins_with_them(
    data_dir: Path, open_page: Open, spawned: list[str], pairs_file: Path
) -> None:
    page = open_page(TAXONOMY)
    page.app.text_input(key="label-own-source").set_value(str(pairs_file))
    page.run()
    page.press("label-own-use")
    assert page.app.selectbox(key="label-dataset").value == "pairs.jsonl"
    assert page.study == "Study: pairs.jsonl · 40 pairs"
    about = studies.abouts()[0]
    assert page.app.query_params["study"] == about.id
    page.press("label")
    spec = runs.any_spec_of(runs.get(spawned[0]))
    assert isinstance(spec, LabelSpec) and spec.dataset.source == str(pairs_file)
    for other, key in ((COMPARE, "form-dataset"), (REWRITE, "rewrite-dataset")):
        shown = open_page(other, study=about.id)
        assert shown.app.selectbox(key=key).value == "pairs.jsonl"
        assert "sample" not in shown.said


def test_a_form_begins_with_the_rows_of_the_study(
    data_dir: Path, open_page: Open, spawned: list[str], pairs_file: Path
) -> None:
    about = begun(pairs_file, row_ids=(3, 5))
    page = open_page(REWRITE, study=about.id)
    page.press("reword")
    spec = runs.any_spec_of(runs.get(spawned[0]))
    assert isinstance(spec, RewriteSpec) and spec.row_ids == (3, 5)
    drawn = begun(pairs_file, sample=7, seed=0)
    page = open_page(COMPARE, study=drawn.id)
    page.press("judge")
    assert runs.any_spec_of(runs.get(spawned[1])).sample == 7


def test_links_stay_in_the_study_and_runs_of_another_do_not_come_along(
    data_dir: Path, open_page: Open, pairs_file: Path
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=8))
    about = begun(pairs_file)
    page = open_page(COMPARE, run=run_id)
    assert page.study == "Study: sample · 8 pairs"
    assert page.links["Compare"] == f"compare?run={run_id}"
    own = studies.about_run(run_id)
    assert own is not None
    assert page.links["Taxonomy"] == f"taxonomy?study={own.id}"
    assert page.links["pairs\\.jsonl · 40 pairs"] == f"?study={about.id}"
    page.app.switch_page(COMPARE)
    page.app.query_params.clear()
    page.app.query_params["study"] = about.id
    page.run()
    assert page.study == "Study: pairs.jsonl · 40 pairs"
    assert "judge" in page.buttons
    assert page.links["Compare"] == page.links["Home"].replace("?", "compare?", 1)


def test_a_new_study_begins_with_both_ways_again(
    data_dir: Path, open_page: Open, pairs_file: Path
) -> None:
    begun(pairs_file)
    home = open_page()
    assert home.buttons["begin-Compare"].startswith("Judge the 40 pairs, ")
    assert home.links["New study"] == "?study=new"
    new = open_page(study="new")
    assert "first" in new.buttons
    assert new.app.text_input(key="home-source").value == ""


def test_an_unknown_study_in_the_address_is_said_and_the_newest_is_shown(
    data_dir: Path, open_page: Open, pairs_file: Path
) -> None:
    told = "The study of this link is not here."
    assert told in open_page(study="0123456789abcdef").said
    about = begun(pairs_file)
    for page in ("streamlit_app.py", COMPARE, "pages/runs.py"):
        shown = open_page(page, study="../../etc")
        assert shown.study == "Study: pairs.jsonl · 40 pairs"
        assert f"{told} What is shown is of another one." in shown.said
        assert told not in open_page(page, study=about.id).said
        assert told not in open_page(page, study="new").said


def test_who_only_reads_is_not_asked_for_pairs(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_provider", lambda: Visitor(local=False))
    assert not open_page().app.file_uploader
    assert not open_page(COMPARE).app.file_uploader


def test_a_file_that_is_typed_into_a_form_is_looked_at_before_it_is_used(
    data_dir: Path, open_page: Open, spawned: list[str], tmp_path: Path
) -> None:
    path = own_table(tmp_path / "table.jsonl")
    page = open_page(COMPARE)
    page.app.session_state["form-dataset"] = str(path)
    page.app.selectbox(key="form-dataset").options.append(str(path))
    page.run()
    assert "judge" not in page.buttons
    assert "5 pairs, texts without turns." in page.said
    page.app.selectbox(key="form-dataset").options.append(str(path))
    page.press("form-typed-use")
    assert page.app.selectbox(key="form-dataset").value == "table.jsonl"
    page.press("judge")
    assert runs.any_spec_of(runs.get(spawned[0])).dataset.columns.chosen == "winner"


def test_a_dataset_of_the_hub_is_fetched_when_that_is_pressed(
    data_dir: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    page = open_page()
    page.app.text_input(key="home-source").set_value("lab/prefs")
    page.run()
    assert "It is downloaded from the hub, then shown." in page.said
    wrong = IvanError("The hub does not answer.", "Try again later.")

    def read(request: DatasetRequest, told: object) -> None:
        asked.append(request.source)
        raise wrong

    monkeypatch.setattr("pages.components.study.own_pairs.read", read)
    page.run()
    assert asked == []
    page.press("home-fetch")
    assert asked == ["lab/prefs"] and "The hub does not answer." in page.said
