"""What a format is to whoever offers or writes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ivan_core.domain.pairs import Pair
from ivan_core.interchange.content import Content, Row

Reason = Callable[[Pair], str]
"""Why a format has no place for a pair; empty where it has."""


@dataclass(frozen=True, slots=True)
class Format:
    """A form of file: `name` on the command line, `title` on a page, `ending` of the file's name.
    `about` says what it holds, and what it has no place for.

    `lacks` are its reasons to leave a pair out, the first that says something counts. `write` takes
    a path, what the file is about, and the rows that are left; one of them is in memory at a time.
    `shuffled` says that which reply stands first is drawn, so that the order tells nothing.
    `beside` is what a tool has to be told before it takes such a file.
    """

    name: str
    title: str
    about: str
    ending: str
    lacks: tuple[Reason, ...]
    write: Callable[[Path, Content, Iterator[Row]], None]
    shuffled: bool = False
    beside: str = ""

    def left_out(self, pair: Pair) -> str:
        """Why the pair is not in such a file; empty where it is."""
        return next((why for lack in self.lacks if (why := lack(pair))), "")
