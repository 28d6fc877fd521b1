"""The report of a finished run, a study, reviews or a ranking of words: one page of at most 12 MB
that asks for nothing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from ivan_core.backends import vega
from ivan_core.engine.figures import is_no_run
from ivan_core.engine.studies import STUDY
from ivan_core.figures.html.frame import page
from ivan_core.report.charts import tones
from ivan_core.report.single import of_no_run, of_run
from ivan_core.report.study import of_study
from ivan_core.report.subject import Report, Subject


def subject(named: str) -> Subject:
    """What a report is asked of: a run, `study-ID`, `reviews-FINGERPRINT` or `words-KEY`.

    Raises:
        BadInput: there is no such thing, it is not finished, or tells nothing.
    """
    if named.startswith(STUDY):
        return of_study(named.removeprefix(STUDY))
    return of_no_run(named) if is_no_run(named) else of_run(named)


def report(named: str, *, texts: bool = False) -> str:
    """The page of what `subject` finds; with `texts` also a few of its pairs to read.

    Raises:
        BadInput: as `subject`, or runs of its kind tell nothing.
        BackendUnavailable: what draws charts in a page is not installed.
    """
    return as_page(subject(named).make(texts))


def as_page(made: Report) -> str:
    """A report as one file.

    Raises:
        BackendUnavailable: what draws charts in a page is not installed.
    """
    scripts = (vega.scripts(), own_file("draw.js"))
    return page(made.title, made.head, made.sections, style=style(), scripts=scripts)


def style() -> str:
    """What a report adds to the style of all pages: both kinds of light, and paper."""
    light, dark = tones(dark=False), tones(dark=True)
    of_night = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f":root{{{light}}}{of_night}{own_file('report.css')}"


@cache
def own_file(name: str) -> str:
    """A file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")
