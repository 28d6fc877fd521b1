"""The report of a finished run: one page of at most 12 MB that asks for nothing.

By question its sentences and the charts that hold their numbers; then how the run came to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from ivan_core.backends import vega
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import figures, handling as runs
from ivan_core.engine.kind import kind_of
from ivan_core.figures.chart import Chart
from ivan_core.figures.html.frame import bullets, fold, page, paragraph
from ivan_core.figures.words import Quote
from ivan_core.report.charts import charts_of_all, drawn, tones
from ivan_core.report.facts import how
from ivan_core.report.texts import pairs_to_read

MOST_BYTES = 12_000_000
_REST = 4_000_000
"""Bytes for all but charts: scripts, sentences, texts of pairs and the manifest."""
_MOST_SENTENCES = 8
"""Of a question, before the others are folded away."""


def report(run_id: str, *, texts: bool = False) -> str:
    """The page of a finished run; with `texts` also a few of its pairs to read.

    Raises:
        BadInput: there is no such run, it is not finished, or runs of its kind tell nothing.
        BackendUnavailable: what draws charts in a page is not installed.
    """
    run = finished_run(run_id)
    scripts = (vega.scripts(), own_file("draw.js"))
    names, manifest = figures.shown_names(run_id), runs.manifest(run_id) or {}
    findings = figures.findings(run_id)
    sections = dict(_sections(run_id))
    if texts:
        sections["Pairs to read"] = pairs_to_read(run, findings)
    sections["How it was made"] = how(run, manifest, names)
    head = [
        *(paragraph(finding.sentence, "lead") for finding in findings),
        paragraph(figures.source_line(run_id), "small"),
    ]
    return page(title_of(run), head, sections, style=style(), scripts=scripts)


def finished_run(run_id: str) -> Run:
    """A run of which there is a report.

    Raises:
        BadInput: there is no such run, or it is not finished.
    """
    run = runs.get(run_id)
    if run.state is not RunState.DONE:
        raise BadInput(
            f"Run {run.label} is {run.state}, so there is no report of it yet.",
            "Wait until it is done.",
        )
    return run


def title_of(run: Run) -> str:
    """As in "Comparison First look"."""
    noun = kind_of(run).noun
    return f"{noun[:1].upper()}{noun[1:]} {run.label}"


def _sections(run_id: str) -> Iterator[tuple[str, list[str]]]:
    """Each question with its sentences and the charts of their numbers; then other charts."""
    told: dict[str, list[Quote]] = {}
    for quote in figures.quotes(run_id):
        told.setdefault(quote.question, []).append(quote)
    left = {chart.name: chart for chart in charts_of_all(run_id)}
    room = _Room(run_id)
    for question, quotes in told.items():
        behind = {quote.chart for quote in quotes}
        own = [name for name, chart in left.items() if name in behind or chart.title == question]
        charts = room.drawn(left.pop(name) for name in own)
        yield question, [*_sentences([quote.sentence for quote in quotes]), *charts]
    if others := list(room.drawn(left.values())):
        yield "More charts", others


class _Room:
    """What is left of the size of a page for charts of a run and their tables."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._bytes = MOST_BYTES - _REST

    def drawn(self, charts: Iterable[Chart]) -> Iterator[str]:
        """Charts as HTML; in place of those that have no room what would give them."""
        for chart in charts:
            for part in drawn(self._run_id, chart):
                self._bytes -= len(part.encode())
                if self._bytes < 0:
                    told = f"“{chart.title}” would make this page too large"
                    command = f"ivan figure {self._run_id} {chart.name}"
                    yield paragraph(f"{told}: `{command}` draws it.", "small")
                    break
                yield part


def _sentences(told: list[str]) -> Iterator[str]:
    yield paragraph(told[0], "lead")
    if told[1:_MOST_SENTENCES]:
        yield bullets(told[1:_MOST_SENTENCES])
    if rest := told[_MOST_SENTENCES:]:
        yield fold(f"{len(rest)} more", bullets(rest), printed=True)


def style() -> str:
    """What a report adds to the style of all pages: both kinds of light, and paper."""
    light, dark = tones(dark=False), tones(dark=True)
    of_night = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{{light}}}{of_night}{own_file('report.css')}"


@cache
def own_file(name: str) -> str:
    """A file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")
