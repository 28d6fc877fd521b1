"""What a report tells of one run, of reviews or of a ranking: by question its sentences and the
charts that hold their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ivan_core.engine import figures
from ivan_core.figures.chart import Chart
from ivan_core.figures.html.frame import bullets, fold, paragraph
from ivan_core.figures.words import Quote
from ivan_core.report.charts import charts_of_all, drawn

MOST_BYTES = 12_000_000
_REST = 4_000_000
"""Bytes for all but charts: scripts, sentences, texts of pairs and the manifest."""
_MOST_SENTENCES = 8
"""Of a question, before the others are folded away."""


class Room:
    """What is left of the size of a page for charts and their tables.

    `parts` share it: each has what those before it left, divided by those that are to come. `left`
    are the bytes that are left of a part's own.
    """

    def __init__(self, parts: int = 1) -> None:
        self._all, self._parts = MOST_BYTES - _REST, parts
        self.left = 0

    def next_part(self) -> None:
        """Begin with another part."""
        self._all += self.left
        self.left = self._all // max(1, self._parts)
        self._all -= self.left
        self._parts -= 1

    def drawn(self, of: str, charts: Iterable[Chart], key: str, level: int) -> Iterator[str]:
        """Charts as HTML; in place of those that have no room what would give them."""
        for chart in charts:
            for part in drawn(of, chart, key, level):
                size = len(part.encode())
                if size > self.left:
                    told = f"“{chart.title}” would make this page too large"
                    yield paragraph(f"{told}: `ivan figure {of} {chart.name}` draws it.", "small")
                    break
                self.left -= size
                yield part


def questions(of: str, room: Room, key: str = "", level: int = 2) -> dict[str, list[str]]:
    """Each question with its sentences and the charts of their numbers; then other charts.

    `key` tells the charts from those of other parts of a page, and `level` is that of the headings
    of questions.
    """
    room.next_part()
    told: dict[str, list[Quote]] = {}
    for quote in figures.quotes(of):
        told.setdefault(quote.question, []).append(quote)
    left = {chart.name: chart for chart in charts_of_all(of)}
    found: dict[str, list[str]] = {}
    for question, quotes in told.items():
        behind = {quote.chart for quote in quotes}
        own = [name for name, chart in left.items() if name in behind or chart.title == question]
        charts = room.drawn(of, (left.pop(name) for name in own), key, level + 1)
        found[question] = [*_sentences([quote.sentence for quote in quotes]), *charts]
    if others := list(room.drawn(of, left.values(), key, level + 1)):
        found["More charts"] = others
    return found


def _sentences(told: Sequence[str]) -> Iterator[str]:
    yield paragraph(told[0], "lead")
    if told[1:_MOST_SENTENCES]:
        yield bullets(told[1:_MOST_SENTENCES])
    if rest := told[_MOST_SENTENCES:]:
        yield fold(f"{len(rest)} more", bullets(rest), printed=True)
