"""A prompt and two replies as labelling tools show them, in an order that tells nothing."""

from __future__ import annotations

from typing import Any, Literal

from ivan_core.domain.pairs import Side, other_side
from ivan_core.interchange import reasons
from ivan_core.interchange.content import Content, Row
from ivan_core.interchange.format import Reason
from ivan_core.interchange.messages import prompt_and_replies

ONE_PROMPT: tuple[Reason, ...] = (reasons.no_reply, reasons.two_prompts, reasons.nobodys_text)


def side_by_side(content: Content, row: Row) -> tuple[dict[str, Any], Literal["a", "b", ""]]:
    """The prompt as messages and both replies as texts, by their fields; and which is preferred.

    Neither is where the data prefers none, or both are the same text.
    """
    prompt, chosen, rejected = prompt_and_replies(row.pair)
    replies: dict[Side, str] = {"chosen": chosen[0]["content"], "rejected": rejected[0]["content"]}
    first = content.first_side(row.pair.row_id)
    second = other_side(first)
    fields = {"prompt": prompt, "response_a": replies[first], "response_b": replies[second]}
    if row.pair.unrated:
        return fields, ""
    return fields, "a" if first == "chosen" else "b"
