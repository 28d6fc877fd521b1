"""The report of a finished run: one page of at most 12 MB that asks for nothing.

By question its sentences and the charts that hold their numbers; then how the run came to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from ivan_core.backends import vega
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import figures, handling as runs
from ivan_core.engine.kind import kind_of
from ivan_core.figures.html.frame import bullets, fold, page, paragraph
from ivan_core.figures.words import Quote
from ivan_core.report.charts import charts_of_all, drawn, tones
from ivan_core.report.facts import how

MOST_BYTES = 12_000_000
_MOST_SENTENCES = 8
"""Of a question, before the others are folded away."""


def report(run_id: str) -> str:
    """The page of a finished run.

    Raises:
        BadInput: there is no such run, it is not finished, or runs of its kind tell nothing.
        BackendUnavailable: what draws charts in a page is not installed.
    """
    run = runs.get(run_id)
    if run.state is not RunState.DONE:
        raise BadInput(
            f"Run {run.label} is {run.state}, so there is no report of it yet.",
            f"Wait for it: `ivan runs follow {run.id}`.",
        )
    names, manifest = figures.shown_names(run_id), runs.manifest(run_id) or {}
    sections = dict(_sections(run_id))
    sections["How it was made"] = how(run, manifest, names)
    noun = kind_of(run).noun
    head = [paragraph(figures.source_line(run_id), "small"), bullets(figures.findings(run_id))]
    title = f"{noun[:1].upper()}{noun[1:]} {run.label}"
    return page(title, head, sections, style=_style(), scripts=(vega.scripts(), _own("draw.js")))


def _sections(run_id: str) -> Iterator[tuple[str, list[str]]]:
    """Each question with its sentences and the charts of their numbers; then other charts."""
    told: dict[str, list[Quote]] = {}
    for quote in figures.quotes(run_id):
        told.setdefault(quote.question, []).append(quote)
    left = {chart.name: chart for chart in charts_of_all(run_id)}
    for question, quotes in told.items():
        behind = {quote.chart for quote in quotes}
        own = [name for name, chart in left.items() if name in behind or chart.title == question]
        charts = [part for name in own for part in drawn(run_id, left.pop(name))]
        yield question, [*_sentences([quote.sentence for quote in quotes]), *charts]
    if others := [part for chart in left.values() for part in drawn(run_id, chart)]:
        yield "More charts", others


def _sentences(told: list[str]) -> Iterator[str]:
    yield paragraph(told[0], "lead")
    if told[1:_MOST_SENTENCES]:
        yield bullets(told[1:_MOST_SENTENCES])
    if rest := told[_MOST_SENTENCES:]:
        yield fold(f"{len(rest)} more", bullets(rest))


def _style() -> str:
    light, dark = tones(dark=False), tones(dark=True)
    of_night = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{{light}}}{of_night}{_own('report.css')}"


@cache
def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
