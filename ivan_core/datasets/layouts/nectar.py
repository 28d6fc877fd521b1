"""Nectar: seven replies that were ranked; the lowest rank is the best."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    are_objects,
    best,
    is_texts,
    label,
    number,
    text,
)
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue, Turn

_NEEDS = ("prompt", "answers")
_OF_ANSWERS = ("answer", "rank")


def _read(row: Row) -> Item:
    answers = row.get("answers")
    if not are_objects(answers, *_OF_ANSWERS) or not answers:
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
        subset=_source(row),
        models=tuple(label(one, "model") for one in answers),
    )


def _source(row: Row) -> str:
    """Where a prompt is from: a name, or a list of names."""
    source = row.get("source")
    return ", ".join(source) if is_texts(source) else label(row, "source", "subset")


LAYOUT = Layout(
    "nectar",
    "Nectar",
    _NEEDS,
    lambda row: are_objects(row["answers"], *_OF_ANSWERS),
    _read,
    also=("source",),
    many=True,
    nested=("answers",),
)
