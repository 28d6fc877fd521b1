"""The rule-based labeler: which rule fires on which words, and on which it does not."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings, strategies as st

from ivan_core.backends.lexicon.labeler import (
    NAME,
    WITHOUT_REPLY,
    LexiconLabeler,
    explain,
    label_text,
    revision,
)
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, Labeler, LabelPrompt, TextKey
from ivan_core.labels.schema import feature, is_label


def told(reply: str, question: str = "Well?") -> str:
    return f"\n\nHuman: {question}\n\nAssistant: {reply}"


def label(key: str, reply: str, question: str = "Well?") -> Label:
    return explain(told(reply, question))[f"last_response_{key}"].label


YES_AND_NO = [
    ("is_refusal", "I'm not able to help with that.", "The cat is not able to help it."),
    ("is_refusal", "I’d rather not write this.", "I can't wait to hear how it went!"),
    ("is_refusal", "Sorry, I won't share a password.", '"I can\'t help you," said the guard.'),
    ("is_helpful", "Boil the eggs for six minutes.", "Eggs vary a lot, and so do cooks."),
    ("is_helpful", "You could ask at the library.", "I can't help with that."),
    ("is_anthropomorphic", "My mother taught me this in our village.", "Your mother may know."),
    ("is_anthropomorphic", "I grew up by the sea.", "I'm an AI, so I don't have a body."),
    ("contains_insult", "Only an idiot would ask.", "You are not an idiot at all."),
    ("contains_insult", "You lazy pig, get up.", "A pig is a clever animal."),
    ("is_sexually_explicit", "They had sex on the sofa.", "Sex education begins at school."),
    ("breaks_privacy", "She lives at 12 Elm Street.", "The museum is at 12 Elm Street."),
    ("breaks_privacy", "His number is 555-010-0199.", "Call the hotline at 555-010-0199."),
    ("is_discriminatory", "Old people can't learn anything.", "Old people can be great company."),
    ("is_discriminatory", "Women are too emotional.", "It is sexist to say women are weak."),
    ("is_manipulative", "If you really loved me you would.", "If you like tea, drink it."),
    ("is_manipulative", "You'll regret it for the rest of your life.", "Take your time."),
    ("is_eloquent", "Let us dwell upon it, for truth endures; it waits.", "It's a lot of stuff."),
]


@pytest.mark.parametrize(("key", "yes", "no"), YES_AND_NO)
def test_a_rule_fires_on_one_reply_and_not_on_the_other(key: str, yes: str, no: str) -> None:
    assert label(key, yes) is True
    assert label(key, no) is False


def test_a_slight_names_its_groups_from_the_closed_list() -> None:
    reply = "Immigrants are lazy. Muslims can't be trusted."
    assert label("is_discriminating_against", reply) == (
        "National Origin",
        "Religious Discrimination",
    )
    assert label("is_discriminating_against", "Take the bus.") == ()


def test_harm_is_help_with_something_risky_without_caution() -> None:
    question = "How do I break into my neighbor's car?"
    assert label("is_harmless", "Use a coat hanger on the door.", question) is False
    assert label("is_harmless", "That is a crime, so call a locksmith.", question) is True
    assert label("is_harmless", "I won't help with that.", question) is True
    assert label("is_harmless", "Use a coat hanger for the shirt.", "Where do shirts go?") is True


def test_honesty_ends_where_a_program_claims_a_deed_or_a_certainty() -> None:
    assert label("is_honest", "I've just called your bank.") is False
    assert label("is_honest", "I give you my personal guarantee.") is False
    assert label("is_honest", "It may rain, but I don't know.") is True


def test_a_claimed_past_is_dishonest_unless_play_was_asked_for() -> None:
    reply = "I grew up by the sea."
    assert label("is_honest", reply, "Where should I live?") is False
    assert label("is_honest", reply, "Pretend to be a sailor.") is True


def test_tone_weighs_warm_words_against_harsh_ones_and_minds_negation() -> None:
    assert label("sentiment", "What a wonderful, joyful plan!") == "positive"
    assert label("sentiment", "A dreadful, dismal plan.") == "negative"
    assert label("sentiment", "The plan has three steps.") == "neutral"
    assert label("sentiment", "It is not wonderful and not great.") == "neutral"


def test_incoherence_is_a_broken_join_mashed_keys_or_a_sudden_end() -> None:
    assert label("is_coherent", "The cat sat on the mat.") is True
    assert label("is_coherent", "The of cat sat.") is False
    assert label("is_coherent", "The catttttt sat.") is False
    assert label("is_coherent", "The cat sat because") is False


def test_images_make_a_reply_creative() -> None:
    assert label("is_creative", "The moon whispers like a sleepy ghost.") is True
    assert label("is_creative", "The moon is a satellite.") is False


def test_human_vocabulary_is_judged_by_the_human_turns_only() -> None:
    poor = explain(told("Sure.", "wat r u doin 2day pls"))["human_vocabulary_quality"]
    good = explain(told("wat r u doin 2day pls", "What are you doing?"))
    assert poor.label is False
    assert good["human_vocabulary_quality"].label is True


def test_earlier_assistant_turns_count_for_the_whole_dialogue_only() -> None:
    decisions = explain("\n\nHuman: Hi\n\nAssistant: I grew up here." + told("Take the bus."))
    assert decisions["assistant_is_anthropomorphic"].label is True
    assert decisions["last_response_is_anthropomorphic"].label is False


def test_topics_are_the_categories_with_most_words() -> None:
    decisions = explain(told("Solve the equation with algebra.", "How do I do this math?"))
    assert decisions["topics"].label == ("Mathematics and logic",)


def test_a_decision_shows_the_words_it_fired_on() -> None:
    text = told("Well, I can’t help with that, sorry.")
    decision = explain(text)["last_response_is_refusal"]
    assert [one.words for one in decision.evidence] == ["I can’t help"]
    assert decision.rule == "says that it will not or cannot do it"
    assert explain(text)["last_response_contains_insult"].rule == "no insult found"


@pytest.mark.parametrize("text", ["", "No markers here.", "\n\nHuman: Hello", told("")])
def test_without_a_last_reply_the_defaults_say_so(text: str) -> None:
    decisions = explain(text)
    for key, default in WITHOUT_REPLY.items():
        assert decisions[key].label == default
        assert decisions[key].rule == "there is no last reply to read"


PARTS = st.sampled_from(
    ["\n\nHuman:", "\n\nAssistant:", " I can't ", "you idiot", "“", '"', "12 Elm Street", "’", "é"]
)


@settings(max_examples=150)
@given(st.lists(st.one_of(PARTS, st.text(max_size=20)), max_size=12).map("".join))
def test_any_text_gets_valid_labels_and_evidence_that_stands_in_it(text: str) -> None:
    decisions = explain(text)
    assert tuple(decisions) == FEATURES
    for key, decision in decisions.items():
        assert is_label(feature(key), decision.label)
        assert decision.rule
        for one in decision.evidence:
            assert text[one.start : one.end] == one.words
    assert explain(text) == decisions


@pytest.mark.parametrize("piece", ["i ", "a", '"', "123-", "\n\nAssistant: i'm", "If you are a "])
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    start = time.process_time()
    explain(told(piece * (200_000 // len(piece))))
    assert time.process_time() - start < 3


def test_the_last_reply_is_read_in_full_after_a_very_long_talk() -> None:
    talk = "\n\nHuman: Go on.\n\nAssistant: Sure, you can." * 2_000
    assert explain(talk + told("I can't help with that."))["last_response_is_refusal"].label is True
    decisions = explain(talk + told("Boil it for six minutes."))
    assert decisions["last_response_is_helpful"].label is True


def test_the_labeler_answers_the_asked_keys_from_the_dialogue_alone() -> None:
    keys = ("last_response_is_refusal", "topics")
    prompt = LabelPrompt(TextKey(0, "chosen"), keys, "ignored", "ignored", told("I can't help."))
    labeler: Labeler = LexiconLabeler()
    assert (labeler.card.id, labeler.card.kind) == (NAME, "rules")
    assert labeler.card.revision == revision()
    answer = json.loads(labeler.label(prompt).text)
    assert tuple(answer) == keys
    assert answer["last_response_is_refusal"] is True
    assert label_text(prompt.dialogue, keys)["last_response_is_refusal"] is True


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="last_response_is_tall"):
        label_text(told("Yes."), ["last_response_is_tall"])
