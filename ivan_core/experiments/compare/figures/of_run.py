"""Figures of a comparison: which models or column a chart shows, and what is said of its run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ivan_core import __version__
from ivan_core.domain.column_specs import ColumnSpec
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.options import command_of
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import RunState
from ivan_core.engine.opinions import second_choices, used_opinions
from ivan_core.experiments.columns import kind as columns
from ivan_core.experiments.compare.figures.listed import CHARTS
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.figures.chart import Chart, Drawn, first_upper, model_words
from ivan_core.figures.picks import Picked, Wish, is_sample, only, others_of, rows_words
from ivan_core.metrics.sentences import counts_sentence
from ivan_core.metrics.training import trained_on_pair
from ivan_core.settings import data_dir


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
        if chart.models <= len(results.models)
        and (known or not chart.of_column)
        and (results.own_columns or chart.by != "column")
    ]


def own_columns(run_id: str) -> tuple[str, ...]:
    """The columns that a comparison's dataset brings along, by which agreement can be drawn.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    return open_results(run_id).own_columns


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
        tuple(_slug(part) for part in shown),
        _rows(results),
        is_sample(results.dataset),
        lambda drawn: _methods(results, chart, shown, drawn),
        _trained(results, chart, shown),
    )


def _trained(results: Results, chart: Chart, shown: tuple[str, ...]) -> str:
    """On how many of the pairs each model that is shown was trained; of one pair, whether on it."""
    models = shown[: chart.models] or results.models
    if chart.by == "row":
        (place,) = results.aligned.at([int(shown[chart.models])])
        scores = results.aligned.models
        return " ".join(trained_on_pair(one, int(scores[one].seen[place])) for one in models)
    return " ".join(results.training[model].sentence for model in models)


def _methods(results: Results, chart: Chart, shown: tuple[str, ...], drawn: Drawn) -> str:
    models = shown[: chart.models] or results.models
    counted = " ".join(counts_sentence(s) for s in results.summaries if s.model in models)
    about = "; ".join(model_words(results.cards[name]) for name in models)
    version = (results.manifest or {}).get("versions", {}).get("ivan", __version__)
    return (
        f"{first_upper(_rows(results))} were judged by {about}. {counted}"
        f" {_trained(results, chart, shown)} {drawn.methods} Seed"
        f" {results.spec.seed}. Computed with IVAN {version}, run {results.run.id}:"
        f" `{command_of(results.spec)}`."
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
    if chart.by:
        return results, chart, _row_or_column(results, chart, wish)
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


def _row_or_column(results: Results, chart: Chart, wish: Wish) -> tuple[str, ...]:
    """The row, with model and side if it shows one model, or the dataset's column to draw."""
    if chart.by == "column":
        only(chart.name, wish, "column")
        return (_own_column(results, wish.get("column")),)
    only(chart.name, wish, "row", *(["model", "side"] if chart.models else []))
    row = _row(results, wish.get("row"))
    if not chart.models:
        return (row,)
    side = wish.get("side") or SIDES[0]
    if side not in SIDES:
        raise BadInput(f"A pair has no side {side!r}.", f"Choose one of {', '.join(SIDES)}.")
    (model,) = _chosen(results.models, 1, wish.get("model"), None)
    if model not in results.models:
        raise BadInput(
            f"Run {results.run.id} has no model {model!r}.", f"It has {', '.join(results.models)}."
        )
    return model, row, side


def _row(results: Results, asked: str | None) -> str:
    """The row to draw: the one asked for, else that on which the models disagree most."""
    if asked is None:
        return str(next(iter(results.sharpest), results.row_ids[0]))
    if not (asked.isdecimal() and len(asked) < 12 and int(asked) in results.aligned.row_ids):
        raise BadInput(
            f"Run {results.run.id} has no row {asked}.",
            f"Its rows go from {results.row_ids[0]} to {results.row_ids[-1]}.",
        )
    return str(int(asked))


def _own_column(results: Results, asked: str | None) -> str:
    """The dataset's column to draw by: the one asked for, or the only one there is."""
    own = results.own_columns
    if not own:
        raise BadInput("The dataset brings no column of its own.")
    if asked is None and len(own) == 1:
        return own[0]
    if asked not in own:
        said = "By which column?" if asked is None else f"The dataset brings no column {asked!r}."
        raise BadInput(said, f"Choose one of {', '.join(own)}.")
    return asked


def _slug(part: str) -> str:
    return ModelCard(id=part).slug


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
    if chart.by == "row":
        *model, row = shown[: chart.models + 1]
        return (*model, f"row {row}", *(f"the {side} reply" for side in shown[chart.models + 1 :]))
    if chart.by == "column":
        return tuple(f"by {name}" for name in shown)
    if not chart.of_column:
        return shown
    return tuple(columns.column(results.dataset.fingerprint, own).label for own in shown)


def _drawn(results: Results, chart: Chart, shown: tuple[str, ...]) -> Drawn:
    run = results.run
    # What reviewers said meanwhile changes the ceiling in the chart.
    said = second_choices(used_opinions(results.dataset)) if chart.name == "agreement" else ()
    return _numbers(data_dir(), run.id, run.finished, run.done, said, chart.name, shown)


@lru_cache(maxsize=32)
def _numbers(
    _: Path,
    run_id: str,
    __: float | None,
    ___: int,
    ____: tuple[int, ...],
    name: str,
    shown: tuple[str, ...],
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
