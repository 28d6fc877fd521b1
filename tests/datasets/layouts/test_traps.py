"""What published rows are known to trip readers over, layout by layout; the rows are invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from given.layouts.published import BY_LAYOUT, HOSTILE, Row, ask, rows
from given.layouts.reading import bad, read, told
from given.layouts.votes import blocks
from given.messages import said, user

GUIDE = {"role": "system", "content": "Be brief."}


def replies(folder: Path, found: list[Row], ending: str = ".jsonl") -> list[tuple[str, str]]:
    """The replies of each pair."""
    return [(one[-1][1], other[-1][1]) for one, other in told(read(folder, found, ending))]


SYSTEM = {
    "trl-explicit": {"prompt": [GUIDE, user("Hi?")]},
    "trl-implicit": {
        "chosen": [GUIDE, user("Hi?"), said("Hello.")],
        "rejected": [GUIDE, user("Hi?"), said("Go.")],
    },
    "ultrafeedback-binarized": {
        "chosen": [GUIDE, user("Hi?"), said("Hello.")],
        "rejected": [GUIDE, user("Hi?"), said("Go.")],
    },
    "pref-test-sets": {"prompt": [GUIDE, user("Hi?")]},
    "rmb-best-of-n": {"conversation_input": [{**GUIDE, "language": "English"}, user("Hi?")]},
    "rmb-pairwise": {"conversation_input": [GUIDE, user("Hi?")]},
    "arena-33k": {
        "conversation_a": [GUIDE, user("Hi?"), said("Go.")],
        "conversation_b": [GUIDE, user("Hi?"), said("Hello.")],
    },
    "arena-140k": {
        "conversation_a": [{**GUIDE, "content": blocks("Be brief.")}, user("Hi?"), said("Go.")],
        "conversation_b": [{**GUIDE, "content": blocks("Be brief.")}, user("Hi?"), said("Hello.")],
    },
    "helpsteer3": {"context": [GUIDE, user("Hi?")]},
    "ultrainteract": {
        "trajectory": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Hi?"}]
    },
    "kto": {"prompt": [GUIDE, user("Hi?")]},
}


@pytest.mark.parametrize("layout", SYSTEM)
def test_a_system_text_is_a_turn_of_its_own(tmp_path: Path, layout: str) -> None:
    (sides, *_) = told(read(tmp_path, rows(layout, **SYSTEM[layout])))
    for side, reply in zip(sides, ("Hello.", "Go."), strict=True):
        assert side == (("System", "Be brief."), ("Human", "Hi?"), ("Assistant", reply))


LONGER = [user("Hi?"), said("Well?"), user("More.")]
SEVERAL = {
    "trl-explicit": {"prompt": LONGER},
    "pref-test-sets": {"prompt": LONGER},
    "rmb-best-of-n": {"conversation_input": LONGER},
    "helpsteer3": {"context": LONGER},
    "ultrainteract": {
        "trajectory": [{"from": one["role"], "value": one["content"]} for one in LONGER]
    },
    "kto": {"prompt": LONGER},
    "nectar": {"prompt": "\n\nHuman: Hi?\n\nAssistant: Well?\n\nHuman: More.\n\nAssistant: "},
    "helpsteer2": {
        "prompt": "Hi?\n<extra_id_1>Assistant\nWell?\n<extra_id_1>User\nMore."
        "\n<extra_id_1>Assistant\n"
    },
    "arena-55k": {
        "prompt": json.dumps(["Hi?", "More."]),
        "response_a": json.dumps(["Well?", "Go."]),
        "response_b": json.dumps(["Well?", "Hello."]),
    },
}


@pytest.mark.parametrize("layout", SEVERAL)
def test_the_turns_before_the_replies_are_kept(tmp_path: Path, layout: str) -> None:
    (sides, *_) = told(read(tmp_path, rows(layout, **SEVERAL[layout])))
    before = (("Human", "Hi?"), ("Assistant", "Well?"), ("Human", "More."))
    assert sides[0] == (*before, ("Assistant", "Hello."))
    assert sides[1][:3] == before


CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
IMAGE = {"type": "image_url", "image_url": {"url": "x"}}
DAMAGED: dict[str, tuple[str, Row, str]] = {
    "a tool call": ("trl-explicit", {"chosen": [CALL]}, "chosen holds a tool call"),
    "a tool's answer": (
        "helpsteer3",
        {"context": [user("Hi?"), {"role": "tool", "content": "4"}]},
        "context holds a message of the role 'tool'",
    ),
    "an image": (
        "arena-140k",
        {"conversation_a": [user([*blocks("Hi?"), IMAGE]), said(blocks("Go."))]},
        "conversation_a holds a part of the type 'image_url', which is no text",
    ),
    "null content": (
        "arena-33k",
        {"conversation_b": [user("Hi?"), said(None)]},
        "conversation_b holds a message without text",
    ),
    "a side without a reply": (
        "arena-33k",
        {"conversation_a": [user("Hi?")]},
        "conversation_a does not end in a reply",
    ),
    "another vote": (
        "arena-33k",
        {"winner": "model_c"},
        "winner is 'model_c', not one of model_a, model_b, tie, tie (bothbad), both_bad",
    ),
    "no vote": ("ppe-human", {"winner": None}, "winner is null, not one of"),
    "null in a list": (
        "arena-55k",
        {"response_a": '["x", null]', "prompt": '["Hi?", "More."]'},
        "response_a holds null where a text belongs",
    ),
    "lists of two lengths": (
        "arena-55k",
        {"prompt": '["Hi?", "More."]'},
        "2 prompts and 1 replies",
    ),
    "a cut list": ("arena-55k", {"prompt": '["Hi?'}, "prompt holds no list of texts"),
    "two winners": (
        "arena-55k",
        {"winner_tie": 1},
        "not one of winner_model_a, winner_model_b and winner_tie is 1",
    ),
    "no wrong reply": (
        "rewardbench-2",
        {"rejected": []},
        "all 2 replies are right, and none is wrong",
    ),
    "more replies than scores": (
        "ppe-best-of-k",
        {"scores": [True, False]},
        "2 scores, and a reply under response_3",
    ),
    "no preference": ("helpsteer3", {"overall_preference": None}, "overall_preference holds no"),
    "a preference that is no number": (
        "helpsteer2",
        {"preference_strength": float("nan")},
        "preference_strength holds no number",
    ),
    "a turn of nobody": (
        "helpsteer2",
        {"prompt": "Hi?\n<extra_id_1>Narrator\nOnce"},
        "prompt holds <extra_id_1> without User or Assistant",
    ),
    "neither reply better": (
        "pku-saferlhf",
        {"better_response_id": -1},
        "better_response_id is '-1', not one of 0, 1",
    ),
    "no label": ("shp", {"labels": None}, "labels is null, not one of 1, 0"),
    "null reply": ("shp", {"human_ref_B": None}, "no text under human_ref_B"),
    "a prompt that is no transcript": (
        "nectar",
        {"prompt": "Hi?"},
        "prompt does not end where the reply begins",
    ),
    "no person in the prompt": (
        "nectar",
        {"prompt": "\n\nAssistant: "},
        "prompt holds no turn of a person",
    ),
    "no completions": ("ultrafeedback", {"completions": []}, "completions holds no scored"),
    "one score alone": (
        "ultrafeedback",
        {
            "completions": [
                {"response": "a", "overall_score": score} for score in ("N/A", None, 7.5)
            ]
        },
        "fewer than two of 3 replies have a score",
    ),
    "another role": (
        "ultrainteract",
        {"trajectory": [{"from": "narrator", "value": "Once"}]},
        "trajectory holds a message of the role 'narrator'",
    ),
    "other right replies than said": (
        "rewardbench-2",
        {"num_correct": 1},
        "num_correct is not the 2 replies under chosen",
    ),
    "a text for a list": ("rewardbench-2", {"chosen": "['a']"}, "chosen holds no list of texts"),
    "two styles": (
        "rm-bench",
        {"chosen": ["a", "b"]},
        "2 right and 3 wrong replies instead of 3 and 3",
    ),
    "no losers": ("rmb-best-of-n", {"loser_list": []}, "loser_list holds no replies"),
    "a loser without answer": (
        "rmb-best-of-n",
        {"loser_list": [{"llm_name": "n", "answer": None}]},
        "a reply without an answer",
    ),
    "another verdict": (
        "judgebench",
        {"label": "A>>B"},
        "label is 'A>>B', not one of A>B, B>A, A=B",
    ),
    "a prompt without replies": (
        "ultrafeedback-binarized",
        {"chosen": [user("Hi?")], "rejected": [user("Hi?")]},
        "chosen does not end in a reply",
    ),
    "no messages": ("ultrafeedback-binarized", {"rejected": []}, "no text under rejected"),
}


@pytest.mark.parametrize(("layout", "changed", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_is_named_with_its_reason(
    tmp_path: Path, layout: str, changed: Row, reason: str
) -> None:
    found = [*rows(layout), *rows(layout, **changed), *rows(layout)]
    dataset = read(tmp_path, found)
    assert dataset.rows == 2 * BY_LAYOUT[layout].pairs
    named = bad(dataset)
    assert list(named) == [2] and named[2].startswith(reason)


@pytest.mark.parametrize(
    ("layout", "column", "values"),
    [
        ("pku-saferlhf", "better_response_id", ["0", 0, 0.0]),
        ("shp", "labels", ["0", 0, 0.0]),
        ("helpsteer3", "overall_preference", ["1", 2, 3.0]),
        ("helpsteer2", "preference_strength", ["-1", -2, -3.0]),
        ("judgebench", "label", ["A>B"]),
        ("ppe-human", "winner", ["model_a"]),
    ],
)
def test_the_other_reply_is_better_however_its_number_is_written(
    tmp_path: Path, layout: str, column: str, values: list[Any]
) -> None:
    """The makers' rows have "Hello." as the better one, and on either side."""
    found = [row for value in values for row in rows(layout, **{column: value})]
    assert set(replies(tmp_path, found)) == {("Go.", "Hello.")}


