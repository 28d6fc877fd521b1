"""Figures of a run: every chart as SVG, PDF, PNG or CSV, with a caption and a methods sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ivan_core import __version__
from ivan_core.backends import vega
from ivan_core.charts.printed import printed
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.column_specs import ColumnSpec
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import RunState
from ivan_core.metrics.sentences import counts_sentence
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir
from ivan_core.workspace import columns
from ivan_core.workspace.commands import compare_command
from ivan_core.workspace.figure_list import CHARTS
from ivan_core.workspace.figure_words import Chart, Drawn
from ivan_core.workspace.results import Results, open_results

Kind = Literal["svg", "pdf", "png", "csv"]
KINDS: tuple[Kind, ...] = ("svg", "pdf", "png", "csv")
MIME = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "csv": "text/csv"}
WIDTHS = (85, 170)
"""One and two columns of a journal, in millimetres."""
SAMPLE_MARK = "Sample data: written for IVAN, not evidence about people."


def figures(run_id: str) -> list[Chart]:
    """The charts that this run can give, in the order of the page.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    results = open_results(run_id)
    known = columns.known(results.dataset.fingerprint)
    return [
        chart
        for chart in CHARTS
        if chart.models <= len(results.models) and (known or not chart.of_column)
    ]


def figure_columns(run_id: str) -> list[ColumnSpec]:
    """The user columns of a run's dataset: the charts of columns can be had for each.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    return columns.known(open_results(run_id).dataset.fingerprint)


def figure(
    run_id: str,
    name: str,
    kind: Kind = "svg",
    width_mm: int = 85,
    *,
    model: str | None = None,
    other: str | None = None,
    column: str | None = None,
) -> bytes:
    """One chart of a run as a file: a drawing for print, or its data.

    `model` (and `other`, for charts that set two models beside each other) choose the models; by
    default the first ones of the run. `column` is the id of a user column, for charts of one; where
    the dataset has one only, it may be left out. PNG has 300 dots an inch. CSV is UTF-8, verbatim.

    Raises:
        BadInput: there is no such run, chart, kind, width, model or column.
        BackendUnavailable: vl-convert is not installed (not for CSV).
    """
    if kind not in KINDS:
        raise BadInput(f"A figure cannot be {kind!r}.", f"Choose one of {', '.join(KINDS)}.")
    if width_mm not in WIDTHS:
        raise BadInput(f"A figure is 85 or 170 mm wide, not {width_mm}.", "Choose one of the two.")
    results, chart, shown = _found(run_id, name, model, other, column)
    drawn = _drawn(results, chart, shown)
    if kind == "csv":
        return str(drawn.data.to_csv(index=False)).encode("utf-8", "replace")
    named = () if chart.names_them else _labels(results, chart, shown)
    notes = (SAMPLE_MARK,) if _is_sample(results) else ()
    spec = printed(drawn.chart(), width_mm, named, notes)
    return {"svg": vega.svg, "pdf": vega.pdf, "png": vega.png}[kind](spec, width_mm)


def caption(
    run_id: str,
    name: str,
    *,
    model: str | None = None,
    other: str | None = None,
    column: str | None = None,
) -> str:
    """A caption ready to paste: what is seen, its numbers with n and interval, the rows.

    Raises:
        BadInput: there is no such run, chart or model.
    """
    results, chart, shown = _found(run_id, name, model, other, column)
    parts = [_drawn(results, chart, shown).caption, f"Data: {_rows(results)}."]
    if _is_sample(results):
        parts.append(SAMPLE_MARK)
    return " ".join(parts)


def methods(
    run_id: str,
    name: str,
    *,
    model: str | None = None,
    other: str | None = None,
    column: str | None = None,
) -> str:
    """A methods paragraph ready to paste: rows, models and revisions, numbers, seed, version.

    Raises:
        BadInput: there is no such run, chart or model.
    """
    results, chart, shown = _found(run_id, name, model, other, column)
    drawn = _drawn(results, chart, shown)
    models = shown if chart.models else results.models
    counted = " ".join(counts_sentence(s) for s in results.summaries if s.model in models)
    about = "; ".join(_model(results.cards[name]) for name in models)
    version = (results.manifest or {}).get("versions", {}).get("ivan", __version__)
    return (
        f"{_first_upper(_rows(results))} were judged by {about}. {counted} {drawn.methods} Seed"
        f" {results.spec.seed}. Computed with IVAN {version}, run {results.run.id}:"
        f" `{compare_command(results.spec)}`."
    )


def file_name(
    run_id: str, name: str, kind: Kind, width_mm: int = 85, *, model: str | None = None,
    other: str | None = None, column: str | None = None,
) -> str:  # fmt: skip
    """A name for the file of a figure, such as `2026-01-31-12-00-rewards-ivan-minilm-85mm.svg`.

    Raises:
        BadInput: there is no such run, chart or model.
    """
    _, _, shown = _found(run_id, name, model, other, column)
    slugs = [ModelCard(id=chosen).slug for chosen in shown]
    size = [] if kind == "csv" else [f"{width_mm}mm"]
    return "-".join([run_id, name, *slugs, *size])[:200] + f".{kind}"


def save(path: Path, content: bytes) -> None:
    """Write a figure, over an older one of that name.

    Raises:
        BadInput: there is no such folder.
        StorageProblem: it cannot be written, or the disk is full.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another file.")
    with storage_errors(folder), replacing(path) as temporary:
        temporary.write_bytes(content)


