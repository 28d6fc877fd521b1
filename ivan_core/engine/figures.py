"""Figures and sentences of a run by its id, or of the reviews of a dataset: for papers.

What runs of a kind give is a record `ChartsAndSentences`, which its kind names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack, cast

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs, picked_rows
from ivan_core.engine.kind import kind_of
from ivan_core.engine.opened import stamp_of
from ivan_core.experiments import EXPERIMENTS
from ivan_core.figures import files
from ivan_core.figures.chart import WHOLE, Chart, ChartsAndSentences, Drawn, texts_within
from ivan_core.figures.choices import WHERE, Wish
from ivan_core.figures.files import Kind, by_names, file_names, named
from ivan_core.figures.finding import Finding
from ivan_core.figures.pick import Picked, chart_named, pick
from ivan_core.figures.words import Quote
from ivan_core.settings import data_dir

REVIEWS = "reviews-"
"""What stands before the fingerprint of a dataset where figures of its reviews are asked for."""
UNNAMED = f"{REVIEWS}unnamed-"
"""The same where people have numbers in place of names, as in what is sent to others."""
WORDS = "words-"
"""What stands before the key of a ranking of words where its figures are asked for."""
_WITHOUT_RUN = {REVIEWS: "ivan_core.review.figures", WORDS: "ivan_core.words.figures"}


def charts_and_sentences(run_id: str) -> ChartsAndSentences:
    """What a run gives, by its kind; or the reviews of a dataset, or a ranking of words.

    Raises:
        BadInput: there is no such run, or runs of its kind give nothing.
    """
    if is_no_run(run_id):
        own = next(name for start, name in _WITHOUT_RUN.items() if run_id.startswith(start))
        given: ChartsAndSentences = import_module(own).FIGURES
        return given
    run = runs.get(run_id)
    given_by = kind_of(run).figures
    if given_by is None:
        having = (name for name in EXPERIMENTS if kind_of(name).figures is not None)
        raise BadInput(
            f"Run {run_id} has no figures and no sentences: it is a {run.kind}.",
            f"Choose a run of one of the kinds {', '.join(having)}.",
        )
    found: ChartsAndSentences = given_by()
    return found


def is_no_run(run_id: str) -> bool:
    """Whether this asks for what belongs to no run: reviews, or a ranking of words."""
    return run_id.startswith(tuple(_WITHOUT_RUN))


def _opened(run_id: str) -> tuple[ChartsAndSentences, Any]:
    own = charts_and_sentences(run_id)
    return own, own.open(run_id)


def figures(run_id: str) -> Sequence[Chart]:
    """The charts that this run can give, in the order of the page.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    own, results = _opened(run_id)
    return own.charts_of(results)


def offered(run_id: str, name: str = "") -> list[tuple[str, str, str]]:
    """What a chart can show: each option, a value of it, and words beside it.

    Without the name of a chart, what all charts of the run can show and nobody could know.

    Raises:
        BadInput: there is no such run or chart, or nothing is finished yet.
    """
    own, results = _opened(run_id)
    charts = [chart_named(own, results, name)] if name else own.charts_of(results)
    found = [
        (choice.option.name, value, words)
        for chart in charts
        for choice in chart.choices
        if name or choice.option.listed
        for value, words in choice.offers(results)
    ]
    return list(dict.fromkeys(found))


def figure(
    run_id: str, name: str, kind: Kind = "svg", width_mm: int = 85, **wish: Unpack[Wish]
) -> bytes:
    """One chart of a run as a file: a drawing for print, or its data.

    `wish` is what the chart shows where it leaves a choice. PNG has 300 dots an inch. CSV is UTF-8,
    verbatim.

    Raises:
        BadInput: there is no such run, chart, kind or width, or nothing as in the wish.
        BackendUnavailable: vl-convert is not installed (not for CSV).
    """
    files.check(kind, width_mm)
    picked = _picked(run_id, name, wish)
    return files.content(picked, picked.draw(), kind, width_mm)