def test_votes_in_three_columns_are_read_however_they_are_written(tmp_path: Path) -> None:
    found = rows("arena-55k", winner_model_a="1", winner_model_b="0", winner_tie="0")
    assert replies(tmp_path, found) == [("Go.", "Hello.")]


def test_votes_of_the_arena_keep_their_word(tmp_path: Path) -> None:
    words = ["model_a", "model_b", "tie", "tie (bothbad)", "both_bad"]
    dataset = read(tmp_path, [row for word in words for row in rows("arena-33k", winner=word)])
    assert dataset.numbers()["winner"].tolist() == words
    assert dataset.tied_rows == {2, 3, 4}


def test_sides_of_the_arena_may_differ_before_the_last_turn(tmp_path: Path) -> None:
    sides = [[user("Hi?"), said(word), user("More."), said(word)] for word in ("No.", "Yes.")]
    found = rows("arena-33k", conversation_a=sides[0], conversation_b=sides[1], turn=2)
    dataset = read(tmp_path, found)
    assert told(dataset)[0][0][1] == ("Assistant", "Yes.")
    assert dataset.about["sanity"]["prompts_differ"] == 1


def test_of_an_arena_dialogue_the_exchange_of_the_vote_is_read_and_its_place_kept(
    tmp_path: Path,
) -> None:
    earlier = {"user": user(blocks("Before?")), "model_side_a": said(blocks("x"))}
    found = rows("arena-140k", evaluation_order=2, full_conversation=[earlier, earlier])
    dataset = read(tmp_path, found, ".parquet")
    assert len(told(dataset)[0][0]) == 2
    assert dataset.row(0)["evaluation_order"] == 2


