"""A count with its word, as people write it."""

from __future__ import annotations


def number_of(count: int, one: str, many: str = "") -> str:
    """A count with its word: 1 text, 2 texts, 1,200 people (where `many` is given)."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
