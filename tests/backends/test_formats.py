"""What each input format hands to the tokenizer, worked out by hand."""

from __future__ import annotations

import pytest

from ivan_core.backends.reward_models.tokens import (
    Chat,
    Message,
    NoInput,
    QuestionAnswer,
    format_dialogue,
    guess_format,
)
from ivan_core.domain.transcripts import Dialogue

TWO_TURNS = Dialogue(
    "\n\nHuman: How do I bake?\n\nAssistant: Knead it.\n\nHuman: And then?\n\nAssistant: Wait."
)
THREE_TURNS = Dialogue("\n\nHuman: Hi\n\nAssistant: Hello" + TWO_TURNS.text)
ENDS_IN_HUMAN = Dialogue("\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Bye")
TWICE_HUMAN = Dialogue("\n\nHuman: Hi\n\nHuman: Are you there?\n\nAssistant: Yes")
EMPTY_REPLY = Dialogue("\n\nHuman: Hi\n\nAssistant:")
QUOTES_THE_WORD = Dialogue("\n\nHuman: Hi\n\nAssistant: I sign as Assistant: always.")
NO_REPLY = Dialogue("\n\nHuman: Is anyone there?")


def test_last_turn_keeps_the_role_prefixes_of_the_question_and_strips_both_ends():
    assert format_dialogue(TWO_TURNS, "last-turn") == QuestionAnswer(
        "Human: How do I bake?\n\nAssistant: Knead it.\n\nHuman: And then?", "Wait."
    )


def test_last_turn_does_not_split_inside_a_reply_that_mentions_the_word():
    assert format_dialogue(QUOTES_THE_WORD, "last-turn") == QuestionAnswer(
        "Human: Hi", "I sign as Assistant: always."
    )


def test_last_turn_of_an_empty_reply_is_an_empty_answer():
    assert format_dialogue(EMPTY_REPLY, "last-turn") == QuestionAnswer("Human: Hi", "")


def test_last_turn_answer_holds_all_after_the_last_assistant_marker():
    assert format_dialogue(ENDS_IN_HUMAN, "last-turn") == QuestionAnswer(
        "Human: Hi", "Hello\n\nHuman: Bye"
    )


def test_last_turn_keeps_carriage_returns_and_other_scripts_inside_the_text():
    dialogue = Dialogue("\n\nHuman: Où?\r\nVite!\n\nAssistant: 東京 🍞\r\n")
    assert format_dialogue(dialogue, "last-turn") == QuestionAnswer(
        "Human: Où?\r\nVite!", "東京 🍞"
    )


def test_as_published_keeps_the_prefix_with_the_answer_and_strips_nothing():
    assert format_dialogue(Dialogue("\n\nHuman: Hi\n\nAssistant: Hello "), "as-published") == (
        QuestionAnswer("\n\nHuman: Hi\n\n", "Assistant: Hello ")
    )


def test_as_published_splits_inside_a_reply_that_mentions_the_word():
    assert format_dialogue(QUOTES_THE_WORD, "as-published") == QuestionAnswer(
        "\n\nHuman: Hi\n\nAssistant: I sign as ", "Assistant: always."
    )


def test_openassistant_takes_the_last_two_human_turns_and_joins_what_follows_the_first_reply():
    assert format_dialogue(THREE_TURNS, "openassistant", "[SEP]") == QuestionAnswer(
        "How do I bake?", "Knead it.[SEP]And then?[SEP]Wait."
    )


def test_openassistant_joins_with_a_dot_where_the_tokenizer_has_no_separator():
    assert format_dialogue(TWO_TURNS, "openassistant", None) == QuestionAnswer(
        "How do I bake?", "Knead it. . And then? . Wait."
    )


def test_openassistant_puts_two_human_turns_in_a_row_into_the_question():
    assert format_dialogue(TWICE_HUMAN, "openassistant", "[SEP]") == QuestionAnswer(
        "Hi\n\nAre you there?", "Yes"
    )


def test_openassistant_keeps_a_final_human_turn_in_the_answer():
    assert format_dialogue(ENDS_IN_HUMAN, "openassistant", "[SEP]") == QuestionAnswer(
        "Hi", "Hello[SEP]Bye"
    )


def test_openassistant_says_why_where_no_reply_follows_the_last_two_human_turns():
    dialogue = Dialogue("\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: So?\n\nHuman: Well?")
    assert format_dialogue(dialogue, "openassistant", "[SEP]") == NoInput(
        "no Assistant turn follows the last two Human turns"
    )


def test_chat_turns_every_turn_into_a_stripped_message():
    assert format_dialogue(ENDS_IN_HUMAN, "chat") == Chat(
        (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye"))
    )


def test_chat_keeps_text_before_the_first_marker_as_a_user_message():
    assert format_dialogue(Dialogue("Notes.\n\nHuman: Hi\n\nAssistant: Hello"), "chat") == Chat(
        (Message("user", "Notes."), Message("user", "Hi"), Message("assistant", "Hello"))
    )


@pytest.mark.parametrize("input_format", ["last-turn", "openassistant", "as-published", "chat"])
@pytest.mark.parametrize("text", [NO_REPLY.text, "", "no marker at all"])
def test_a_dialogue_without_an_assistant_turn_gives_a_reason(input_format, text):
    assert isinstance(format_dialogue(Dialogue(text), input_format, "[SEP]"), NoInput)


def test_the_reply_format_is_refused():
    with pytest.raises(ValueError, match="reply"):
        format_dialogue(TWO_TURNS, "reply")


def test_the_guess_follows_the_chat_template():
    assert (guess_format(True), guess_format(False)) == ("chat", "last-turn")
