"""What stands in the cells of a list on a page, beside plain words and numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A model's verdict, or those before and after a change, and the number beside them."""

    words: tuple[str, ...]
    amount: str = ""
