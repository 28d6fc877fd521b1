"""Why the rule-based labeler gave its labels: the rule that fired and the words that fired it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ivan_core.domain.labels import Label
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.labels.results import open_labels
from ivan_core.metrics.differences import Piece

if TYPE_CHECKING:
    from ivan_core.backends.lexicon.rules import Decision

_LONGEST = 20_000
"""Characters of a text in which words are marked; what follows is not shown."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A label, the rule that gave it, and the whole text in pieces: those that fired are marked.

    `cut` says that the text goes on behind the pieces.
    """

    label: Label
    rule: str
    words: tuple[str, ...]
    pieces: tuple[Piece, ...]
    cut: bool


def reasons(text: str, keys: Sequence[str]) -> dict[str, Reason]:
    """Why each of these labels of a text is what it is, by the rules as they are now."""
    found = {}
    printed = Dialogue(text).printed
    for key, decision in _explained(text).items():
        if key in keys:
            spans = [(one.start, one.end) for one in decision.evidence]
            words = tuple(dict.fromkeys(one.words for one in decision.evidence))
            pieces = marked(printed[:_LONGEST], spans)
            found[key] = Reason(
                decision.label, decision.rule, words, pieces, len(printed) > _LONGEST
            )
    return found


@lru_cache(maxsize=4)
def _explained(text: str) -> Mapping[str, Decision]:
    """What the rules say of a text, for both sides of a pair: a long text takes them seconds."""
    from ivan_core.backends.lexicon.labeler import explain

    return explain(text)


def marked(text: str, spans: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """A text in pieces, True for those that lie inside a span; together they are the text."""
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        if start > at:
            pieces.append((text[at:start], False))
        pieces.append((text[start:end], True))
        at = end
    if at < len(text):
        pieces.append((text[at:], False))
    return tuple(pieces)


def rules_changed(run_id: str) -> bool:
    """Whether the rules are no longer those that labelled a run."""
    from ivan_core.backends.lexicon.labeler import revision

    return str(open_labels(run_id).manifest["labeler"]["revision"]) != revision()
