"""Figures of a comparison: which models or column a chart shows, and what is said of its run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ivan_core import __version__
from ivan_core.domain.column_specs import ColumnSpec
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import RunState
from ivan_core.metrics.sentences import counts_sentence
from ivan_core.settings import data_dir
from ivan_core.workspace import columns
from ivan_core.workspace.commands import compare_command
from ivan_core.workspace.figure_list import CHARTS
from ivan_core.workspace.figure_words import Chart, Drawn, first_upper, model_words
from ivan_core.workspace.results import Results, open_results
from ivan_core.workspace.take_away import Picked, Wish, is_sample, only, others_of, rows_words


def charts(run_id: str) -> list[Chart]:
    """The charts that a comparison can give, in the order of the page.

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
    """The user columns of a comparison's dataset: the charts of columns can be had for each.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    return columns.known(open_results(run_id).dataset.fingerprint)


def pick(run_id: str, name: str, wish: Wish) -> Picked:
    """One chart of a comparison.

    Raises:
        BadInput: there is no such run, chart, model or column.
    """
    results, chart, shown = _found(run_id, name, wish)
    return Picked(
        lambda: _drawn(results, chart, shown),
        () if chart.names_them else _labels(results, chart, shown),
        tuple(ModelCard(id=chosen).slug for chosen in shown),
        _rows(results),
        is_sample(results.dataset),
        lambda drawn: _methods(results, chart, shown, drawn),
    )


def _methods(results: Results, chart: Chart, shown: tuple[str, ...], drawn: Drawn) -> str:
    models = shown if chart.models else results.models
    counted = " ".join(counts_sentence(s) for s in results.summaries if s.model in models)
    about = "; ".join(model_words(results.cards[name]) for name in models)
    version = (results.manifest or {}).get("versions", {}).get("ivan", __version__)
    return (
        f"{first_upper(_rows(results))} were judged by {about}. {counted} {drawn.methods} Seed"
        f" {results.spec.seed}. Computed with IVAN {version}, run {results.run.id}:"
        f" `{compare_command(results.spec)}`."
    )


def _found(run_id: str, name: str, wish: Wish) -> tuple[Results, Chart, tuple[str, ...]]:
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
    only(name, wish, "model", "other", *(["column"] if chart.of_column else []))
    model, beside = wish.get("model"), others_of(wish)
    asked = [chosen for chosen in (model, *beside) if chosen is not None]
    if len(asked) > chart.models or len(beside) > 1:
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
        return results, chart, (_column(results, wish.get("column")),)
    return results, chart, _chosen(results.models, chart.models, model, next(iter(beside), None))


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
    run, stopped = results.run, ""
    if run.state is not RunState.DONE:
        stopped = f"the run stopped at {run.done:,} of {run.total:,} judgements"
    return rows_words(results.spec, results.dataset, len(results.row_ids), stopped)
