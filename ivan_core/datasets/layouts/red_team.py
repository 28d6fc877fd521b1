"""The red team's dialogues beside hh-rlhf: one a row, with nothing to compare it with."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row

_NO_PAIR = "Each row is one dialogue, with no second reply to compare it with."


def _read(row: Row) -> Item:
    raise NotAPair(_NO_PAIR)


LAYOUT = Layout(
    "red-team",
    "red-team-attempts",
    ("transcript", "min_harmlessness_score_transcript"),
    lambda row: True,
    _read,
    refused=_NO_PAIR,
)
