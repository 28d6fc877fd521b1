"""The lists of words: the bundled one, one's own, and the words that are ranked but not shown."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of, one_line

MOST_WORDS = 25_000
"""Words of a list of one's own."""
LONGEST_WORD = 60
"""Characters of one of them: a short phrase is let through."""
LARGEST_LIST = 1_000_000
"""Characters, or bytes, of a list as it is handed over."""
LIST_WORDS = (
    "16,296 English words of at least three letters: all that stand, in small letters and so with "
    "hardly a name among them, both in the vocabulary of the encoder MiniLM and in SCOWL's lists "
    "of American and British English"
)
"""What the bundled list holds."""
_BETWEEN = re.compile(r"[,;\t]")


@cache
def bundled() -> tuple[str, ...]:
    """The bundled list, in alphabetical order."""
    return _read("words.txt")


@cache
def held_back() -> frozenset[str]:
    """Words of the bundled list that insult, are crude, or name a group of people.

    They are scored and ranked as all others, but no list of best or worst words shows them.
    """
    return frozenset(_read("held_back.txt"))


def own_list(text: str) -> tuple[str, ...]:
    """The words of a typed or uploaded list: one a line, or between commas where there is one line.

    Each stands once, in the order of the list, without white space around it.

    Raises:
        BadInput: there are fewer than two words or too many, or one is too long or unprintable.
    """
    if len(text) > LARGEST_LIST:
        raise BadInput(
            f"The list has {len(text):,} characters.", f"Keep it under {LARGEST_LIST:,}."
        )
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    parts = _BETWEEN.split(lines[0]) if len(lines) == 1 else lines
    words = tuple(dict.fromkeys(word for part in parts if (word := " ".join(part.split()))))
    if len(words) < 2:
        raise BadInput(
            f"The list holds {number_of(len(words), 'word')}, and a ranking needs two.",
            "Write one word a line.",
        )
    if len(words) > MOST_WORDS:
        raise BadInput(f"The list holds {len(words):,} words.", f"Keep it to {MOST_WORDS:,}.")
    return tuple(map(checked_word, words))


def checked_word(word: str) -> str:
    """A word or short phrase, if it is one.

    Raises:
        BadInput: it is empty, too long, or holds what cannot be printed.
    """
    if not word.strip() or len(word) > LONGEST_WORD or not word.isprintable():
        raise BadInput(
            f"“{one_line(word, LONGEST_WORD)}” is no word: it has "
            f"{number_of(len(word), 'character')}"
            f"{'' if word.isprintable() else ', some of which cannot be printed'}.",
            f"Write one word or short phrase a line, each of at most {LONGEST_WORD} characters.",
        )
    return word


def _read(name: str) -> tuple[str, ...]:
    return tuple((files(__package__) / name).read_text("utf-8").split())
