"""The five labels of a rewording: asked of the original and the reworded texts, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ivan_core.domain.labels import REWRITE_FEATURES, Label, Labeler, TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.experiments.labels.steps import ask_until_usable
from ivan_core.experiments.rewrite.rows import RewordedPair
from ivan_core.experiments.rewrite.units import LABELLED, Variant
from ivan_core.labels.prompt import build_prompt
from ivan_core.labels.reconcile import USABLE
from ivan_core.labels.validate import read_reply

Move = Literal["lost", "gained", "same"]
_SENTIMENTS = {"negative": -1, "neutral": 0, "positive": 1}


@dataclass(frozen=True, slots=True)
class LabelledText:
    """The usable labels of one text, and why there are none where there are none."""

    row_id: int
    variant: Variant
    preference: Side
    labels: dict[str, Label]
    status: str
    problem: str = ""
    reused: str = ""


def ask_labels(
    labeler: Labeler, pairs: Sequence[RewordedPair], variants: Sequence[Variant] = LABELLED
) -> Iterator[list[Any]]:
    """Row id, variant, side and replies of each text that is there, the last reply counting."""
    for one in pairs:
        for variant in variants:
            for side, text in zip(SIDES, one.sides[variant], strict=True):
                if text is not None:
                    key = TextKey(one.pair.row_id, side)
                    prompt = build_prompt(key, text.text, REWRITE_FEATURES)
                    yield [one.pair.row_id, variant, side, ask_until_usable(labeler, prompt)]


def read_labels(row: Sequence[Any]) -> LabelledText:
    """What a kept row of `ask_labels` says."""
    row_id, variant, side, replies = row
    reply = ModelReply(**replies[-1])
    outcome = read_reply(reply, REWRITE_FEATURES)
    if outcome.status in USABLE:
        labels = dict(outcome.labels)
        return LabelledText(row_id, variant, side, labels, outcome.status, reused=reply.reused)
    why = "; ".join(" ".join(filter(None, (one.key, one.message))) for one in outcome.problems)
    return LabelledText(row_id, variant, side, {}, outcome.status, why)


def move_of(before: Label, after: Label) -> Move | None:
    """What became of a label: lost if it went down, gained if up; None where one is not there."""
    first, last = _number(before), _number(after)
    if first is None or last is None:
        return None
    return "same" if first == last else "lost" if first > last else "gained"


def _number(label: Label) -> int | None:
    """Yes is 1 and no is 0; a sentiment is -1, 0 or 1."""
    if isinstance(label, bool):
        return int(label)
    return _SENTIMENTS.get(label) if isinstance(label, str) else None
