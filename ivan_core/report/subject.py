"""What a report is of, and a report before it is a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ivan_core.figures.html.frame import Chapter


@dataclass(frozen=True, slots=True)
class Report:
    """What stands in a page: its title, what stands above, and its sections, the parts as HTML."""

    title: str
    head: Sequence[str]
    sections: Mapping[str, Sequence[str] | Chapter]


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing of which there is a report: `id` as it is asked for, and what it is called.

    `make` makes the report, with texts of pairs where it is told so.
    """

    id: str
    title: str
    make: Callable[[bool], Report]
