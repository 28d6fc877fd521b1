"""Regular expressions of people: refused where dangerous, given up where they take too long."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from ivan_core.domain.errors import BadInput

MOST_REPEATS = 10_000
"""Counted repeats multiply where they are nested, and the compiled expression grows with them."""
_COUNTED = re.compile(r"\{\s*(\d*)\s*(?:,\s*(\d*)\s*)?\}")
_RECURSIVE = re.compile(r"\(\?(?:R|[+-]?\d|&|P>)")


class TooSlow(Exception):
    """The regular expression did not come to an end on a text."""


def compile_pattern(pattern: str) -> Callable[[str, float], int]:
    """The regular expression as a function from a text and a time in seconds to its matches.

    The function raises TooSlow when the time is over.

    Raises:
        BadInput: it is not a regular expression, or one that needs endless memory.
    """
    import regex

    repeats = math.prod(
        max(1, *(int(number) for number in numbers if number))
        for numbers in _COUNTED.findall(pattern)
        if any(numbers)
    )
    if repeats > MOST_REPEATS:
        raise BadInput(
            f"The repeats in this regular expression multiply to more than {MOST_REPEATS:,}.",
            "Write smaller counts in braces, or use + and *.",
        )
    if _RECURSIVE.search(pattern):
        raise BadInput(
            "This regular expression calls itself, which may need endless memory.",
            "Write it without (?R), (?1) and (?&name).",
        )
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise BadInput(
            f"This is not a regular expression{at}: {error.msg}.",
            "To find characters such as ( [ . * + ? as they stand, put a backslash before them.",
        ) from None
    except (RecursionError, MemoryError, OverflowError):
        raise BadInput("This regular expression is too large.", "Make it shorter.") from None

    def matches(text: str, seconds: float) -> int:
        try:
            return sum(1 for _ in compiled.finditer(text, timeout=seconds))
        except TimeoutError:
            raise TooSlow from None

    return matches