def caption(run_id: str, name: str, **wish: Unpack[Wish]) -> str:
    """A caption ready to paste: what is seen, its numbers with n and interval, the rows.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    picked = _picked(run_id, name, wish)
    return files.caption(picked, picked.draw())


def drawn(run_id: str, name: str, **wish: Unpack[Wish]) -> tuple[Picked, Drawn]:
    """A chart with all choices made, with its numbers and words and how to draw it.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    picked = _picked(run_id, name, wish)
    return picked, picked.draw()


def findings(run_id: str) -> list[Finding]:
    """What says most of a run, the first the most of all, with names in place of paths.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    own, results = _opened(run_id)
    names = file_names(own.paths(results))
    return [
        replace(finding, sentence=named(finding.sentence, names))
        for finding in own.findings(results)
    ]


def told_as(run_id: str) -> tuple[str, str]:
    """What the reviews of a dataset, or a ranking of words, are called, and how they came to be.

    Raises:
        BadInput: there is no such thing.
    """
    own, results = _opened(run_id)
    names = file_names(own.paths(results))
    return named(own.title(results), names), named(own.methods(results, {}), names)


def shown_names(run_id: str) -> dict[str, str]:
    """Names of the files that a run tells of, by their paths: what is taken away has these alone.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    own, results = _opened(run_id)
    manifest = None if is_no_run(run_id) else runs.manifest(run_id)
    return file_names([*own.paths(results), *texts_within(manifest or {})])


def methods(run_id: str, name: str, **wish: Unpack[Wish]) -> str:
    """A methods paragraph ready to paste: rows, models and revisions, numbers, seed, version.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    picked = _picked(run_id, name, wish)
    return picked.methods(picked.draw())


def file_name(run_id: str, name: str, kind: Kind, width_mm: int = 85, **wish: Unpack[Wish]) -> str:
    """A name for the file of a figure, such as `2026-01-31-12-00-rewards-ivan-minilm-85mm.svg`.

    Raises:
        BadInput: there is no such run or chart, or nothing as in the wish.
    """
    return files.file_name(run_id, name, _picked(run_id, name, wish), kind, width_mm)


_OWN_ROWS = "Pairs were picked: what a sentence says of its own pairs and bounds goes before this."


def source_line(run_id: str, where: str | None = None) -> str:
    """What all sentences of a run rest on: rows, run, and the command that makes it anew.

    Sentences of picked rows may be of other bounds than the run: with conditions, this says so.

    Raises:
        BadInput: there is no such run, it has no sentences, or nothing is finished yet.
    """
    own, results = _opened(run_id)
    line: str = named(own.source(results), file_names(own.paths(results)))
    return line if where is None else f"{line} {_OWN_ROWS}"


def quotes(run_id: str, where: str | None = None) -> list[Quote]:
    """All sentences of a run, each once, by question in the order of its page.

    With conditions on rows each is of the rows that they pick and says so, or that it is of the
    whole run.

    Raises:
        BadInput: there is no such run, it has no sentences, or nothing is finished yet; or the
            conditions pick nothing.
    """
    own, results = _opened(run_id)
    found = own.quotes(results)
    if where is not None:
        found = _of_picked_rows(own, results, run_id, found, where)
    return _once(own, results, run_id, found)


def sentences_of(own: ChartsAndSentences, results: Any) -> tuple[str, list[Quote]]:
    """What the sentences of results rest on, and all of them; of a run that is at work too."""
    source: str = named(own.source(results), file_names(own.paths(results)))
    return source, _once(own, results, results.run.id, own.quotes(results))


def _once(
    own: ChartsAndSentences, results: Any, run_id: str, found: Sequence[Quote]
) -> list[Quote]:
    """Each sentence once, with its command, and names in place of paths."""
    names = file_names(own.paths(results))
    once: dict[str, Quote] = {}
    for quote in found:
        once.setdefault(quote.sentence, quote)
    return [
        replace(quote, sentence=named(sentence, names), command=quote.told_by(run_id))
        for sentence, quote in once.items()
    ]


def _of_picked_rows(
    own: ChartsAndSentences, results: Any, run_id: str, every: Sequence[Quote], where: str
) -> list[Quote]:
    """The sentences of the rows that conditions pick; those that rows do not have stay whole."""
    questions = list(dict.fromkeys(quote.question for quote in every))
    picked_rows.rows_of(own, run_id, where)  # refuses what is no condition, or of no run
    at = stamp(run_id)
    parts = {
        measure: picked_rows.picked_rows(own, results, run_id, measure, where, at)
        for measure in dict.fromkeys(quote.measure for quote in every if quote.measure)
    }
    # Measures whose rates a condition does not decide have the same results, made once.
    apart = {id(part.results): part.results for part in parts.values()}
    told = {key: own.quotes(one) for key, one in apart.items()}
    found = [
        replace(quote, sentence=f"{quote.sentence} {part.told}", where=part.query)
        for measure, part in parts.items()
        for quote in told[id(part.results)]
        if quote.measure == measure
    ]
    of_whole = f"This is of {WHOLE}, whatever is picked."
    found += [
        replace(quote, sentence=f"{quote.sentence} {of_whole}")
        for quote in every
        if not quote.measure
    ]
    return sorted(
        (quote for quote in found if quote.question in questions),
        key=lambda quote: questions.index(quote.question),
    )


def conditions_of(run_id: str, query: Mapping[str, Any]) -> str:
    """The conditions on rows in a page's address, as a figure takes them; empty for none.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    return picked_rows.of_address(charts_and_sentences(run_id), run_id, query)