def test_blocks_of_text_are_joined(tmp_path: Path) -> None:
    side = [user([*blocks("Hi"), *blocks("?")]), said([*blocks("Hel"), *blocks("lo.")])]
    found = rows("arena-140k", conversation_b=side)
    assert told(read(tmp_path, found))[0][0] == (("Human", "Hi?"), ("Assistant", "Hello."))


def test_equal_scores_are_a_tie_and_reversed_ones_stay_and_are_counted(tmp_path: Path) -> None:
    scores = [(8.5, 6.0), (8.5, 8.5), (3.0, 4.5), ("N/A", 4.5)]
    found = [
        row
        for one, other in scores
        for row in rows("ultrafeedback-binarized", score_chosen=one, score_rejected=other)
    ]
    dataset = read(tmp_path, found)
    assert dataset.tied_rows == {1}
    assert [pair.chosen.reply for pair in dataset.pairs(range(4))] == ["Hello."] * 4
    assert dataset.about["sanity"]["reversed"] == 1
    strength = dataset.numbers()["strength"]
    assert strength.dropna().to_dict() == {0: 2.5, 1: 0.0, 2: 1.5}


def test_what_stands_before_the_first_turn_is_no_system_turn(tmp_path: Path) -> None:
    dataset = read(tmp_path, rows("nectar", prompt=f"Be brief.{ask('Hi?')} "))
    pair = next(dataset.pairs([0]))
    assert pair.chosen.preamble == "Be brief." and pair.chosen.roles == ("Human", "Assistant")


