"""Strings from outside as text of a Markdown page and no more: no markup, no link, no line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ivan_core.domain.words import one_line

_MOST = 1_000
"""Characters of a name or a sentence."""
_MARKUP = re.compile(
    r"[\\`*{}#|~$!^]|\[(?!−?[\d.]+, −?[\d.]+\])|\](?=[(\[:])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
)
"""What begins markup; an interval, and a line within a word, do not."""
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINKS = re.compile(r"(://|www\.|@)", re.IGNORECASE)
"""What renderers make a link of where it stands in a text; a comment within takes it apart."""
_BEGINS_A_BLOCK = re.compile(r"^([-+=:]|\d{1,9}(?=[.)]))")
_ENDS_A_FENCE = re.compile(r"`+")


def words(text: object, most: int = _MOST) -> str:
    """A text on one line, as words of a page."""
    flat = one_line(str(text), most)
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", flat.translate(_ENTITIES))
    apart = _LINKS.sub(lambda found: f"{found[0][:1]}<!-- -->{found[0][1:]}", escaped)
    return _BEGINS_A_BLOCK.sub(_not_a_block, apart)


def _not_a_block(found: re.Match[str]) -> str:
    begin = found[0]
    # A digit cannot be escaped: what follows it no longer does.
    return f"{begin}<!-- -->" if begin.isdigit() else f"\\{begin}"


def code(text: object, most: int = _MOST) -> str:
    """A name as it is, in the letters of code."""
    flat = one_line(str(text), most) or " "
    fence = _fence(flat, 1)
    # A space stands between backticks of the name and those around it.
    room = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{room}{flat}{room}{fence}"


def block(text: str, language: str = "") -> str:
    """Lines of code."""
    kept = "\n".join(one_line(line, 10_000) for line in text.splitlines())
    fence = _fence(kept, 3)
    return f"{fence}{language}\n{kept}\n{fence}"


def bullets(told: Iterable[str]) -> str:
    """A list of what is Markdown already."""
    return "\n".join(f"- {one}" for one in told)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of what is Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(text: str) -> str:
    # Within code too a bar ends a cell, unless a backslash is before it.
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in _ENDS_A_FENCE.findall(text)), default=0)
    return "`" * max(least, longest + 1)
