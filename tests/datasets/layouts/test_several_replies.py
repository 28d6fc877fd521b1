"""Rows with more than two replies, and replies that are gathered into rows: which pairs they make,
ties, and what is left out; the rows are invented.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from given.layouts.published import rows
from given.layouts.reading import read, told

from ivan_core.domain.errors import BadInput


def test_the_right_replies_of_rewardbench_2_stand_first(tmp_path: Path) -> None:
    dataset = read(tmp_path, rows("rewardbench-2", models=["m"]), ".parquet")
    numbers = dataset.numbers()
    assert numbers[["item", "replies", "right"]].drop_duplicates().values.tolist() == [[0, 3, 2]]
    assert numbers[["chosen_reply", "rejected_reply"]].values.tolist() == [[0, 2], [1, 2]]
    assert numbers["id"].tolist() == ["tied:4"] * 2 and "chosen_model" not in numbers


def test_three_right_and_three_wrong_replies_make_nine_pairs_by_style(tmp_path: Path) -> None:
    found = rows("rm-bench")[0]
    found["subset"] = found.pop("domain")
    dataset = read(tmp_path, [found], ".json")
    numbers = dataset.numbers()
    assert numbers[["chosen_reply", "rejected_reply"]].values.tolist() == [
        [right, wrong] for right in (0, 1, 2) for wrong in (3, 4, 5)
    ]
    assert set(numbers["subset"]) == {"chat"}


def test_of_equal_ranks_the_best_are_better_than_the_rest_alone(tmp_path: Path) -> None:
    answers = [{"answer": str(rank), "model": "m", "rank": rank} for rank in (2, 1, 1, 2)]
    dataset = read(tmp_path, rows("nectar", answers=answers))
    numbers = dataset.numbers()
    assert numbers[["chosen_reply", "rejected_reply"]].values.tolist() == [
        [1, 0],
        [1, 3],
        [2, 0],
        [2, 3],
    ]


def test_the_system_text_of_the_makers_is_no_part_of_the_prompt(tmp_path: Path) -> None:
    completions = [
        {"model": name, "response": name, "overall_score": score, "custom_system_prompt": "Lie."}
        for name, score in (("m", 7.0), ("n", 9.5), ("o", 9.5))
    ]
    dataset = read(tmp_path, rows("ultrafeedback", completions=completions))
    assert told(dataset)[0][0] == (("Human", "Hi?"), ("Assistant", "n"))
    assert [pair[0][-1][1] for pair in told(dataset)] == ["n", "o"]
    assert dataset.numbers()["strength"].tolist() == [2.5, 2.5]


def test_of_a_tie_every_reply_stays_and_none_is_right(tmp_path: Path) -> None:
    answers = [{"answer": str(place), "model": "m", "rank": 1} for place in range(4)]
    dataset = read(tmp_path, [*rows("nectar", answers=answers), *rows("nectar")])
    numbers = dataset.numbers()
    assert dataset.tied_rows == {0, 1, 2}
    assert numbers[["item", "replies", "right", "chosen_reply", "rejected_reply"]].values.tolist()[
        :3
    ] == [[0, 4, 0, 0, other] for other in (1, 2, 3)]
    assert (dataset.about["rows_read"], dataset.about["rows_tied"]) == (2, 1)
    assert dataset.about["sanity"]["tied"] == 3


def test_replies_that_are_all_right_or_all_wrong_rank_nothing(tmp_path: Path) -> None:
    found = [row for one in (True, False) for row in rows("ppe-best-of-k", scores=[one] * 32)]
    dataset = read(tmp_path, found, ".parquet")
    assert (dataset.rows, len(dataset.tied_rows)) == (62, 62)
    assert dataset.about["rows_tied"] == 2


def test_a_reply_without_a_score_is_left_out_and_named_and_the_others_are_kept(
    tmp_path: Path,
) -> None:
    scores = (5.5, "N/A", 8.0, None)
    completions = [
        {"model": name, "response": name, "overall_score": score}
        for name, score in zip("mnop", scores, strict=True)
    ]
    found = [*rows("ultrafeedback"), *rows("ultrafeedback", completions=completions)]
    dataset = read(tmp_path, found)
    assert told(dataset)[1][0][-1] == ("Assistant", "o") and dataset.rows == 2
    assert dataset.about["bad_lines"] == 0
    assert dataset.about["replies_left_out_named"] == [
        [2, "reply 2 (n): its score is 'N/A'"],
        [2, "reply 4 (p): its score is null"],
    ]
    assert dataset.numbers()["chosen_model"].tolist() == ["m", "o"]


def test_prompts_that_good_and_bad_replies_do_not_share_are_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    found = [
        {"prompt": f"Question {place}?", "completion": "Yes.", "label": place % 2 == 0}
        for place in range(4)
    ]
    with pytest.raises(BadInput, match=r"None of 4 lines .* only good ones, so no pair") as caught:
        read(tmp_path, found)
    assert "a good and a bad reply to the same prompt" in caught.value.hint


def test_ratings_in_another_order_are_refused_with_the_reason(tmp_path: Path) -> None:
    found = [{**row, "prompt": str(place)} for place, row in enumerate(rows("helpsteer2-ratings"))]
    with pytest.raises(BadInput, match="one reply alone") as caught:
        read(tmp_path, found)
    assert "Two lines in succession" in caught.value.hint


def test_equal_replies_are_said_to_be_the_same(tmp_path: Path) -> None:
    best = {"llm_name": "m", "answer": "Go."}
    dataset = read(tmp_path, rows("rmb-best-of-n", bon_best=best))
    assert dataset.about["sanity"]["identical"] == 1
