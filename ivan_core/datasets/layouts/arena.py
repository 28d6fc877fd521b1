"""Chatbot Arena: two models' dialogues and a person's vote, in the three forms it came out in."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import Messages, NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    is_messages,
    is_texts,
    label,
    messages,
    one_of,
    preferred,
    unfolded,
)
from ivan_core.domain.transcripts import Dialogue

VOTES = {"model_a": 0, "model_b": 1, "tie": None, "tie (bothbad)": None, "both_bad": None}
_DIALOGUES = ("conversation_a", "conversation_b", "winner")
_LISTS = ("prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie")


def _are_dialogues(row: Row) -> bool:
    return is_messages(row["conversation_a"]) and is_messages(row["conversation_b"])


def _has_blocks(row: Row) -> bool:
    return any(isinstance(message.get("content"), list) for message in row["conversation_a"])


def _side(row: Row, column: str) -> Dialogue:
    told = messages(row, column)
    if not told or told[-1][0] != "Assistant":
        raise NotAPair(f"{column} does not end in a reply")
    return Dialogue.of_messages(told)


def _voted(row: Row) -> Item:
    better = preferred(row, "winner", VOTES)
    return _item(row, (_side(row, "conversation_a"), _side(row, "conversation_b")), better)


def _item(row: Row, sides: tuple[Dialogue, ...], better: tuple[int, ...]) -> Item:
    # The vote stays a label: a tie in which both are bad is another than one in which none is.
    parts = frozenset((*_DIALOGUES[:2], *_LISTS[:3]))
    models = tuple(label(row, f"model_{side}") for side in "ab")
    return Item(sides, better, parts, models=models)


def _listed(row: Row, column: str) -> list[str]:
    """The texts of a list that stands in a text. Raises NotAPair."""
    value = unfolded(row.get(column))
    if isinstance(value, list) and any(one is None for one in value):
        raise NotAPair(f"{column} holds null where a text belongs")
    if not is_texts(value):
        raise NotAPair(f"{column} holds no list of texts")
    return list(value)


def _told(prompts: list[str], replies: list[str]) -> Dialogue:
    if len(prompts) != len(replies) or not prompts:
        raise NotAPair(f"{len(prompts)} prompts and {len(replies)} replies")
    turns: Messages = tuple(
        turn
        for prompt, reply in zip(prompts, replies, strict=True)
        for turn in (("Human", prompt), ("Assistant", reply))
    )
    return Dialogue.of_messages(turns)


def _counted(row: Row) -> Item:
    prompts = _listed(row, "prompt")
    sides = tuple(_told(prompts, _listed(row, f"response_{side}")) for side in "ab")
    votes = [one_of(row, column, {"1": 1, "0": 0}) for column in _LISTS[3:]]
    if sum(vote or 0 for vote in votes) != 1:
        raise NotAPair("not one of winner_model_a, winner_model_b and winner_tie is 1")
    return _item(row, sides, ((0,), (1,), ())[votes.index(1)])


ARENA_33K = Layout(
    "arena-33k",
    "Chatbot Arena 33k",
    _DIALOGUES,
    lambda row: _are_dialogues(row) and not _has_blocks(row),
    _voted,
    nested=_DIALOGUES[:2],
)
ARENA_140K = Layout(
    "arena-140k",
    "Chatbot Arena 140k",
    _DIALOGUES,
    lambda row: _are_dialogues(row) and _has_blocks(row),
    _voted,
    nested=_DIALOGUES[:2],
    said="Of dialogues that were voted on more than once, the exchange that the vote is about.",
)
ARENA_55K = Layout("arena-55k", "Chatbot Arena 55k", _LISTS, lambda row: True, _counted)
