"""Findings: what results show at a glance, as sentences that lead to rows, each with a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ivan_core.metrics.differences import Piece

Line = tuple[str, tuple[Piece, ...]]
"""What a text is, in a word, and the text in short, which nobody vouches for."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a finding's picture: its name, its number in words, and its parts as shares.

    `shares` are by what they stand for (a verdict, or "share"); what they leave to 1 stays empty.
    """

    name: str
    label: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Example:
    """Two texts of one row behind a finding, and what is told of that row, if anything."""

    first: Line
    second: Line
    told: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, the words of the link to what is behind it, and the bars of its picture.

    `query` says in words of an address which rows the page of the run then lists; where it is empty
    the pair of `row` is opened, if there is one. `aside` is what must be known beside the sentence.
    `example` reads a row to be seen below it.
    """

    sentence: str
    link: str
    row: int | None = None
    bars: tuple[Bar, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    aside: str = ""
    example: Callable[[], Example] | None = None
