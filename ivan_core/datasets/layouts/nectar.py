"""Nectar: seven replies that were ranked; the lowest rank is the best."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row, best, label, number, text
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue, Turn

_NEEDS = ("prompt", "answers")


def _are_answers(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and {"answer", "rank"} <= one.keys() for one in value
    )


def _read(row: Row) -> Item:
    answers = row.get("answers")
    if not _are_answers(answers) or not answers:
        raise NotAPair("answers holds no list of ranked answers")
    ranks = [number(one, "rank") for one in answers]
    opening = text(row, "prompt")
    if not opening.rstrip().endswith(ASSISTANT_MARKER):
        raise NotAPair("prompt does not end where the reply begins")
    before = Dialogue.of_transcript(opening.rstrip().removesuffix(ASSISTANT_MARKER))
    if HUMAN_MARKER not in opening:
        raise NotAPair("prompt holds no turn of a person")
    replies = [Turn("Assistant", f" {text(one, 'answer')}") for one in answers]
    return Item(
        tuple(before.with_turns(before.preamble, (*before.turns, reply)) for reply in replies),
        best([-rank for rank in ranks]),
        frozenset(_NEEDS),
        subset=label(row, "source", "subset"),
        models=tuple(label(one, "model") for one in answers),
    )


LAYOUT = Layout(
    "nectar",
    "Nectar",
    _NEEDS,
    lambda row: _are_answers(row["answers"]),
    _read,
    many=True,
    nested=("answers",),
)