def _found(
    run_id: str, name: str, model: str | None, other: str | None, column: str | None
) -> tuple[Results, Chart, tuple[str, ...]]:
    """The results, the chart and the models or the column it shows (none: a chart of all)."""
    results = open_results(run_id)
    chart = next((chart for chart in CHARTS if chart.name == name), None)
    if chart is None:
        raise BadInput(
            f"There is no chart {name!r}.",
            f"Choose one of {', '.join(chart.name for chart in CHARTS)}.",
        )
    if chart.models > len(results.models):
        raise BadInput(
            f"The chart {name} sets two models beside each other; run {run_id} has one.",
            "Run a comparison with both models.",
        )
    asked = [chosen for chosen in (model, other) if chosen is not None]
    if len(asked) > chart.models:
        raise BadInput(
            f"The chart {name} shows {'one model' if chart.models else 'all models'}.",
            "Leave out what chooses more.",
        )
    for chosen in asked:
        if chosen not in results.models:
            raise BadInput(
                f"Run {run_id} has no model {chosen!r}.",
                f"It has {', '.join(results.models)}.",
            )
    if chart.of_column:
        return results, chart, (_column(results, column),)
    if column is not None:
        raise BadInput(f"The chart {name} shows no user column.", "Leave out the column.")
    return results, chart, _chosen(results.models, chart.models, model, other)


def _column(results: Results, asked: str | None) -> str:
    """The id of the column to draw: the one asked for, or the only one there is."""
    known = {spec.id: spec for spec in columns.known(results.dataset.fingerprint)}
    if not known:
        raise BadInput(
            "There is no user column of this dataset.", "Make one below the charts of Compare."
        )
    if asked is None and len(known) == 1:
        return next(iter(known))
    if asked not in known:
        said = "Which column?" if asked is None else f"There is no column {asked!r} here."
        told = ", ".join(f"{spec.id} ({spec.label})" for spec in known.values())
        raise BadInput(said, f"Choose one of {told}.")
    return asked


def _labels(results: Results, chart: Chart, shown: tuple[str, ...]) -> tuple[str, ...]:
    """What the picture names below its title."""
    if not chart.of_column:
        return shown
    return tuple(columns.column(results.dataset.fingerprint, own).label for own in shown)


def _drawn(results: Results, chart: Chart, shown: tuple[str, ...]) -> Drawn:
    run = results.run
    return _numbers(data_dir(), run.id, run.finished, run.done, chart.name, shown)


@lru_cache(maxsize=32)
def _numbers(
    _: Path, run_id: str, __: float | None, ___: int, name: str, shown: tuple[str, ...]
) -> Drawn:
    """The numbers and words of a chart; a page asks for its caption again at every click."""
    chart = next(chart for chart in CHARTS if chart.name == name)
    return chart.draw(open_results(run_id), shown)


def _chosen(
    models: Sequence[str], wanted: int, model: str | None, other: str | None
) -> tuple[str, ...]:
    if wanted == 0:
        return ()
    first = model or next(name for name in models if name != other)
    if wanted == 1:
        return (first,)
    second = other or next(name for name in models if name != first)
    if second == first:
        raise BadInput(f"{first} was named twice.", "Name two models.")
    return first, second


def _rows(results: Results) -> str:
    """Which pairs, of what, in what revision."""
    spec, about, run = results.spec, results.dataset.about, results.run
    n, rows = len(results.row_ids), int(about["rows"])
    if run.state is not RunState.DONE:
        drawn = f"{n:,} pairs (the run stopped at {run.done:,} of {run.total:,} judgements)"
    elif n == rows:
        drawn = f"all {n:,} pairs"
    elif spec.sample is not None:
        drawn = f"{n:,} of {rows:,} pairs, a random draw with seed {spec.seed},"
    elif spec.limit is not None:
        drawn = f"the first {n:,} of {rows:,} pairs (not a random sample)"
    else:
        drawn = f"{n:,} of {rows:,} pairs, picked by id (not a random sample),"
    revision = f"revision {about['revision']}" if about["revision"] else "no revision"
    return f"{drawn} of {about['label']} ({revision}, fingerprint {results.dataset.fingerprint})"


def _model(card: ModelCard) -> str:
    facts = [f"revision {card.revision or 'unknown'}"]
    if card.input_format:
        facts.append(f"input format {card.input_format}")
    if card.max_tokens:
        facts.append(f"at most {card.max_tokens:,} tokens")
    if card.revision:
        facts.append(card.dtype)
    return f"{card.id} ({', '.join(facts)})"


def _is_sample(results: Results) -> bool:
    return bool(results.dataset.about["request"]["source"] == SAMPLE)


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
