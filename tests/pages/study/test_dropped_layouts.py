"""A file of any layout that is dropped on a page: its first row whole, and what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given.layouts.published import RED_TEAM, Row, rows
from given.layouts.reading import save
from given.messages import user

from ivan_core.engine import handling as runs

COMPARE = "pages/compare.py"
Open = Callable[..., Any]


def drop(page: Any, path: Path, key: str = "home-file") -> None:
    page.app.file_uploader(key=key).set_value((path.name, path.read_bytes(), "text/plain"))
    page.run()


def scored(prompt: str, scores: list[Any]) -> Row:
    completions = [
        {"model": f"model {place}", "response": f"Reply <b>{place}</b>", "overall_score": score}
        for place, score in enumerate(scores, start=1)
    ]
    return {**rows("ultrafeedback")[0], "instruction": prompt, "completions": completions}


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".parquet"])
def test_every_reply_of_the_first_row_is_shown_with_what_was_left_out(
    data_dir: Path, open_page: Open, spawned: list[str], tmp_path: Path, ending: str
) -> None:
    scores: list[list[Any]] = [["8", "6", "8", "3"], ["7"] * 4, ["7", "N/A", "6", "5"], ["7"]]
    found = [scored(f"Question {place}?", some) for place, some in enumerate(scores)]
    page = open_page(COMPARE)
    drop(page, save(tmp_path / f"rows{ending}", found), "form-own-file")
    said = page.said
    assert "Read as UltraFeedback." in said
    assert "3 rows made 9 pairs; 1 row is a tie." in said
    assert "line 3: reply 2 (model 2): its score is 'N/A'." in said
    assert "1 line is no pair and left out: line 4: fewer than two of 1 replies" in said
    assert "The first row has 4 replies, 2 of them better than the others (subset" in said
    for place, head in enumerate((" · better model", " model", " · better model", " model")):
        assert f"Reply {place + 1}{head} {place + 1}" in said
        assert f"Reply <b>{place + 1}</b>" in said
    assert "Question 0?" in said
    page.press("form-own-use")
    page.press("judge")
    assert runs.any_spec_of(runs.get(spawned[0])).dataset.source.endswith(f"rows{ending}")


def test_of_a_long_list_the_rest_is_counted(
    data_dir: Path, open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    drop(page, save(tmp_path / "many.json", rows("ppe-best-of-k")))
    assert "The first row has 32 replies, 1 of them better than the others" in page.said
    assert "And 24 more replies." in page.said


def test_a_system_turn_and_who_wrote_two_replies_are_shown(
    data_dir: Path, open_page: Open, tmp_path: Path
) -> None:
    asked = [{"role": "system", "content": "Be brief."}, user("Hi?")]
    page = open_page()
    drop(page, save(tmp_path / "pair.json", rows("rmb-pairwise", conversation_input=asked)))
    assert "Be brief." in page.said and "The first row has 2 replies (subset Pairwise" in page.said
    assert "A · chosen m" in page.said and "B · rejected n" in page.said


@pytest.mark.parametrize(
    ("name", "content", "said", "next_step"),
    [
        ("red.json", json.dumps([RED_TEAM]), "no second reply", "Take another part of the data"),
        ("cut.parquet", "PAR1 and no more", "is not a whole Parquet file", "Write it again"),
        ("made.json", '{"data": [\n1]}', "not a list of rows", "as a list or each on a line"),
        ("empty.json", "[]", "empty.json is empty", "chosen and rejected"),
        ("other.jsonl", '{"a": 1}', "are needed; found: a", "Choose the columns"),
        (
            "one-kind.jsonl",
            '{"prompt": "a", "completion": "b", "label": true}',
            "only good ones, so no pair",
            "a good and a bad reply to the same prompt",
        ),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence_and_a_next_step(
    data_dir: Path,
    open_page: Open,
    tmp_path: Path,
    name: str,
    content: str,
    said: str,
    next_step: str,
) -> None:
    path = tmp_path / name
    path.write_text(content)
    page = open_page()
    drop(page, path)
    assert said in page.said and next_step in page.said
    assert "home-judge" not in page.buttons
