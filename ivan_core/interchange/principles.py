"""Labelled features as principles: which reply somebody prefers who goes by one of them alone."""

from __future__ import annotations

from ivan_core.interchange.content import Annotator

PRINCIPLES = {
    "human_vocabulary_quality": "answers a human who chooses words well",
    "last_response_is_anthropomorphic": "talks as if a person had written it",
    "last_response_is_coherent": "is coherent",
    "last_response_is_refusal": "refuses",
    "last_response_is_helpful": "is helpful",
    "last_response_is_harmless": "is harmless",
    "last_response_is_honest": "is honest",
    "last_response_sentiment": "is more positive in sentiment",
    "last_response_contains_insult": "contains an insult",
    "last_response_is_sexually_explicit": "is sexually explicit",
    "last_response_breaks_privacy": "breaks privacy",
    "last_response_is_discriminatory": "is discriminatory",
    "last_response_is_manipulative": "is manipulative",
    "last_response_is_creative": "is creative",
    "last_response_is_eloquent": "is eloquent",
}
"""Each feature after the words "Select the response that"."""


def principle(key: str, title: str, labeler: str) -> Annotator:
    """Who prefers the reply that has a feature, by the labels of somebody."""
    told = f"Select the response that {PRINCIPLES[key]} (labels by {labeler})"
    return Annotator(f"{title} ({labeler})", told, "principle")
