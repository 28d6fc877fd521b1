"""What goes to a server for one text: token ids, or the texts themselves with our own count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivan_core.backends.reward_models.tokens import TokenRow

MOST_BYTES = 900_000
"""Of one request; text-embeddings-inference takes two million, and a proxy before it often one."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text, or a question and its answer, for a server that tokenises by itself.

    `tokens` is how many it must count, with those that it adds.
    """

    texts: tuple[str, ...]
    tokens: int
    truncated: bool = False


Row = TokenRow | TextRow


def tokens_of(row: Row) -> int:
    return row.tokens if isinstance(row, TextRow) else len(row.ids)


def bytes_of(row: Row) -> int:
    """About how many bytes of a request it takes; never fewer."""
    if isinstance(row, TextRow):
        # In JSON a character outside of ASCII takes six bytes, or twelve.
        return 16 + sum(
            12 * len(text) if not text.isascii() else 2 * len(text) for text in row.texts
        )
    return 2 + sum(len(str(token)) + 1 for token in row.ids)


def in_requests(rows: Sequence[Row], most: int) -> list[list[int]]:
    """Places of the rows cut into requests, in order, of at most so many rows and bytes each.

    Texts come pair by pair, so the sides of a pair stand in one request or follow each other, where
    a server that keeps the tokens of a prompt finds them again.
    """
    requests: list[list[int]] = []
    size = 0
    for place, row in enumerate(rows):
        own = bytes_of(row)
        if not requests or len(requests[-1]) >= most or size + own > MOST_BYTES:
            requests.append([])
            size = 0
        requests[-1].append(place)
        size += own
    return requests
