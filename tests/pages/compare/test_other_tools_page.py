"""Pairs that a page lists, as a file for another tool: made on a press, with what was left out."""

from __future__ import annotations

import json
from pathlib import Path

from given import made_runs
from given.made_reviews import Said

from ivan_core.experiments.compare.results import open_results
from ivan_core.interchange.formats import FORMATS

COMPARE = "pages/compare.py"


def made_files(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "downloads").glob("*/*"))


def test_a_file_is_made_of_the_filter_on_a_press(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page = open_page(COMPARE, run=run_id, subset="harmless")
    page.unfold("other-tools")
    assert not made_files(data_dir), "nothing is made before it is asked for"
    picked = page.app.selectbox(key="other-tools-format")
    assert picked.options == [one.title for one in FORMATS.values()]
    command = f"ivan export {run_id} dpo --where subset=harmless"
    shown = [code.value for code in page.app.code]
    assert command in shown and f"ivan publish {run_id} OWNER/NAME" in shown
    page.app.button(key="other-tools-make").click()
    page.run()
    (path,) = made_files(data_dir)
    assert path.name == f"{run_id}-subset-harmless-dpo.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines and {line["subset"] for line in lines} == {"harmless"}
    assert f"{len(lines)} of {len(lines)} pairs written." in page.said
    assert "other-tools-file" in {one.key for one in page.app.get("download_button")}
    page.app.selectbox(key="other-tools-format").select(FORMATS["label-studio"])
    page.run()
    assert "pairs written" not in page.said, "that was another format"
    page.app.button(key="other-tools-make").click()
    page.run()
    assert "Which reply is a and which is b was drawn" in page.said
    assert any("<Pairwise" in code.value for code in page.app.code)


def test_what_people_settled_is_asked_for_where_they_did(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=4))
    page = open_page(COMPARE, run=run_id)
    page.unfold("other-tools")
    assert "People settled" not in page.said
    said = Said(data_dir, open_results(run_id).dataset.fingerprint)
    queue = said.pairs(2)
    for name in ("Ann", "Bob"):
        said.choose(queue, name, {0: "rejected", 1: "chosen"})
    page = open_page(COMPARE, run=run_id)
    page.unfold("other-tools")
    page.app.segmented_control(key="other-tools-settled").set_value("flip")
    page.run()
    page.app.button(key="other-tools-make").click()
    page.run()
    assert "1 flipped." in page.said
    (path,) = made_files(data_dir)
    first, *_ = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert (first["row_id"], first["done"]) == (0, "flipped")
