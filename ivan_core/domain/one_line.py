"""Words of data, or of people, as a part of a sentence."""

from __future__ import annotations


def one_line(text: str, most: int) -> str:
    """A text on one line of at most `most` characters, cut short with "…".

    Nothing that is left in it moves a cursor or turns text around.
    """
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
