"""Which answers are rewordings, and what is said of those that are not."""

from __future__ import annotations

import pytest
from given import hostile
from hypothesis import given, strategies as st

from ivan_core.domain.models import ModelReply
from ivan_core.domain.rewriting import PieceKey
from ivan_core.domain.transcripts import Dialogue
from ivan_core.rewording.accept import (
    REASONS,
    Accepted,
    Refused,
    judge,
    judge_reply,
    reason_for_retry,
)
from ivan_core.rewording.pieces import Piece

TEXT = "\n\nHuman: Is green tea good?\n\nAssistant: I think it's fine."
GOOD = "\n\nHuman: Is green tea nice?\n\nAssistant: I believe it is fine."
LONE = "\n\nAssistant: You should drink more water."


def piece(text: str = TEXT) -> Piece:
    return Piece(PieceKey(7, "chosen", "dialogue"), text)


def reason(raw: str, text: str = TEXT) -> str:
    judged = judge(piece(text), raw)
    assert isinstance(judged, Refused) and judged.raw == raw
    assert judged.sentence and judged.reason in REASONS
    return judged.reason


def accepted(raw: str, text: str = TEXT) -> tuple[str, tuple[str, ...]]:
    judged = judge(piece(text), raw)
    assert isinstance(judged, Accepted), judged
    return judged.text, judged.mends


@pytest.mark.parametrize(
    ("raw", "mends"),
    [
        (GOOD, ()),
        (GOOD.strip(), ()),
        (f"<think>Hm.\nWell.</think>\n\n{GOOD}", ("thoughts",)),
        (f"Hm. Well.</think>\n{GOOD}", ("thoughts",)),
        (f"```text\n{GOOD.strip()}\n```", ("fence",)),
        (f"<dialogue-0123456789abcdef>\n{GOOD}\n</dialogue-0123456789abcdef>", ("fence",)),
        (f"{GOOD}\n</dialogue-0123456789abcdef>", ("fence",)),
        (f'"{GOOD.strip()}"', ("quotes",)),
        (f'```\n"{GOOD.strip()}"\n```', ("fence", "quotes")),
        ('Human: "Is green tea nice?"\n\nAssistant: I believe it is fine.', ("quotes",)),
        (GOOD.strip().replace("\n\n", "\n"), ("turn-spacing",)),
    ],
)
def test_what_stands_around_an_answer_is_taken_off_with_a_receipt(raw, mends):
    assert accepted(raw) == (GOOD, mends)


def test_a_rewording_stands_in_the_white_space_of_the_original():
    text = "\n\nHuman:Is tea good? \n\nAssistant:  It's fine.\n"
    raw = "Human: Is tea nice?\n\n\n\nAssistant: It is fine."
    assert accepted(raw, text)[0] == "\n\nHuman:Is tea nice? \n\nAssistant:  It is fine.\n"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (TEXT, "identical"),
        (TEXT.replace(" ", "  ").strip(), "identical"),
        (f'"{TEXT.strip()}"', "identical"),
        ("", "empty"),
        (" \n ", "empty"),
        ("<think>Hm.</think>", "empty"),
        ("Human: Is green tea nice?\n\nAssistant:", "empty"),
        ("<think>Hm, the person asks", "thinking"),
        (f"{GOOD} <think>Is it?</think>", "thinking"),
        (f"Sure! Here it is:\n\n{GOOD}", "remark"),
        (f"{GOOD}\n\nLet me know what you think!", "remark"),
        (f"{GOOD}\n\nNote: I kept the meaning.", "remark"),
        (f"{GOOD} (Note: the tone is kept.)", "remark"),
        (GOOD.replace("I believe", "Here's the reworded reply: I believe"), "remark"),
        (GOOD.replace("I believe", "Reworded: I believe"), "remark"),
        (GOOD.replace("I believe", "**Paraphrased:** I believe"), "remark"),
        (GOOD.replace("Human:", "Robot:"), "turns"),
        (GOOD.replace("Human: ", "").replace("Assistant: ", ""), "turns"),
        ("\n\nAssistant: Is green tea nice?\n\nHuman: I believe it is fine.", "turns"),
        (f"{GOOD}\n\nHuman: Thanks!", "turns"),
        ("Human: Is green tea nice?", "turns"),
        ("I can't reword that.", "declined"),
        ("I'm sorry, but I can’t help with that.", "declined"),
        ("As an AI language model, I would rather not.", "declined"),
        (GOOD.replace("I believe it is fine.", "I'm sorry, I cannot say that."), "declined"),
        (GOOD.replace("is fine", "is fine " * 8), "too_long"),
    ],
)
def test_what_is_no_rewording_is_refused_with_its_reason(raw, why):
    assert reason(raw) == why


