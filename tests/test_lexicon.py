"""The rule-based labeler: which rule fires on which words."""

from __future__ import annotations

import json

from ivan_core.backends.lexicon.labeler import NAME, LexiconLabeler, explain, label_text
from ivan_core.domain.labels import FEATURES, Label, LabelPrompt, TextKey
from ivan_core.labels.schema import feature, is_label


def told(reply: str, question: str = "Well?") -> str:
    return f"\n\nHuman: {question}\n\nAssistant: {reply}"


def label(key: str, reply: str, question: str = "Well?") -> Label:
    return explain(told(reply, question))[f"last_response_{key}"].label


def test_every_key_has_a_valid_label_and_a_rule() -> None:
    decisions = explain(told("Boil it for six minutes."))
    assert tuple(decisions) == FEATURES
    for key, decision in decisions.items():
        assert is_label(feature(key), decision.label)
        assert decision.rule


def test_the_labeler_answers_the_asked_keys_from_the_dialogue_alone() -> None:
    keys = ("last_response_is_refusal", "topics")
    prompt = LabelPrompt(TextKey(0, "chosen"), keys, "ignored", "ignored", told("I can't help."))
    labeler = LexiconLabeler()
    assert (labeler.card.id, labeler.card.kind) == (NAME, "rules")
    assert json.loads(labeler.label(prompt).text)["last_response_is_refusal"] is True
    assert tuple(label_text(prompt.dialogue, keys)) == keys
