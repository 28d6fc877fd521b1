"""RMB: the best reply against others, or against one; a dialogue before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row, answered, label, messages

_PROMPT = "conversation_input"
_BEST = (_PROMPT, "bon_best", "loser_list")
_PAIR = (_PROMPT, "chosen", "reject")


def _is_reply(value: object) -> bool:
    return isinstance(value, Mapping) and "answer" in value


def _item(row: Row, replies: Sequence[Any], needs: Sequence[str]) -> Item:
    for reply in replies:
        if not (_is_reply(reply) and isinstance(reply["answer"], str)):
            raise NotAPair("a reply without an answer")
    return Item(
        answered(messages(row, _PROMPT), [reply["answer"] for reply in replies]),
        (0,),
        frozenset(needs),
        subset=label(row, "category_path"),
        models=tuple(label(reply, "llm_name") for reply in replies),
    )


def _best(row: Row) -> Item:
    losers = row.get("loser_list")
    if not isinstance(losers, list | tuple) or not losers:
        raise NotAPair("loser_list holds no replies")
    return _item(row, (row.get("bon_best"), *losers), _BEST)


def _pair(row: Row) -> Item:
    return _item(row, (row.get("chosen"), row.get("reject")), _PAIR)


BEST_OF_N = Layout(
    "rmb-best-of-n",
    "RMB best-of-N",
    _BEST,
    lambda row: _is_reply(row["bon_best"]),
    _best,
    many=True,
    nested=_BEST,
)
PAIRWISE = Layout(
    "rmb-pairwise", "RMB pairwise", _PAIR, lambda row: _is_reply(row["chosen"]), _pair, nested=_PAIR
)