def test_lengths_are_bounded_by_the_turn():
    # 39 characters: from 20 to 78.
    said = "You should drink more water these days."
    text = f"\n\nAssistant: {said}"
    assert len(said) == 39
    assert reason(f"Assistant: {'x' * 19}", text) == "too_short"
    assert accepted(f"Assistant: {'x' * 20}", text)[1] == ()
    assert accepted(f"Assistant: {'x' * 78}", text)[1] == ()
    assert reason(f"Assistant: {'x' * 79}", text) == "too_long"
    # Up to 20 characters: from 1 to 40.
    assert accepted("Assistant: x", "\n\nAssistant: Oh yes.")[1] == ()
    assert accepted(f"Assistant: {'x' * 40}", "\n\nAssistant: Oh yes.")[1] == ()
    assert reason(f"Assistant: {'x' * 41}", "\n\nAssistant: Oh yes.") == "too_long"


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        # What looks like a model's remark may be what the dialogue says.
        ("Ask away. Let me know.\n\nLet me know.", "Ask now. Tell me.\n\nLet me know it."),
        ("Sorry, I can't do it.", "I'm sorry, but I am unable to help you."),
        ("I won't help you.", "I cannot help you."),
        ("Rewrite it: bad text.", "Here's what to rewrite: poor text."),
        ('"Tea?", she said. "Yes."', '"Is it tea?", she asked. "Yes."'),
        ("That is sad to hear.", "I'm sorry to hear that."),
        ("I've lost my keys.", "I can't find my keys."),
        ("Here are some:\n1. tea\n2. milk", "Here are a few:\n1. tea\n2. cream"),
        ("Use <think> as the tag.", "Take <think> as the tag."),
        ("```\nx = 1\n``` is code", "```\nx = 1\n``` is some code"),
    ],
)
def test_what_the_original_says_too_is_no_remark(text, raw):
    assert accepted(f"Assistant: {raw}", f"\n\nAssistant: {text}")[0] == f"\n\nAssistant: {raw}"


def test_a_text_without_turns_is_judged_as_one():
    text = "Tea is good for you, they say."
    assert accepted("'Tea does you good, people say.'", text) == (
        "Tea does you good, people say.",
        ("quotes",),
    )
    assert reason("Sure, here it is:\n\nTea does you good, people say.", text) == "remark"
    assert reason("Human: Tea does you good, people say.", text) == "turns"


def test_an_empty_turn_stays_empty():
    text = "\n\nHuman: Is tea good?\n\nAssistant:"
    assert accepted("Human: Is tea nice?\n\nAssistant:", text)[0].endswith("nice?\n\nAssistant:")
    assert reason("Human: Is tea nice?\n\nAssistant: Yes, very.", text) == "turns"


def test_the_reply_tells_of_itself_first():
    for reply, why in [
        (ModelReply(problem="The server was too slow."), "no_answer"),
        (ModelReply(GOOD, problem="Its beginning was cut off."), "prompt_cut"),
        (ModelReply(GOOD, finish="length"), "cut_off"),
        (ModelReply(finish="content_filter"), "declined"),
        (ModelReply(refusal="No."), "declined"),
        (ModelReply(), "empty"),
    ]:
        judged = judge_reply(piece(), reply)
        assert isinstance(judged, Refused) and judged.reason == why
        assert judged.raw == (reply.text or reply.refusal)
    assert judge_reply(piece(), ModelReply(GOOD, finish="stop")) == Accepted(GOOD)


def test_a_model_is_told_the_reason_in_our_words_only():
    raw = "EVIL words\n\nHuman: do EVIL\n\nAssistant: EVIL"
    for text in (raw, f"{raw}\n\nHuman: EVIL", "EVIL", GOOD.replace("I believe", "EVIL " * 99)):
        judged = judge(piece(), text)
        assert isinstance(judged, Refused)
        assert reason_for_retry(judged) and "EVIL" not in reason_for_retry(judged)
    told = reason_for_retry(Refused("no_answer", "The server said EVIL.", ""))
    assert told == ""
    swapped = judge(piece(), "Assistant: Is tea nice?\n\nHuman: I believe so.")
    assert isinstance(swapped, Refused)
    assert swapped.sentence == (
        "The original's turns are Human, Assistant; the answer's are Assistant, Human."
    )


PARTS = st.sampled_from(
    [
        "\n\nHuman:",
        "\n\nAssistant:",
        "\n",
        " ",
        "tea",
        '"',
        "“",
        "```",
        "<think>",
        "</think>",
        "Note:",
        "Sure, here it is:",
        "I'm sorry, but I can't",
        "<dialogue-0123456789abcdef>",
    ]
)
RAW = st.lists(PARTS, max_size=12).map("".join) | st.text()


@given(text=RAW, raw=RAW)
def test_judging_never_raises_and_accepts_only_the_same_roles(text, raw):
    judged = judge(piece(text), raw)
    if isinstance(judged, Accepted):
        before, after = Dialogue(text), Dialogue(judged.text)
        assert [turn.role for turn in after.turns] == [turn.role for turn in before.turns]
        assert judged.text.split() != text.split() and judged.text.strip()


@given(text=RAW, space=st.sampled_from(["", " ", "\n\n"]))
def test_the_text_itself_is_refused_as_identical(text, space):
    judged = judge(piece(text), f"{space}{text}{space}")
    assert isinstance(judged, Refused) and judged.reason == "identical"


def test_hostile_answers_are_judged_quickly_and_change_nothing():
    for text in [
        *hostile.texts("http://leak.example"),
        ":" * 50_000 + "x",
        " " * 50_000 + "x",
        "<" * 50_000,
        "<think>" * 9_000,
        '"' * 50_000,
        "\nHuman:" * 9_000,
    ]:
        assert isinstance(judge(piece(), text), Refused)
        assert isinstance(judge(piece(), f"{GOOD}\n{text}"), Accepted | Refused)
        assert isinstance(judge(piece(LONE), f"Assistant: {text}"), Accepted | Refused)
