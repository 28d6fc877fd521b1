"""Transcripts, pairs, rewards: parsing loses nothing, prompts are computed, ties are ties."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.models import Reward, verdict
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import (
    Dialogue,
    Turn,
    outlines,
    print_transcript,
    prompt_turns,
    text_hash,
)

MARKERS = ["\n\nHuman:", "\n\nAssistant:", "\n\n", "\nHuman:", "Assistant:", "\r\n\r\nHuman:"]
ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from(MARKERS), st.text(st.characters(exclude_categories=())), st.just("\ud83d")
    )
).map("".join)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def dialogue(*turns: str) -> Dialogue:
    """Human and Assistant turns in alternation, Human first."""
    roles = ("Human", "Assistant")
    return Dialogue("".join(f"\n\n{roles[i % 2]}: {turn}" for i, turn in enumerate(turns)))


@given(ANY_TEXT)
def test_parsing_then_printing_gives_any_text_back(text: str) -> None:
    parsed = Dialogue(text)
    assert print_transcript(parsed.preamble, parsed.turns) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no marker at all",
        "\n\nHuman:",
        "\n\nAssistant:\n\nAssistant:",
        "\n\n\nHuman: three line ends",
        "System: x\n\nHuman: a\r\nb\r\n\n\nAssistant: c \n",
        "\n\nHuman: half a character \ud800\n\nAssistant: yes",
        "\n\nHumanoid: not a marker\n\nhuman: nor this",
    ],
)
def test_odd_transcripts_come_back_byte_for_byte(text: str) -> None:
    parsed = Dialogue(text)
    printed = print_transcript(parsed.preamble, parsed.turns)
    assert printed.encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")


def test_turns_keep_their_leading_space_and_show_their_words_without_it() -> None:
    parsed = Dialogue("before\n\nHuman: Hi \n\nAssistant: Hello\r\n")
    assert parsed.preamble == "before"
    assert parsed.turns == (Turn("Human", " Hi "), Turn("Assistant", " Hello\r\n"))
    assert parsed.turns[1].words == "Hello"


def test_the_word_assistant_inside_a_reply_does_not_cut_it() -> None:
    text = "\n\nHuman: Quote it\n\nAssistant: He wrote Assistant: yes\nAssistant: no"
    assert Dialogue(text).reply == "He wrote Assistant: yes\nAssistant: no"


def test_an_empty_reply_is_a_reply() -> None:
    assert dialogue("Hi", "").reply == ""


def test_without_an_assistant_turn_there_is_no_reply() -> None:
    assert Dialogue("\n\nHuman: Assistant: hm").reply is None
    assert Dialogue("").split_last_reply() is None


def test_a_dialogue_that_ends_in_a_human_turn_has_all_after_the_last_marker_as_its_answer() -> None:
    parsed = dialogue("a", "b", "c")
    assert parsed.ends_in_human_turn
    assert parsed.split_last_reply() == ("Human: a", "b\n\nHuman: c")


def test_two_human_turns_in_a_row_are_two_turns() -> None:
    parsed = Dialogue("\n\nHuman: one\n\nHuman: two\n\nAssistant: three")
    assert [turn.role for turn in parsed.turns] == ["Human", "Human", "Assistant"]
    assert parsed.first_human_turn == "one"
    assert parsed.reply == "three"
    assert not parsed.ends_in_human_turn


def test_nobody_asks_in_a_transcript_of_replies() -> None:
    assert Dialogue("\n\nAssistant: Hello?").first_human_turn == ""


def test_the_hash_of_a_text_is_that_of_its_utf8_bytes() -> None:
    # printf abc | sha256sum
    assert text_hash("abc") == "ba7816bf8f01cfea414140de5dae2223"
    assert text_hash("\ud800") != text_hash("\ud801")


def test_the_shared_prompt_is_everything_before_two_different_replies() -> None:
    pair = Pair(0, dialogue("a", "b", "c", "good"), dialogue("a", "b", "c", "bad"))
    assert [turn.words for turn in pair.shared_turns] == ["a", "b", "c"]
    assert not pair.prompts_differ


def test_sides_that_part_early_share_only_their_beginning() -> None:
    pair = Pair(0, dialogue("a", "b", "c", "x"), dialogue("a", "B", "c", "x"))
    assert [turn.words for turn in pair.shared_turns] == ["a"]
    assert pair.prompts_differ


def test_a_final_reply_is_never_shared_even_if_equal() -> None:
    pair = Pair(0, dialogue("a", "b"), dialogue("a", "b"))
    assert [turn.words for turn in pair.shared_turns] == ["a"]
    assert pair.identical and not pair.prompts_differ


def test_a_longer_side_shares_the_turns_of_the_shorter() -> None:
    pair = Pair(0, dialogue("a", "b"), dialogue("a", "b", "c", "d"))
    assert [turn.words for turn in pair.shared_turns] == ["a"]
    assert pair.prompts_differ


def test_a_different_preamble_is_a_different_prompt() -> None:
    pair = Pair(0, Dialogue("x\n\nAssistant: a"), Dialogue("y\n\nAssistant: a"))
    assert pair.prompts_differ and not pair.identical


def test_all_turns_of_a_dialogue_that_ends_in_a_human_turn_are_its_prompt() -> None:
    assert len(prompt_turns(dialogue("a", "b", "c"))) == 3
    assert prompt_turns(Dialogue("")) == ()


@given(ANY_TEXT, ANY_TEXT)
def test_what_is_shared_begins_both_sides(one: str, other: str) -> None:
    pair = Pair(0, Dialogue(one), Dialogue(other))
    shared = pair.shared_turns
    assert pair.chosen.turns[: len(shared)] == pair.rejected.turns[: len(shared)] == shared
    assert Pair(0, pair.rejected, pair.chosen).shared_turns == shared


@given(ANY_TEXT)
def test_an_outline_says_what_the_turns_do(text: str) -> None:
    parsed = Dialogue(text)
    found, turns = parsed.outline, parsed.turns
    asked = [turn.words for turn in turns if turn.role == "Human"]
    assert found.first_human_turn == (asked[0] if asked else "")
    assert found.ends_in_human_turn == (bool(turns) and turns[-1].role == "Human")
    assert (found.reply is None) == all(turn.role == "Human" for turn in turns)
    assert found.before_reply == print_transcript(parsed.preamble, prompt_turns(parsed))


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_sides_with_one_prompt_have_each_the_outline_it_has_alone(
    prompt: str, reply: str, other: str
) -> None:
    for begins in (prompt, f"{prompt}\n\nAssistant:"):
        sides = Dialogue(begins + reply), Dialogue(begins + other)
        assert outlines(*sides) == (sides[0].outline, sides[1].outline)


def test_a_side_without_reply_has_its_own_outline_beside_one_without_prompt() -> None:
    for other in ("b", "", "\n\nHuman: b"):
        sides = Dialogue("\n\nAssistant: a"), Dialogue(other)
        assert outlines(*sides) == (sides[0].outline, sides[1].outline)
        assert outlines(*sides)[1].reply is None


@pytest.mark.parametrize(
    ("chosen", "rejected", "said"), [(1.0, 0.5, "agree"), (0.5, 0.5, "tie"), (0.0, 0.5, "disagree")]
)
def test_the_verdict_follows_the_higher_reward(chosen: float, rejected: float, said: str) -> None:
    assert verdict(Reward(chosen), Reward(rejected)) == said


def test_a_side_without_a_reward_gives_no_verdict() -> None:
    failed = Reward(None, failure="too long")
    assert verdict(failed, Reward(1.0)) is verdict(Reward(1.0), failed) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_a_reward_that_is_no_finite_float32_is_a_failure_with_its_reason(value: float) -> None:
    reward = Reward.measured(value, truncated=True)
    assert reward.value is None and reward.truncated
    assert "not a finite number" in (reward.failure or "")


def test_rewards_that_differ_below_float32_are_a_tie() -> None:
    # 0.1 and 0.1 + 1e-12 round to the same float32.
    assert verdict(Reward.measured(0.1), Reward.measured(0.1 + 1e-12)) == "tie"
    assert Reward.measured(0.1).value == struct.unpack("f", struct.pack("f", 0.1))[0]


@given(FLOAT32, FLOAT32)
def test_swapping_the_sides_negates_the_verdict(one: float, other: float) -> None:
    a, b = Reward.measured(one), Reward.measured(other)
    swapped = {"agree": "disagree", "disagree": "agree", "tie": "tie"}
    assert verdict(b, a) == swapped[str(verdict(a, b))]
