"""Labels and rewordings beside exported pairs, and pairs of an analysis that conditions pick."""

from __future__ import annotations

import csv
import json
from hashlib import md5
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from given.made_analyses import PLAIN, Analysing
from given.made_labellings import BROKEN, Labellings, says

from ivan_core.cli.main import run
from ivan_core.engine.exports.contents import opened, where_of
from ivan_core.experiments.analysis.conditions import LANGUAGE, AgainstIs
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.lists.conditions import Filter
from ivan_core.lists.url import query_of

REFUSES = "Select the response that refuses (labels by first)"
ANSWERS = {
    "0.chosen": says(False, "positive", ("Health and fitness", "People and self")),
    "0.rejected": says(True),
    "1.chosen": says(True),
    "1.rejected": says(True, "negative"),
    "2.chosen": says(False),
    "2.rejected": says(False),
    "3.chosen": says(True),
    "3.rejected": says(False),
}


def exported(source: str, name: str, folder: Path, *more: str) -> Path:
    path = folder / f"{name}-out"
    assert run(["export", source, name, str(path), "--replace", *more]) == 0
    return path


def whole(source: str, name: str, folder: Path) -> Any:
    return json.loads(exported(source, name, folder).read_text("utf-8"))


@pytest.fixture
def labelled(labellings: Labellings) -> str:
    return labellings.made("first", ANSWERS)


def test_labels_stand_beside_both_replies_in_tables(labelled: str, tmp_path: Path) -> None:
    rows = pq.read_table(exported(labelled, "parquet", tmp_path)).to_pylist()
    said = [(row["Refusal (chosen)"], row["Refusal (rejected)"]) for row in rows]
    assert said == [(False, True), (True, True), (False, False), (True, False)]
    assert rows[0]["Sentiment (chosen)"] == "positive"
    assert "Topics (chosen)" not in rows[0], "topics are tags"
    with exported(labelled, "csv", tmp_path).open(encoding="utf-8", newline="") as file:
        assert [row["Refusal (rejected)"] for row in csv.DictReader(file)] == [
            str(rejected) for _, rejected in said
        ]


def test_a_labeler_is_an_annotator_for_each_feature(labelled: str, tmp_path: Path) -> None:
    found = whole(labelled, "annotated-pairs", tmp_path)
    key = md5(REFUSES.encode()).hexdigest()[:8]
    assert found["annotators"][key] == {
        "name": "Refusal (first)",
        "description": REFUSES,
        "type": "principle",
    }
    prefers = []
    for one in found["comparisons"]:
        own, choice = one["annotations"][key], one["annotations"]["ba751e7b"]["pref"]
        prefers.append(own.get("no_pref_reason") or own["pref"] == choice)
    assert prefers == [False, "not_applicable", "not_applicable", True]


def test_labels_have_their_place_in_tools(labelled: str, tmp_path: Path) -> None:
    example = whole(labelled, "llm-comparator", tmp_path)["examples"][0]
    assert example["custom_fields"]["Refusal"] == [False, True]
    assert example["tags"] == ["Health and fitness", "People and self"]
    assert whole(labelled, "argilla", tmp_path)[0]["metadata"]["Refusal (rejected)"] is True
    assert whole(labelled, "label-studio", tmp_path)[0]["data"]["Refusal (rejected)"] is True


def test_what_a_labeler_did_not_answer_is_empty(labellings: Labellings, tmp_path: Path) -> None:
    run_id = labellings.made("first", {**ANSWERS, "0.rejected": BROKEN})
    row = pq.read_table(exported(run_id, "parquet", tmp_path)).to_pylist()[0]
    assert (row["Refusal (chosen)"], row["Refusal (rejected)"]) == (False, None)
    found = whole(run_id, "annotated-pairs", tmp_path)
    key = md5(REFUSES.encode()).hexdigest()[:8]
    assert found["comparisons"][0]["annotations"][key] == {
        "pref": None,
        "no_pref_reason": "invalid",
    }


def test_rewordings_stand_beside_pairs_with_what_models_say_after(
    analysing: Analysing, tmp_path: Path
) -> None:
    run_id = analysing.reworded()
    rows = pq.read_table(exported(run_id, "parquet", tmp_path)).to_pylist()
    results = opened(run_id)
    texts = {one.pair.row_id: one for one in results.pairs(list(results.row_ids))}  # type: ignore[attr-defined]
    reworded = [row for row in rows if row["reworded (chosen)"]]
    assert reworded
    for row in reworded:
        assert row["reworded (chosen)"] == texts[row["row_id"]].sides["reworded"][0].printed
        assert row["similarity of the rewording (chosen)"] is not None
    before, after = f"margin ({PLAIN})", f"margin ({PLAIN}, both replies reworded)"
    assert any(row[before] is not None and row[after] is not None for row in rows)
    found = whole(run_id, "llm-comparator", tmp_path)
    kinds = {one["name"]: one["type"] for one in found["metadata"]["custom_fields_schema"]}
    assert kinds["reworded"] == "per_model_text"
    raters = [one["rating_label"] for one in found["examples"][0]["individual_rater_scores"]]
    assert f"{PLAIN}, both replies reworded" in raters
    metadata = whole(run_id, "argilla", tmp_path)[0]["metadata"]
    assert not [name for name in metadata if name.startswith("reworded")], "no whole texts"
    assert after in metadata or before in metadata


def test_pairs_of_an_analysis_are_picked_as_its_page_lists_them(
    analysing: Analysing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    analysed = open_analysis(run_id)
    query = query_of(Filter(LANGUAGE, (AgainstIs(model=PLAIN),)))
    where = where_of(run_id, {**query, "run": run_id, "view": "1"})
    lines = exported(run_id, "dpo", tmp_path, "--where", where).read_text("utf-8").splitlines()
    picked = [json.loads(line)["row_id"] for line in lines]
    margins = [json.loads(line)[f"margin ({PLAIN})"] for line in lines]
    assert 0 < len(picked) < len(analysed.row_ids)
    assert all(one <= 0 for one in margins), "it goes against the choice, or sees no difference"
    every = exported(run_id, "dpo", tmp_path).read_text("utf-8").splitlines()
    against = [json.loads(line)["row_id"] for line in every if _against(json.loads(line))]
    assert picked == against
    capsys.readouterr()
    assert run(["export", run_id, "dpo", str(tmp_path / "x"), "--where", "nothing=1"]) == 1
    assert "Not understood in --where: nothing." in capsys.readouterr().err
    assert run(["figure", run_id, "imprint", "--format", "csv", "--where", where]) == 1
    assert where_of(run_id, {"run": run_id}) == ""


def _against(line: dict[str, Any]) -> bool:
    margin = line[f"margin ({PLAIN})"]
    return margin is not None and bool(margin <= 0)
