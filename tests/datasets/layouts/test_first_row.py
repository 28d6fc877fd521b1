"""What a person sees of the first row, and is told of the others, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from given.layouts.published import HOSTILE, PUBLISHED, Published, Row, rows
from given.layouts.reading import read, save
from given.messages import said, user

from ivan_core.datasets.first_row import FirstRow, first_row_of
from ivan_core.datasets.told import told_of
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine.plan import FirstLook, ModelsAsked, first_look

SYSTEM: Row = {"role": "system", "content": "Be brief."}


def look(path: Path, layout: str = "") -> FirstLook:
    spec = CompareSpec(dataset=DatasetRequest(source=str(path), layout=layout))
    return first_look(spec, ModelsAsked())


def lines(path: Path) -> list[str]:
    found = look(path).first
    assert found is not None
    return found.lines()


def scored(prompt: str, scores: list[Any], name: str = "model") -> Row:
    completions = [
        {"model": f"{name} {place}", "response": f"Reply {place}", "overall_score": score}
        for place, score in enumerate(scores, start=1)
    ]
    return {**rows("ultrafeedback")[0], "instruction": prompt, "completions": completions}


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)
def test_every_reply_of_the_first_row_is_there_with_those_that_are_better(
    data_dir: Path, tmp_path: Path, one: Published
) -> None:
    dataset = read(tmp_path, one.rows("Hi?", "Hello.", "Go."))
    row = first_row_of(dataset)
    table = dataset.numbers()
    replies, better = (table["replies"][0], table["right"][0]) if "item" in table else (2, 1)
    assert [reply.place for reply in row.replies] == list(range(1, replies + 1))
    assert (row.better, row.tied) == (better, False)
    assert {reply.dialogue.reply for reply in row.replies if reply.better} >= {"Hello."}
    assert "Go." in {reply.dialogue.reply for reply in row.replies if not reply.better}


def test_the_lines_tell_prompt_system_replies_writers_subset_and_strength(
    data_dir: Path, tmp_path: Path
) -> None:
    found = [scored("Hi?", [8.0, 6.5, 8.0, 3.0])]
    assert lines(save(tmp_path / "four.json", found))[1:] == [
        "The first row:",
        "  human: Hi?",
        "  reply 1, better (model 1): Reply 1",
        "  reply 2 (model 2): Reply 2",
        "  reply 3, better (model 3): Reply 3",
        "  reply 4 (model 4): Reply 4",
        "  subset: evol_instruct",
        "  strength of the first pair: 1.5",
    ]
    two = rows("helpsteer3", context=[SYSTEM, user("Hi?")])
    assert lines(save(tmp_path / "two.jsonl", two))[2:] == [
        "  system: Be brief.",
        "  human: Hi?",
        "  better reply: Hello.",
        "  other reply: Go.",
        "  subset: code",
        "  strength: 3",
    ]


def test_of_a_long_list_the_rest_is_counted_and_the_better_one_is_shown(
    data_dir: Path, tmp_path: Path
) -> None:
    right = [place == 20 for place in range(32)]
    told = lines(save(tmp_path / "many.jsonl", rows("ppe-best-of-k", scores=right)))
    assert [line for line in told if "reply" in line or "replies" in line] == [
        "  reply 1: Go.",
        "  reply 2: Hello.",
        *(f"  reply {place}: Go." for place in range(3, 8)),
        "  reply 21, better: Go.",
        "  and 24 more replies",
    ]
    half = [place % 2 == 0 for place in range(32)]
    told = lines(save(tmp_path / "half.jsonl", rows("ppe-best-of-k", scores=half)))
    assert "  and 24 more replies, 12 of them better" in told


def test_a_tie_of_several_is_said_to_be_one(data_dir: Path, tmp_path: Path) -> None:
    told = lines(save(tmp_path / "tie.jsonl", [scored("Hi?", [7, 7, 7])]))
    assert "  none is better: a tie" in told and "  reply 3 (model 3): Reply 3" in told
    two = lines(save(tmp_path / "two.jsonl", rows("arena-33k", winner="tie")))
    assert "  neither is better: a tie" in two and "  reply (n): Hello." in two


def test_replies_after_different_dialogues_are_said_to_be_so(
    data_dir: Path, tmp_path: Path
) -> None:
    sides = [[user("Hi?"), said(word), user("More."), said(word)] for word in ("No.", "Yes.")]
    found = rows("arena-33k", conversation_a=sides[0], conversation_b=sides[1], turn=2)
    path = save(tmp_path / "apart.jsonl", found)
    assert "  (that is before the first reply: others follow other dialogues)" in lines(path)
    assert look(path).told == ["1 of 1 pairs have sides that part before the last reply (pair 0)."]


def test_nothing_in_a_row_moves_a_line_or_a_cursor(data_dir: Path, tmp_path: Path) -> None:
    found = scored(HOSTILE, [8.0, 6.5, 3.0], "\x1b[31mred\n")
    told = lines(save(tmp_path / "hostile.json", [found]))
    assert len(told) == 8 and all(line.isprintable() for line in told)


LEFT_OUT = [
    scored("One?", [8.0, "N/A", 6.5]),
    scored("Two?", [7, 7, 7, 7]),
    scored("Three?", [1, "N/A"]),
]
TOLD = [
    "2 rows made 4 pairs; 1 row is a tie.",
    "1 reply is left out, the others of their rows stay: line 1: reply 2 (model 2): its score is "
    "'N/A'.",
    "3 of 4 pairs are ties: the data prefers neither reply (pairs 1, 2, 3).",
]


def test_what_was_left_out_is_counted_and_named(data_dir: Path, tmp_path: Path) -> None:
    path = save(tmp_path / "rows.json", LEFT_OUT)
    found = look(path)
    assert found.told == TOLD
    assert found.remarks == [
        "1 line is no pair and would be left out (line 3: fewer than two of 2 replies have a "
        "score)."
    ]
    assert told_of(read(tmp_path, LEFT_OUT, ".json")) == TOLD


def test_a_read_dataset_is_told_of_as_before_it_was_read(data_dir: Path) -> None:
    path = save(data_dir.parent / "rows.json", LEFT_OUT)
    before = look(path)
    from ivan_core.datasets.prepare import prepare

    prepare(data_dir, DatasetRequest(source=str(path)))
    after = look(path)
    assert (after.told, after.remarks) == (before.told, before.remarks)
    assert isinstance(after.first, FirstRow) and after.first == before.first


def test_pairs_that_are_odd_are_named_by_their_numbers(tmp_path: Path) -> None:
    found = [*rows("shp", human_ref_B="Hello."), *rows("shp", human_ref_A=""), *rows("shp")]
    assert told_of(read(tmp_path, [*found, found[0]])) == [
        "2 of 4 pairs have the same text on both sides (pairs 0, 3).",
        "1 of 4 pairs have an empty reply (pair 1).",
        "1 of 4 pairs stand there more than once (pair 3).",
    ]
    assert told_of(read(tmp_path, rows("shp"))) == []
    many = [{**found[2], "human_ref_A": ""} for _ in range(7)]
    (empty, _) = told_of(read(tmp_path, many))
    assert empty == "7 of 7 pairs have an empty reply (pairs 0, 1, 2, 3, 4 and others)."
