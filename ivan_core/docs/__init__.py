"""The handbook: one Markdown file a question, read in the app and on a code host alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
CHAPTERS = (
    "compare",
    "rewrite",
    "taxonomy",
    "analysis",
    "review",
    "words",
    "figures",
    "importing",
    "servers",
    "machines",
    "scale",
    "demo",
    "command-line",
    "data",
    "architecture",
)
"""The files without `.md`, in the order in which they are read."""
_PICTURE = re.compile(r"^!\[([^]]*)]\(([^)]+)\)$", re.MULTILINE)
_LINK = re.compile(r"]\(([a-z-]+)\.md(#[a-z0-9-]+)?\)")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the app, and what it shows."""

    path: Path
    shows: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """A file of the handbook; `name` is the word before the colon of its first line."""

    name: str
    text: str

    def parts(self, link: str) -> Iterator[str | Picture]:
        """Its Markdown and its pictures, in order; links to other chapters begin with `link`."""
        text = _LINK.sub(lambda found: f"]({link}{found[1]}{found[2] or ''})", self.text)
        before, *others = _PICTURE.split(text)
        yield before
        for shows, path, after in zip(others[::3], others[1::3], others[2::3], strict=True):
            yield Picture(FOLDER / path, shows)
            yield after


@cache
def chapter(file: str) -> Chapter:
    """A chapter by its file's name; raises KeyError if there is none."""
    if file not in CHAPTERS:
        raise KeyError(file)
    text = (FOLDER / f"{file}.md").read_text("utf-8")
    return Chapter(text.removeprefix("# ").partition(":")[0], text)
