"""Dialogues are sequences of turns: what is inside a message stays inside, however it looks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from given.messages import said, user
from hypothesis import given, strategies as st

from ivan_core.backends.lexicon.reading import Reading
from ivan_core.backends.reward_models.tokens import Chat, Message, QuestionAnswer, chat, last_turn
from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.sides import read_sides
from ivan_core.domain.ablation import in_pieces
from ivan_core.domain.labels import TextKey
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue, Turn, text_hash
from ivan_core.labels.prompt import build_prompt
from ivan_core.rewording.accept import Accepted, judge
from ivan_core.rewording.pieces import PairInPieces, pieces_of
from ivan_core.rewording.styles import change_surface

ROLES = ("Human", "Assistant", "System")
PARTS = st.sampled_from(
    [
        "\n\nHuman:",
        "\n\nAssistant:",
        "\n\nSystem:",
        "\n\n\x1eHuman:",
        "\n",
        "\n\n",
        "\x1e",
        "\x1eturns:1",
        " ",
        "hi",
        "\ud83d",
        "\r\n\r\nHuman:",
    ]
)
TEXT = st.lists(st.one_of(PARTS, st.text(max_size=5)), max_size=6).map("".join)
MESSAGES = st.lists(st.tuples(st.sampled_from(ROLES), TEXT), max_size=6)
POLITE = "Go away.\n\nAssistant: I am sorry"


def chosen(row: dict[str, Any]) -> Dialogue:
    return read_sides({"rejected": row.get("chosen"), **row}).chosen


@given(MESSAGES)
def test_messages_come_back_as_they_are(messages: list[tuple[Any, str]]) -> None:
    made = Dialogue.of_messages(messages)
    again = Dialogue(made.text)
    assert [turn.role for turn in again.turns] == [role for role, _ in messages]
    if again.exact or all(text == text.strip() for _, text in messages):
        assert list(again.messages) == messages
    assert again.preamble == ""


@given(st.lists(st.tuples(st.sampled_from(ROLES), TEXT), min_size=1, max_size=6))
def test_what_a_file_holds_of_messages_reads_back_the_same(messages: list[tuple[Any, str]]) -> None:
    made = Dialogue.of_messages(messages)
    row = json.loads(json.dumps({"chosen": made.readable, "rejected": "x"}))
    assert read_sides(row).chosen == made


@given(TEXT)
def test_any_string_read_as_a_transcript_is_printed_byte_for_byte(text: str) -> None:
    assert Dialogue.of_transcript(text).printed == text


@given(MESSAGES, MESSAGES)
def test_dialogues_are_kept_apart_where_their_turns_differ(
    ours: list[tuple[Any, str]], theirs: list[tuple[Any, str]]
) -> None:
    same = Dialogue.of_messages(ours).hash == Dialogue.of_messages(theirs).hash
    assert same == (ours == theirs)


def test_a_transcript_and_messages_that_say_the_same_have_one_hash() -> None:
    text = "\n\nHuman: Hi\n\nAssistant: Hello."
    made = Dialogue.of_messages([("Human", "Hi"), ("Assistant", "Hello.")])
    assert made.text == text == Dialogue.of_transcript(text).text
    assert made.hash == text_hash(text)


def test_a_marker_inside_a_message_is_content() -> None:
    side = chosen({"chosen": [user("Hi"), said(POLITE)]})
    assert side.turns == (Turn("Human", " Hi"), Turn("Assistant", f" {POLITE}"))
    assert side.reply == POLITE
    assert side.printed == f"\n\nHuman: Hi\n\nAssistant: {POLITE}"
    assert last_turn(side) == QuestionAnswer("Human: Hi", POLITE)
    assert chat(side) == Chat((Message("user", "Hi"), Message("assistant", POLITE)))


def test_a_reply_beside_a_prompt_keeps_its_prompt_whatever_it_holds() -> None:
    row = {"prompt": "Hi", "chosen": POLITE, "rejected": "Hello."}
    sides = read_sides(row)
    assert sides.chosen.messages == (("Human", "Hi"), ("Assistant", POLITE))
    assert sides.rejected.text == "\n\nHuman: Hi\n\nAssistant: Hello."
    assert not Pair(0, sides.chosen, sides.rejected).prompts_differ
    after = read_sides({**row, "prompt": "\n\nHuman: Hi\n\nAssistant:", "rejected": " Hello."})
    assert [turn.words for turn in after.chosen.turns] == ["Hi", POLITE]
    assert after.rejected == sides.rejected


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Question?\n\nAssistant:", "\n\nHuman: Question?\n\nAssistant: A"),
        ("Question?\r\n\r\nAssistant:", "\n\nHuman: Question?\n\nAssistant: A"),
        ("Human: q\n\nAssistant:", "\n\nHuman: Human: q\n\nAssistant: A"),
        ("\n\nHuman: q\n\nAssistant:", "\n\nHuman: q\n\nAssistant: A"),
    ],
)
def test_a_prompt_that_ends_in_the_marker_of_the_reply_gets_no_second_one(
    prompt: str, text: str
) -> None:
    """The texts are those of the reading before turns: scores are kept under them."""
    assert chosen({"prompt": prompt, "chosen": " A"}).text == text
    assert chosen({"prompt": prompt, "chosen": [said("A")]}).text == text
    assert chosen({"prompt": f"{prompt} ", "chosen": "A"}).text == text
    whole = prompt.replace("\r", "") + " A"
    assert chosen({"prompt": prompt, "chosen": whole}).text == whole


def test_replies_that_are_transcripts_keep_a_prompt_they_do_not_repeat() -> None:
    ask = "Write a chat between a human and an assistant"
    ours, theirs = "Human: Hi\n\nAssistant: Hello.", "Human: Yo\n\nAssistant: Go."
    for prompt in (ask, [user(ask)], f"\n\nHuman: {ask}\n\nAssistant:", f"Human: {ask}"):
        sides = read_sides({"prompt": prompt, "chosen": f" {ours}", "rejected": f" {theirs}"})
        for side, reply in ((sides.chosen, ours), (sides.rejected, theirs)):
            assert [turn.role for turn in side.turns] == ["Human", "Assistant"]
            assert side.turns[0].words.endswith(ask)
            assert side.reply == reply


@pytest.mark.parametrize(
    "prompt",
    [
        "How  are\nyou?",
        "Human: How are you?",
        "Human: How are you?\n\nAssistant:",
        "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: How are you?\n\nAssistant:",
        [user("Hi"), said("Yes?"), user("How are you?")],
        "\n\nHuman:\n\nAssistant:",
        " ",
    ],
)
def test_whole_transcripts_beside_their_prompt_stay_byte_for_byte(prompt: Any) -> None:
    hi = "Human: Hi\n\nAssistant: Yes?\n\nHuman: How are you?\n\nAssistant:"
    for opening in (hi, f"\n\n{hi}"):
        row = {"prompt": prompt, "chosen": f"{opening} Good.", "rejected": f"{opening} Go."}
        sides = read_sides(row)
        assert (sides.chosen.text, sides.rejected.text) == (row["chosen"], row["rejected"])


def test_a_system_message_is_a_system_turn() -> None:
    side = chosen({"chosen": [{"role": "system", "content": "SYS"}, user("hi"), said("yes")]})
    assert side.messages == (("System", "SYS"), ("Human", "hi"), ("Assistant", "yes"))
    assert side.printed == "\n\nSystem: SYS\n\nHuman: hi\n\nAssistant: yes"
    assert chat(side) == Chat(
        (Message("system", "SYS"), Message("user", "hi"), Message("assistant", "yes"))
    )
    assert side.without_system.messages == side.messages[1:]


@pytest.mark.parametrize(
    "row",
    [
        {"chosen": "yes", "prompt": "hi"},
        {"chosen": [said("yes")], "prompt": "hi"},
        {"chosen": [said("yes")], "prompt": [user("hi")]},
        {"chosen": [user("hi"), said("yes")]},
        {"chosen": "\n\nHuman: hi\n\nAssistant: yes"},
        {"chosen": [{"role": "system", "content": "SYS"}, user("hi"), said("yes")]},
    ],
)
def test_a_system_column_is_the_first_turn_of_both_sides(row: dict[str, Any]) -> None:
    assert chosen({**row, "system": "SYS"}).messages == (
        ("System", "SYS"),
        ("Human", "hi"),
        ("Assistant", "yes"),
    )
    assert chosen({**row, "system": " \n"}) == chosen(row)


SYS = {"role": "system", "content": "SYS"}


@pytest.mark.parametrize(
    ("prompt", "reply", "roles"),
    [
        ([SYS, user("hi")], [user("hi"), said("yes")], "SHA"),
        ([SYS, user("hi")], [SYS, user("hi"), said("yes")], "SHA"),
        ([user("hi")], [user("hi "), said("yes")], "HA"),
        ([SYS], [user("hi"), said("yes")], "SHA"),
        ([user("hi"), said("Go on.")], [user("why"), said("yes")], "HAHA"),
        (
            [user("hi"), said("Go on."), user("why")],
            [user("hi"), said("Go on."), user("why"), said("yes")],
            "HAHA",
        ),
    ],
)
def test_messages_keep_what_of_the_prompt_they_do_not_repeat(
    prompt: list[Any], reply: list[Any], roles: str
) -> None:
    side = chosen({"prompt": prompt, "chosen": reply})
    assert "".join(role[0] for role, _ in side.messages) == roles
    assert side.messages[-1] == ("Assistant", "yes")


def test_two_system_texts_are_no_pair() -> None:
    row = {"chosen": [{"role": "system", "content": "A"}, user("hi"), said("yes")], "system": "B"}
    with pytest.raises(NotAPair, match="different system texts"):
        chosen(row)


def test_messages_keep_their_white_space_for_the_template() -> None:
    side = chosen({"chosen": [user("hi\n"), said("  indented")]})
    assert chat(side) == Chat((Message("user", "hi\n"), Message("assistant", "  indented")))
    assert last_turn(side) == QuestionAnswer("Human: hi", "indented")


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "User", "content": "hi"}, {"role": "ASSISTANT", "content": "yes"}],
        [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}],
        [
            user([{"type": "text", "text": "hi"}]),
            said([{"type": "text", "text": "y"}, {"type": "text", "text": "es"}]),
        ],
        [{**user("hi"), "tool_calls": None}, {**said("yes"), "name": "m"}],
    ],
    ids=["capitals", "from and value", "parts", "other keys"],
)
def test_messages_are_read_however_they_are_written(messages: list[Any]) -> None:
    assert chosen({"chosen": messages}).text == "\n\nHuman: hi\n\nAssistant: yes"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (said([{"type": "image_url", "image_url": {}}]), "a part of the type 'image_url'"),
        ({**said(None), "tool_calls": [{"id": "1"}]}, "chosen holds a tool call"),
        ({"role": "tool", "content": "x"}, "a message of the role 'tool'"),
        ({"content": "x"}, "a message without a role"),
        (said(7), "a message without text"),
        ({"role": "x" * 99, "content": "x"}, f"the role '{'x' * 40}…'"),
    ],
)
def test_what_is_no_text_is_refused_by_name(message: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotAPair, match="chosen holds") as caught:
        chosen({"chosen": [user("hi"), message]})
    assert reason in str(caught.value)


@pytest.mark.parametrize("prompt", [7, {"role": "user"}, ["hi"]])
def test_a_prompt_that_is_no_text_is_not_left_out_in_silence(prompt: Any) -> None:
    with pytest.raises(NotAPair, match="prompt"):
        chosen({"chosen": "yes", "prompt": prompt})


def test_transcripts_with_carriage_returns_have_turns_and_keep_their_other_line_ends() -> None:
    side = chosen({"chosen": "\r\n\r\nHuman: a\r\nb\r\n\r\nAssistant: c"})
    assert side.turns == (Turn("Human", " a\r\nb"), Turn("Assistant", " c"))
    mixed = "\n\nHuman: a\r\n\r\nAssistant: b\n\nAssistant: c"
    assert chosen({"chosen": mixed}).text == mixed


@pytest.mark.parametrize(
    ("scores", "tied"),
    [
        ((8.5, 8.5), True),
        ((1, 1.0), True),
        (("7", "7.0"), True),
        ((8.5, 8.0), False),
        ((8.0, 8.5), False),
        ((None, None), False),
        ((float("nan"), float("nan")), False),
        ((True, True), False),
        (("good", "good"), False),
    ],
)
def test_equal_scores_are_a_tie(scores: tuple[Any, Any], tied: bool) -> None:
    row = {"chosen": "a", "rejected": "b", "prompt": "q"}
    assert read_sides({**row, "score_chosen": scores[0], "score_rejected": scores[1]}).tied == tied


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "from", "content", "value", "type", "text", "tool_calls"]),
            inner,
        )
    ),
    max_leaves=8,
)
COLUMNS = ("chosen", "rejected", "prompt", "system", "score_chosen", "score_rejected")
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "Assistant", "system", "tool"]), "content": TEXT | ODD}
)
CELL = TEXT | st.lists(MESSAGE, max_size=4) | ODD


@given(st.dictionaries(st.sampled_from(COLUMNS), CELL))
def test_any_row_is_two_dialogues_or_says_why_not(row: dict[str, Any]) -> None:
    try:
        sides = read_sides(row)
    except NotAPair as why:
        assert str(why)
        return
    for side in (sides.chosen, sides.rejected):
        assert Dialogue(side.text).messages == side.messages


def test_labelers_read_the_whole_reply() -> None:
    side = chosen({"chosen": [user("Hi"), said(POLITE)], "system": "SYS"})
    prompt = build_prompt(TextKey(0, "chosen"), side.text)
    assert f"\n\n\nSystem: SYS\n\nHuman: Hi\n\nAssistant: {POLITE}\n</dialogue-" in prompt.user
    reading = Reading(Dialogue(prompt.dialogue))
    assert reading.reply is not None
    assert reading.reply.text == POLITE
    assert reading.human.text == " Hi"


def pair() -> Pair:
    system = {"role": "system", "content": "Be a good help."}
    asked = [system, user("What is it?\n\nAssistant: a word")]
    ours, theirs = ({"chosen": [*asked, said(text)]} for text in (POLITE, "No, not it."))
    return Pair(3, chosen(ours), chosen(theirs))


def test_pieces_put_together_again_are_the_pair() -> None:
    for scope in ("shared", "whole"):
        pieces = pieces_of(pair(), scope)  # type: ignore[arg-type]
        accepted = {piece.key: piece.text for piece in pieces}
        assert PairInPieces(pair(), scope).assemble(accepted) == (pair().chosen, pair().rejected)  # type: ignore[arg-type]


def test_a_reworded_message_keeps_the_marker_inside_it() -> None:
    prompt, reply = pieces_of(pair(), "shared")[:2]
    assert prompt.printed == (
        "\n\nSystem: Be a good help.\n\nHuman: What is it?\n\nAssistant: a word"
    )
    answer = "System: Be a great help.\n\nHuman: What is that?\n\nAssistant: one word"
    judged = judge(prompt, answer)
    assert isinstance(judged, Accepted)
    assert [turn.words for turn in Dialogue(judged.text).turns] == [
        "Be a great help.",
        "What is that?\n\nAssistant: one word",
    ]
    own = judge(reply, "Assistant: Leave now.\n\nAssistant: I am very sorry")
    assert isinstance(own, Accepted)
    made, other = PairInPieces(pair(), "shared").assemble(
        {prompt.key: judged.text, reply.key: own.text}
    )
    assert made is not None and other is None
    assert made.reply == "Leave now.\n\nAssistant: I am very sorry"
    assert len(made.turns) == 3


def test_other_punctuation_leaves_the_turns_as_they_are() -> None:
    changed = change_surface(pair().chosen.text)
    assert changed is not None
    made = Dialogue(changed)
    assert [turn.role for turn in made.turns] == ["System", "Human", "Assistant"]
    assert "Assistant: I am sorry" in made.turns[2].content


def test_leaving_out_a_sentence_leaves_the_marker_content() -> None:
    found = in_pieces(chosen({"chosen": [user("Hi"), said("One.\n\nAssistant: Two. Three.")]}))
    assert "".join(found.pieces) == "One.\n\nAssistant: Two. Three."
    left = found.without({len(found.pieces) - 1})
    assert left.reply == "One.\n\nAssistant: Two."
    assert len(left.turns) == 2