def test_a_reply_alone_among_the_ratings_is_named(tmp_path: Path) -> None:
    first, second = rows("helpsteer2-ratings")
    other = {**first, "prompt": "And?"}
    dataset = read(tmp_path, [first, second, other, first, second, other])
    assert dataset.rows == 2
    alone = "one reply alone: the line after it has another prompt"
    assert bad(dataset) == {3: alone, 6: alone}


def test_replies_to_a_prompt_are_gathered_wherever_they_stand(tmp_path: Path) -> None:
    bad_one, good_one = rows("kto")
    other = {"prompt": [user("And?")], "completion": [said("Well.")], "label": True}
    again = {**good_one, "completion": [said("Hey.")]}
    found = [bad_one, other, good_one, {**good_one, "label": "yes"}, again]
    dataset = read(tmp_path, found, ".jsonl")
    assert replies(tmp_path, found) == [("Hello.", "Go."), ("Hey.", "Go.")]
    assert dataset.numbers()[["item", "replies", "right"]].values.tolist() == [[0, 3, 2]] * 2
    assert bad(dataset) == {
        2: "this reply to its prompt: only good ones, so no pair",
        4: "label is neither true nor false",
    }


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ([user("More.")], "completion does not end in a reply"),
        (None, "no text under completion"),
        ("\ud83d", "half a character (a lone surrogate)"),
    ],
)
def test_a_damaged_reply_costs_itself_alone_and_not_the_others_to_its_prompt(
    tmp_path: Path, completion: Any, reason: str
) -> None:
    good = rows("kto")
    dataset = read(tmp_path, [{**good[0], "completion": completion}, *good])
    assert (dataset.rows, bad(dataset)) == (1, {1: reason})


def test_completions_may_hold_the_whole_dialogue_beside_a_prompt_as_text(tmp_path: Path) -> None:
    found = [
        {"prompt": "Hi?", "completion": [GUIDE, user("Hi?"), said(reply)], "label": label}
        for reply, label in (("Hello.", True), ("Go.", False))
    ]
    before = (("System", "Be brief."), ("Human", "Hi?"))
    assert told(read(tmp_path, found)) == [
        ((*before, ("Assistant", "Hello.")), (*before, ("Assistant", "Go.")))
    ]


def test_completions_that_go_on_in_a_transcript_are_read_as_its_turns(tmp_path: Path) -> None:
    found = [
        {"prompt": ask("Hi?"), "completion": f" {reply}", "label": label}
        for reply, label in (("Hello.", True), ("Go.", False))
    ]
    pair = next(read(tmp_path, found).pairs([0]))
    assert pair.chosen.text == f"{ask('Hi?')} Hello."


def test_a_prompt_with_markers_in_the_middle_is_what_one_person_says(tmp_path: Path) -> None:
    found = {"prompt": HOSTILE, "chosen": "Yes.", "rejected": "No."}
    assert told(read(tmp_path, [found]))[0][0] == (("Human", HOSTILE), ("Assistant", "Yes."))


def test_sides_of_hh_rlhf_own_their_dialogues(tmp_path: Path) -> None:
    chosen, rejected = (f"{ask('Hi?')} {word}{ask('More.')} Well." for word in ("Yes.", "No."))
    dataset = read(tmp_path, [{"chosen": chosen, "rejected": rejected}])
    assert dataset.about["sanity"]["prompts_differ"] == 1
    pair = next(dataset.pairs([0]))
    assert (pair.chosen.text, pair.rejected.text) == (chosen, rejected)