def rows_picked(run_id: str, where: str) -> int:
    """How many rows, or texts, such conditions pick.

    Raises:
        BadInput: there is no such run, or it cannot judge the conditions.
    """
    return len(picked_rows.rows_of(charts_and_sentences(run_id), run_id, where))


def rows_listed(run_id: str, where: str) -> str:
    """The same in words, as in "4 texts". Raises BadInput as `rows_picked`."""
    return picked_rows.listed(charts_and_sentences(run_id), run_id, where)


def whole(run_id: str, name: str) -> str:
    """Why a chart cannot be had of some rows alone, in a sentence; empty where it can.

    Raises:
        BadInput: there is no such run or chart, or nothing is finished yet.
    """
    chart = chart_named(*_opened(run_id), name)
    shown = chart.instead.get(WHERE.name, WHOLE)
    return "" if chart.measure else f"This figure shows {shown}, whatever is listed."


def stamp(run_id: str, where: str | None = None) -> object:
    """What changes where a chart of a run does: what is finished, or what reviewers said.

    With conditions on rows, also which rows they pick.

    Raises:
        BadInput: there is no such run.
    """
    own = charts_and_sentences(run_id)
    run = None if is_no_run(run_id) else runs.get(run_id)
    if run is not None and not run.done:
        return None
    rows = None if where is None else picked_rows.rows_of(own, run_id, where).tobytes()
    return run and stamp_of(run), own.moves(own.open(run_id)), rows


def _picked(run_id: str, name: str, wish: Wish) -> Picked:
    """A chart that is drawn once, with names in place of paths."""
    own, results = _opened(run_id)
    picked = _pick(run_id, name, wish)
    key = (data_dir(), run_id, name, tuple(picked.wish.items()), picked.key)
    drawn_once = replace(picked, draw=lambda: _drawn(*key, stamp(run_id)))
    return by_names(drawn_once, file_names(own.paths(results)))


def _pick(run_id: str, name: str, wish: Wish) -> Picked:
    own, results = _opened(run_id)
    chart, where = chart_named(own, results, name), wish.get("where")
    if where is None or not chart.measure:
        return pick(own, results, name, wish)
    part = picked_rows.picked_rows(own, results, run_id, chart.measure, where, stamp(run_id))
    return pick(own, results, name, wish, part)


@lru_cache(maxsize=32)
def _drawn(
    _: Path, run_id: str, name: str, wish: tuple[tuple[str, Any], ...], rows: bytes, stamp: object
) -> Drawn:
    """The numbers and words of a chart; a page asks for its caption again at every click."""
    return _pick(run_id, name, cast("Wish", dict(wish))).draw()
