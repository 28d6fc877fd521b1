"""Rows with the columns chosen and rejected: hh-rlhf, TRL's four shapes, and their like."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    is_messages,
    messages,
    text,
)
from ivan_core.datasets.layouts.sides import SCORES, one_turn, read_sides
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER

_NEEDS = ("chosen", "rejected")
_PARTS = frozenset(("prompt", *_NEEDS))


def read_pair(row: Row) -> Item:
    """Both sides of a row, whatever form they have. Raises NotAPair."""
    sides = read_sides(row)
    better = () if sides.tied else (0,)
    return Item((sides.chosen, sides.rejected), better, sides.no_labels, None, sides.strength)


def _one_turn(row: Row) -> Item:
    prompt, sides = text(row, "prompt"), [text(row, side) for side in _NEEDS]
    return Item(tuple(one_turn(prompt, side) for side in sides), (0,), _PARTS)


def _after_messages(row: Row) -> Item:
    return Item(
        answered(messages(row, "prompt"), [text(row, side) for side in _NEEDS]), (0,), _PARTS
    )


def _binarized(row: Row) -> Item:
    item = read_pair(row)
    for side, reply in zip(_NEEDS, item.replies, strict=True):
        if reply.reply is None or reply.ends_in_human_turn:
            raise NotAPair(f"{side} does not end in a reply")
    return item


def _are_transcripts(row: Row) -> bool:
    return all(
        isinstance(side, str) and side.startswith(HUMAN_MARKER) and ASSISTANT_MARKER in side
        for side in (row["chosen"], row["rejected"])
    )


def _are_messages(row: Row) -> bool:
    return is_messages(row["chosen"]) and is_messages(row["rejected"])


def _are_texts(row: Row) -> bool:
    return isinstance(row["chosen"], str) and isinstance(row["rejected"], str)


def _has_sides(row: Row) -> bool:
    """Whether each side may be a text or messages: an odd first row tells no layout."""
    sides = (row["chosen"], row["rejected"])
    return all(isinstance(side, str) or (is_messages(side) and side) for side in sides)


def _prompt(row: Row) -> object:
    return row.get("prompt")


HH_RLHF = Layout(
    "hh-rlhf", "hh-rlhf", _NEEDS, lambda r: _prompt(r) is None and _are_transcripts(r), read_pair
)
EXPLICIT = Layout(
    "trl-explicit",
    "TRL, messages with a prompt",
    ("prompt", *_NEEDS),
    lambda r: _are_messages(r) and is_messages(_prompt(r)),
    read_pair,
    nested=("prompt", *_NEEDS),
)
IMPLICIT = Layout(
    "trl-implicit",
    "TRL, messages without a prompt",
    _NEEDS,
    lambda r: _are_messages(r) and _prompt(r) is None,
    read_pair,
    nested=_NEEDS,
)
BINARIZED = Layout(
    "ultrafeedback-binarized",
    "UltraFeedback, binarized",
    ("prompt", *_NEEDS, *SCORES),
    lambda r: _are_messages(r) and isinstance(_prompt(r), str),
    _binarized,
    nested=_NEEDS,
    said="Rows with equal scores are ties; where the chosen reply has the lower score, it stays "
    "the chosen one. Only the splits _prefs hold preferences to measure.",
)
BESIDE_TEXT = Layout(
    "messages-beside-text",
    "messages beside a prompt as text",
    ("prompt", *_NEEDS),
    lambda r: _are_messages(r) and isinstance(_prompt(r), str),
    read_pair,
    nested=_NEEDS,
)
REWARD_BENCH = Layout(
    "rewardbench",
    "RewardBench 1",
    ("prompt", *_NEEDS, "chosen_model", "rejected_model", "subset"),
    lambda r: _are_texts(r) and isinstance(_prompt(r), str),
    _one_turn,
)
STANDARD = Layout(
    "trl-standard",
    "TRL, texts with a prompt",
    ("prompt", *_NEEDS),
    lambda r: _are_texts(r) and isinstance(_prompt(r), str),
    read_pair,
)
TEXTS_ALONE = Layout(
    "trl-implicit-texts",
    "TRL, texts without a prompt",
    _NEEDS,
    lambda r: _are_texts(r) and _prompt(r) is None and not _are_transcripts(r),
    read_pair,
)
TEST_SETS = Layout(
    "pref-test-sets",
    "AllenAI's preference test sets",
    ("prompt", *_NEEDS),
    lambda r: _are_texts(r) and is_messages(_prompt(r)),
    _after_messages,
    nested=("prompt",),
)
PAIRS = Layout("pairs", "the columns chosen and rejected", _NEEDS, _has_sides, read_pair)
"""What a row has that is none of those above, and where a person named the columns."""
ALL = (
    HH_RLHF,
    EXPLICIT,
    IMPLICIT,
    BINARIZED,
    BESIDE_TEXT,
    REWARD_BENCH,
    STANDARD,
    TEXTS_ALONE,
    TEST_SETS,
)
