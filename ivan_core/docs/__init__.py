"""The handbook: one Markdown file a question, read in the app and on a code host alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

FOLDER = Path(__file__).parent
CHAPTERS = (
    "tour",
    "compare",
    "rewrite",
    "taxonomy",
    "analysis",
    "review",
    "words",
    "figures",
    "importing",
    "export",
    "servers",
    "machines",
    "scale",
    "demo",
    "command-line",
    "data",
    "architecture",
)
"""The files without `.md`, in the order in which they are read."""
_APART = re.compile(
    r"^(?:!\[(?P<shows>[^]]*)]\((?P<path>[^)]+)\)"
    r"|→ \[(?P<label>[^]]+)]\(\.\./\.\./(?P<file>[a-z_/]+\.py)(?:\?(?P<query>[^)]*))?\))$",
    re.MULTILINE,
)
"""Lines that are a picture, or lead to a page: on a code host to the file of that page."""
_LINK = re.compile(r"]\(([a-z-]+)\.md(#[a-z0-9-]+)?\)")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the app in light and in dark, and what it shows."""

    path: Path
    dark: Path
    shows: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of the app by its file, what to call it, and its parameters."""

    file: str
    label: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A file of the handbook; `name` is the word before the colon of its first line."""

    name: str
    text: str

    def parts(self, link: str) -> Iterator[str | Picture | PageLink]:
        """Its Markdown, its pictures and its links to pages, in order.

        Links to other chapters begin with `link`.
        """
        text = _LINK.sub(lambda found: f"]({link}{found[1]}{found[2] or ''})", self.text)
        place = 0
        for found in _APART.finditer(text):
            yield text[place : found.start()]
            place = found.end()
            if found["path"]:
                path = FOLDER / found["path"]
                yield Picture(path, path.parent / "dark" / path.name, found["shows"])
            else:
                query = dict(parse_qsl(found["query"] or ""))
                yield PageLink(found["file"], found["label"], query)
        yield text[place:]


@cache
def chapter(file: str) -> Chapter:
    """A chapter by its file's name; raises KeyError if there is none."""
    if file not in CHAPTERS:
        raise KeyError(file)
    text = (FOLDER / f"{file}.md").read_text("utf-8")
    return Chapter(text.removeprefix("# ").partition(":")[0], text)
