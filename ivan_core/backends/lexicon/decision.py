"""What a rule answers: a label, the rule in plain words, and the words of the text behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ivan_core.backends.lexicon.reading import Hit
from ivan_core.domain.labels import Label

MOST_EVIDENCE = 20
"""Spans kept for one decision: the first ones of the text."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the dialogue that a rule fired on: `dialogue[start:end] == words`."""

    start: int
    end: int
    words: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The label of one feature and why: which rule fired, on which words."""

    label: Label
    rule: str
    evidence: tuple[Evidence, ...] = ()


def decide(label: Label, rule: str, text: str, hits: Iterable[Hit] = ()) -> Decision:
    """A decision whose evidence are the hits, in the order of the text, each span once."""
    spans = sorted({(hit.start, hit.end) for hit in hits})[:MOST_EVIDENCE]
    return Decision(label, rule, tuple(Evidence(a, b, text[a:b]) for a, b in spans))
