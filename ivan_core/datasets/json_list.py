"""A JSON list cut into the texts of its entries: it may be longer than memory has room for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MARK = re.compile(r'[\[\]{}",]')
_QUOTED = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class Broken(ValueError):
    """Why nothing more of a list is read."""


def entries(pieces: Iterable[str], longest: int) -> Iterator[str]:
    """The text between a list's own commas, entry by entry; whether each is JSON is not asked.

    `pieces` are the list's text, one after the other, from its bracket on. Of an entry with more
    than `longest` characters the start comes, which is longer than that itself.

    Raises:
        Broken: the list has no end, or something stands after it.
    """
    held: list[str] = []
    length = 0  # of the entry so far, with what is not held any more
    depth, quoted, escaped = 0, False, False
    rest = iter(pieces)
    for piece in rest:
        at = begin = 0
        while at < len(piece):
            if escaped:
                at, escaped = at + 1, False
                continue
            if quoted:
                at = _end_of_quoted(piece, at)
                if at < len(piece):
                    quoted, escaped, at = piece[at] != '"', piece[at] == "\\", at + 1
                continue
            mark = _MARK.search(piece, at)
            if mark is None:
                break
            at = mark.end()
            if mark[0] == '"':
                quoted = True
            elif mark[0] in "[{":
                depth += 1
                begin = at if depth == 1 else begin  # the list's own bracket
            elif mark[0] != "," and depth > 1:
                depth -= 1
            elif depth == 1 and mark[0] != "}":
                entry = "".join((*held, piece[begin : mark.start()]))[: longest + 1]
                held, length, begin = [], 0, at
                if mark[0] == ",":
                    yield entry
                    continue
                if not entry.isspace() and entry:
                    yield entry
                if piece[at:].strip() or any(more.strip() for more in rest):
                    raise Broken("something stands after the end of the list")
                return
        if length <= longest:
            held.append(piece[begin:])
        length += len(piece) - begin
    raise Broken("the file ends in the middle of the list")


def _end_of_quoted(piece: str, begin: int) -> int:
    """Where the text in quotes ends: at the quote, or at a backslash that ends the piece."""
    found = _QUOTED.match(piece, begin)
    return found.end() if found else begin
