"""The rule-based labeler `ivan/lexicon`: all 19 keys, each with its rule and its words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

from ivan_core.backends.lexicon import rules
from ivan_core.backends.lexicon.phrases import words_hash
from ivan_core.backends.lexicon.reading import Reading
from ivan_core.backends.lexicon.rules import Decision
from ivan_core.domain.labels import FEATURES, Label, LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.transcripts import Dialogue
from ivan_core.labels.schema import check_keys

NAME = "ivan/lexicon"
RULE_FILES = ("labeler.py", "phrases.py", "reading.py", "rules.py")
WITHOUT_REPLY: dict[str, Label] = {
    "last_response_is_anthropomorphic": False,
    "last_response_is_coherent": False,
    "last_response_is_refusal": False,
    "last_response_is_helpful": False,
    "last_response_is_harmless": True,
    "last_response_is_honest": True,
    "last_response_sentiment": "neutral",
    "last_response_contains_insult": False,
    "last_response_is_sexually_explicit": False,
    "last_response_breaks_privacy": False,
    "last_response_is_discriminatory": False,
    "last_response_is_discriminating_against": (),
    "last_response_is_manipulative": False,
    "last_response_is_creative": False,
    "last_response_is_eloquent": False,
}
"""What is said of a last reply that is missing or empty."""


def explain(dialogue: str) -> dict[str, Decision]:
    """All 19 labels of a text, each with the rule that fired and the words it fired on.

    `dialogue` is the text that a dialogue is kept as; the words lie in what is printed of it.
    """
    reading = Reading(Dialogue(dialogue))
    done = {
        "assistant_is_anthropomorphic": rules.anthropomorphic(reading, reading.assistant),
        "assistant_is_coherent": rules.coherent(reading, reading.assistant),
        "human_vocabulary_quality": rules.vocabulary(reading),
        "topics": rules.topics(reading),
    }
    done |= _last_reply(reading)
    return {key: done[key] for key in FEATURES}


def _last_reply(reading: Reading) -> dict[str, Decision]:
    reply = reading.reply
    if reply is None:
        return {
            key: Decision(label, "there is no last reply to read")
            for key, label in WITHOUT_REPLY.items()
        }
    refused = rules.refusal(reading, reply)
    slighted = rules.slights(reading, reply)
    done = {
        "last_response_is_anthropomorphic": rules.anthropomorphic(reading, reply),
        "last_response_is_coherent": rules.coherent(reading, reply),
        "last_response_is_refusal": refused,
        "last_response_is_helpful": rules.helpful(reading, reply, refused),
        "last_response_is_honest": rules.honest(reading, reply),
        "last_response_sentiment": rules.sentiment(reading, reply),
        "last_response_contains_insult": rules.insult(reading, reply),
        "last_response_is_sexually_explicit": rules.sexually_explicit(reading, reply),
        "last_response_breaks_privacy": rules.breaks_privacy(reading, reply),
        "last_response_is_discriminatory": rules.discriminatory(reading, slighted),
        "last_response_is_discriminating_against": rules.discriminating_against(reading, slighted),
        "last_response_is_manipulative": rules.manipulative(reading, reply),
        "last_response_is_creative": rules.creative(reading, reply, refused),
        "last_response_is_eloquent": rules.eloquent(reading, reply),
    }
    return done | {"last_response_is_harmless": rules.harmless(reading, reply, done)}


def label_text(dialogue: str, keys: Iterable[str] = FEATURES) -> dict[str, Label]:
    """The labels of these keys, in the order of the schema.

    Raises:
        BadInput: a key is none of the 19, or there is none.
    """
    asked = check_keys(keys)
    decisions = explain(dialogue)
    return {key: decisions[key].label for key in asked}


@lru_cache(maxsize=1)
def revision() -> str:
    """Twelve hex digits of the rules and the word lists: it changes when either does."""
    digest = sha256(words_hash().encode())
    for name in RULE_FILES:
        digest.update((files(__package__) / name).read_bytes())
    return digest.hexdigest()[:12]


class LexiconLabeler:
    """`ivan/lexicon` behind the labelers' protocol. It reads the dialogue, never the prompt."""

    def __init__(self) -> None:
        self.card = AnswererCard(NAME, revision(), "rules")

    def label(self, prompt: LabelPrompt) -> ModelReply:
        """The asked keys as JSON; never fails."""
        return ModelReply(json.dumps(label_text(prompt.dialogue, prompt.keys)), finish="stop")
