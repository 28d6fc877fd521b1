"""Words of a sentence: counts with their word, and words of data or people as a part of it."""

from __future__ import annotations

from collections.abc import Sequence


def number_of(count: int, one: str, many: str = "") -> str:
    """A count with its word: 1 text, 2 texts, 1,200 people (where `many` is given)."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def with_article(noun: str) -> str:
    """As in "a comparison", "an analysis"."""
    return f"{'an' if noun.startswith(('a', 'e', 'i', 'o', 'u')) else 'a'} {noun}"


def one_line(text: str, most: int) -> str:
    """A text on one line of at most `most` characters, cut short with "…".

    Nothing that is left in it moves a cursor or turns text around.
    """
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8; JSON's escapes allow halves of a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Each model's name without its organisation or folder, where that tells them apart."""
    short = [model.rpartition("/")[2] or model for model in models]
    return {
        model: name if short.count(name) == 1 else model
        for model, name in zip(models, short, strict=True)
    }
