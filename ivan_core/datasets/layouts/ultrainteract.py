"""UltraInteract: two next steps after a trajectory of messages."""

from __future__ import annotations

from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    has_texts,
    is_messages,
    label,
    messages,
    text,
)

_NEEDS = ("trajectory", "chosen", "rejected")


def _read(row: Row) -> Item:
    return Item(
        answered(messages(row, "trajectory"), [text(row, "chosen"), text(row, "rejected")]),
        (0,),
        frozenset(_NEEDS),
        subset=label(row, "task", "subset"),
    )


LAYOUT = Layout(
    "ultrainteract",
    "UltraInteract",
    _NEEDS,
    lambda row: is_messages(row["trajectory"]) and has_texts("chosen", "rejected")(row),
    _read,
    nested=("trajectory",),
)
