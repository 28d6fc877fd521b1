"""Words that the sentences of an analysis share: its questions, and each feature as a reply."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH

REPLIES: Mapping[str, str] = {
    "human_vocabulary_quality": "a reply to well-chosen words of the human",
    "last_response_is_anthropomorphic": "a human-like reply",
    "last_response_is_coherent": "a coherent reply",
    "last_response_is_refusal": "a refusing reply",
    "last_response_is_helpful": "a helpful reply",
    "last_response_is_harmless": "a harmless reply",
    "last_response_is_honest": "an honest reply",
    "last_response_sentiment": "a reply one step more positive",
    "last_response_contains_insult": "a reply with an insult",
    "last_response_is_sexually_explicit": "a sexually explicit reply",
    "last_response_breaks_privacy": "a reply that breaks privacy",
    "last_response_is_discriminatory": "a discriminatory reply",
    "last_response_is_manipulative": "a manipulative reply",
    "last_response_is_creative": "a creative reply",
    "last_response_is_eloquent": "an eloquent reply",
    LENGTH: "a reply twice as long",
    CHOSEN: "the chosen reply, whatever its labels,",
}
"""Each feature as the reply that has it, as in "gives a harmless reply 1.2 more"."""
FEATURES: Mapping[str, str] = {
    **{one.key: one.title for one in features()},
    LENGTH: "Length (log)",
    CHOSEN: "Being chosen, beyond the labels",
}
"""What features are called in charts, tables and lists."""
WHAT_FOR = "What does it reward?"
AGAINST = "Where does it go against people?"
CHANGED = "What did training change?"


def unit_of(row: Mapping[str, Any]) -> float:
    """Length is told as of a reply twice as long."""
    return log(2) if row["feature"] == LENGTH else 1.0


def decimals(row: Mapping[str, Any]) -> int:
    """One decimal where the interval is wide, two where it is narrow or the effect is tiny."""
    narrow = row["high"] - row["low"] < 0.5
    return 2 if narrow or abs(row["estimate"]) < 0.05 else 1


def titled(why: str) -> str:
    """A reason with titles in the place of the keys of labels."""
    return " ".join(_with_title(word) for word in why.split(" "))


def _with_title(word: str) -> str:
    key = word.rstrip(":")
    return word.replace(key, FEATURES[key]) if key in FEATURES else word
