"""What IVAN writes in a form that it reads itself gives the same dialogues again."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from given.exports import ASK, CASES, PLAIN, pair, written
from hypothesis import given, settings, strategies as st

from ivan_core.datasets.files import read_file
from ivan_core.datasets.reading import PairReader
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue

READ_AGAIN = ("dpo", "trl-standard", "reward-trainer", "hh-rlhf", "csv", "parquet")
MARKERS = ("\n\nHuman:", "\n\nAssistant:", "\n\nSystem: x", "\n\n\x1eHuman:", "\r\n\r\nHuman:")
ODD = ("\n", "\x1eturns:1", " ", "hi", "é€😀", '"', ",", "\\", "\u2028", "\x85", "\x0b", "{", "=1")
PARTS = st.sampled_from(MARKERS + ODD)
TEXT = st.lists(st.one_of(PARTS, st.text(max_size=4)), max_size=4).map("".join)
ROLES = st.lists(st.sampled_from(("Human", "Assistant")), max_size=3)
PROMPT = st.tuples(st.booleans(), ROLES).map(lambda of: ["System"] * of[0] + of[1] + ["Human"])


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """A prompt with two replies, given as messages or as transcripts; here and there a tie."""
    prompt = [(role, draw(TEXT)) for role in draw(PROMPT)]
    other = prompt if draw(st.integers(0, 5)) else [*prompt[:-1], ("Human", draw(TEXT))]
    sides = [[*prompt, ("Assistant", draw(TEXT))], [*other, ("Assistant", draw(TEXT))]]
    if draw(st.booleans()):
        made = [Dialogue.of_messages(side) for side in sides]
    else:
        printed = ("".join(f"\n\n{role}: {text}" for role, text in side) for side in sides)
        made = [Dialogue.of_transcript(text) for text in printed]
    return Pair(0, made[0], made[1], "s", tied=not draw(st.integers(0, 5)))


def read(path: Path) -> list[Pair]:
    reader = PairReader()
    found = [pair for pair, _ in reader.read(read_file(path))]
    assert not reader.bad
    return found


def as_messages(pair: Pair) -> list[Any]:
    return [pair.chosen.messages, pair.rejected.messages]


@pytest.mark.parametrize("name", READ_AGAIN)
@given(made=pairs())
@settings(max_examples=25)
def test_dialogues_come_back(name: str, made: Pair) -> None:
    with TemporaryDirectory() as folder:
        path, summary = written(name, Path(folder), made)
        assert summary.written + sum(summary.left_out.values()) == 1
        if summary.written:
            (again,) = read(path)
            assert as_messages(again) == as_messages(made)
            assert again.tied == made.tied
            if name in ("hh-rlhf", "csv", "trl-standard"):
                assert (again.chosen.text, again.rejected.text) == (made.chosen.text, made[2].text)


HELD = {
    "dpo": {"plain", "system", "marker", "empty"},
    "kto": {"plain", "system", "marker", "empty"},
    "reward-trainer": {"plain", "system", "marker", "empty"},
    "trl-standard": {"plain", "empty"},
    "hh-rlhf": {"plain", "two prompts", "same", "empty", "no reply"},
    "annotated-pairs": {"plain", "system", "marker"},
    "llm-comparator": {"plain", "system", "marker", "tie", "same", "empty"},
    "argilla": {"plain", "system", "marker", "tie", "same", "empty"},
    "label-studio": {"plain", "system", "marker", "tie", "same", "empty"},
    "csv": {"plain", "two prompts", "tie", "same", "empty", "no reply"},
    "parquet": set(CASES),
}


@pytest.mark.parametrize("name", HELD)
def test_what_a_format_has_no_place_for_is_left_out_and_counted(name: str, tmp_path: Path) -> None:
    found = {case for case, made in CASES.items() if written(name, tmp_path, made)[1].written}
    assert found == HELD[name]
    _, summary = written(name, tmp_path, *CASES.values())
    assert (summary.asked, summary.written) == (len(CASES), len(HELD[name]))
    assert sum(summary.left_out.values()) == len(CASES) - len(HELD[name])


def test_the_reasons_are_told_apart(tmp_path: Path) -> None:
    _, summary = written("trl-standard", tmp_path, *CASES.values())
    assert summary.left_out == {
        "a system text, which a transcript cannot hold": 1,
        "a marker of turns within a message, which would take it apart": 1,
        "the two prompts differ": 1,
        "the data prefers neither reply": 1,
        "both sides are the same text": 1,
        "a side has no reply": 1,
    }


def test_lines_for_trainers_have_the_form_that_trl_takes(tmp_path: Path) -> None:
    """`trl.data_utils.is_conversational`: the first item of a part is a message of a role."""
    keys = {"dpo": ("prompt", "chosen", "rejected"), "kto": ("prompt", "completion")}
    keys |= {"reward-trainer": ("chosen", "rejected")}
    for name, parts in keys.items():
        path, _ = written(name, tmp_path, *CASES.values())
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert lines
        for line in lines:
            assert list(line) == [*parts, *(["label"] * (name == "kto")), "row_id", "subset"]
            for part in parts:
                assert line[part] and line[part][0].keys() == {"role", "content"}
            if "prompt" in parts:
                assert line["prompt"][-1]["role"] == "user"


def test_a_pair_gives_a_good_and_a_bad_reply(tmp_path: Path) -> None:
    path, summary = written("kto", tmp_path, PLAIN)
    good, bad = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert (good["completion"], good["label"]) == (
        [{"role": "assistant", "content": "Hello."}],
        True,
    )
    assert (bad["completion"], bad["label"]) == ([{"role": "assistant", "content": "Go."}], False)
    assert summary.written == 1, "pairs are counted, not lines"


def test_whole_dialogues_give_prompt_and_replies_back(tmp_path: Path) -> None:
    """As TRL's `extract_prompt` does: what both lists begin with is the prompt."""
    path, _ = written("reward-trainer", tmp_path, CASES["system"])
    (line,) = [json.loads(one) for one in path.read_text("utf-8").splitlines()]
    shared = [
        one for one, other in zip(line["chosen"], line["rejected"], strict=True) if one == other
    ]
    assert [one["content"] for one in shared] == ["Be kind.", "Hi"]
    assert [line[side][2:] for side in ("chosen", "rejected")] == [
        [{"role": "assistant", "content": "Hello."}],
        [{"role": "assistant", "content": "Go."}],
    ]


def test_prompt_and_reply_are_the_transcript_byte_for_byte(tmp_path: Path) -> None:
    path, _ = written("trl-standard", tmp_path, PLAIN)
    (line,) = [json.loads(one) for one in path.read_text("utf-8").splitlines()]
    assert line["prompt"] == "\n\nHuman: Hi\n\nAssistant:"
    assert line["prompt"] + line["chosen"] == PLAIN.chosen.text
    assert line["prompt"] + line["rejected"] == PLAIN.rejected.text


def test_a_text_stays_on_one_line_whatever_ends_a_line(tmp_path: Path) -> None:
    odd = "a\u2028b\u2029c\x85d\x0be\r\nf"
    made = pair([ASK, ("Assistant", odd)], [ASK, ("Assistant", "Go.")])
    path, _ = written("dpo", tmp_path, made)
    (line,) = path.read_text("utf-8").splitlines()
    assert json.loads(line)["chosen"][0]["content"] == odd
