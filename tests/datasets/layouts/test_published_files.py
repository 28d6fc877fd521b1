"""Each layout on a file as its makers publish it: dialogues, which is better, ties, own columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.layouts.published import HOSTILE, PUBLISHED, Published
from given.layouts.reading import ENDINGS, read, told

from ivan_core.datasets.layouts.known import named
from ivan_core.datasets.prepared import BASE_COLUMNS

PLACES = {"item", "replies", "right", "chosen_reply", "rejected_reply"}
EACH = pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)


@EACH
@pytest.mark.parametrize("ending", ENDINGS)
def test_prompt_and_replies_come_out_with_their_roles(
    tmp_path: Path, one: Published, ending: str
) -> None:
    rows = [*one.rows("Hi?", "Hello.", "Go."), *one.rows("And?", "Well.", "No.")]
    dataset = read(tmp_path, rows, ending)
    assert dataset.about["layout"] == one.layout
    assert (dataset.rows, dataset.about["bad_lines"]) == (2 * one.pairs, 0)
    sides = told(dataset)
    for place, (prompt, better, worse) in {
        0: ("Hi?", "Hello.", "Go."),
        one.pairs: ("And?", "Well.", "No."),
    }.items():
        both = [(("Human", prompt), ("Assistant", reply)) for reply in (better, worse)]
        assert tuple(both) in sides[place : place + one.pairs]
    assert dataset.tied_rows == frozenset()


APART = [one for one in PUBLISHED if one.content != "none"]


@pytest.mark.parametrize("one", APART, ids=lambda one: one.layout)
def test_markers_inside_messages_are_content(tmp_path: Path, one: Published) -> None:
    """hh-rlhf alone keeps no roles, and of Nectar the prompt."""
    prompt = HOSTILE if one.content == "both" else "Hi?"
    replies = (f"Yes. {HOSTILE}", f"No. {HOSTILE}")
    sides = told(read(tmp_path, one.rows(prompt, *replies)))
    both = tuple((("Human", prompt), ("Assistant", reply)) for reply in replies)
    assert both in sides
    assert {len(side) for pair in sides for side in pair} == {2}


@EACH
def test_an_empty_reply_is_a_reply(tmp_path: Path, one: Published) -> None:
    dataset = read(tmp_path, one.rows("Hi?", "", "Go."))
    both = tuple((("Human", "Hi?"), ("Assistant", reply)) for reply in ("", "Go."))
    assert both in told(dataset)
    assert dataset.about["sanity"]["empty_reply"] >= 1


TIES = [one for one in PUBLISHED if one.tie is not None]


@pytest.mark.parametrize("one", TIES, ids=lambda one: one.layout)
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_a_tie_is_a_row_in_which_nothing_is_better(
    tmp_path: Path, one: Published, ending: str
) -> None:
    assert one.tie is not None
    rows = [*one.rows("Hi?", "Hello.", "Go."), *one.tie(one.rows("And?", "Well.", "No."))]
    dataset = read(tmp_path, rows, ending)
    assert dataset.tied_rows == set(range(one.pairs, one.pairs + one.tied))
    about = dataset.about
    assert (about["rows_read"], about["rows_tied"], about["bad_lines"]) == (2, 1, 0)
    last = {side[-1] for sides in told(dataset)[one.pairs :] for side in sides}
    assert last >= {("Assistant", "Well."), ("Assistant", "No.")}


@EACH
def test_what_a_layout_knows_beside_the_texts_stands_in_columns(
    tmp_path: Path, one: Published
) -> None:
    rows = one.rows("Hi?", "Hello.", "Go.")
    columns = set(read(tmp_path, rows).numbers().columns) - set(BASE_COLUMNS)
    places = PLACES if named(one.layout).many else set()
    assert columns - rows[0].keys() == one.added | places


SUBSETS = {
    "rewardbench": "alpacaeval-easy",
    "rewardbench-2": "Ties",
    "rm-bench": "chat",
    "rmb-best-of-n": "BoN_set/Helpfulness/Chat",
    "rmb-pairwise": "Pairwise_set/Harmlessness/S1",
    "ppe-best-of-k": "maths",
    "helpsteer3": "code",
    "shp": "askculinary_test",
    "nectar": "lmsys-chat-1m",
    "ultrafeedback": "evol_instruct",
    "ultrainteract": "Math_CoT",
    "judgebench": "mmlu-pro-law",
}
STRENGTHS = {
    "ultrafeedback-binarized": 2.5,
    "helpsteer3": 3.0,
    "helpsteer2": 2.0,
    "helpsteer2-ratings": 3.0,
    "shp": 4.0,
    "ultrafeedback": 2.5,
}
WRITERS = {
    "rewardbench": ("m", "n"),
    "rewardbench-2": ("m", "o"),
    "rmb-best-of-n": ("m", "n"),
    "rmb-pairwise": ("m", "n"),
    "arena-33k": ("n", "m"),
    "arena-140k": ("n", "m"),
    "arena-55k": ("n", "m"),
    "ppe-human": ("n", "m"),
    "nectar": ("m", "o"),
    "ultrafeedback": ("m", "n"),
}


@EACH
def test_subset_strength_and_writers_are_taken_where_the_layout_has_them(
    tmp_path: Path, one: Published
) -> None:
    first = read(tmp_path, one.rows("Hi?", "Hello.", "Go.")).row(0)
    assert first["subset"] == SUBSETS.get(one.layout, "")
    assert first.get("strength") == STRENGTHS.get(one.layout)
    writers = (first.get("chosen_model"), first.get("rejected_model"))
    assert writers == WRITERS.get(one.layout, (None, None))


@EACH
def test_a_line_that_is_no_row_is_named_and_the_others_are_read(
    tmp_path: Path, one: Published
) -> None:
    good = one.rows("Hi?", "Hello.", "Go.")
    rows = [*good, dict.fromkeys(good[0]), *one.rows("And?", "Well.", "No.")]
    about = read(tmp_path, rows).about
    assert about["rows"] == 2 * one.pairs
    assert [line for line, _ in about["bad_lines_named"]] == [len(good) + 1]
