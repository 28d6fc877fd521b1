"""Fifty of a list at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

PAGE_ROWS = 50
_One = TypeVar("_One")


def pages_of(count: int) -> int:
    """How many pages a list of so many has, at least one."""
    return max(1, -(-count // PAGE_ROWS))


def page_of(listed: Sequence[_One], page: int) -> Sequence[_One]:
    """One page of a list; `page` counts from 1 and is clamped."""
    start = (min(max(page, 1), pages_of(len(listed))) - 1) * PAGE_ROWS
    return listed[start : start + PAGE_ROWS]
