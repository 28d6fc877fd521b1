"""What a chart leaves to choose: each choice has its option of `ivan figure` and checks itself.

Also the command line that makes a chart as it was chosen.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, Unpack, cast

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import Run


class Wish(TypedDict, total=False):
    """What a figure shows where its chart leaves a choice, by option; see `OPTIONS`.

    The chart chooses what is left out.
    """

    model: str | None
    other: str | Sequence[str] | None
    column: str | None
    label: str | None
    gate: str | None
    row: str | None
    side: str | None
    labeler: str | None
    control: str | None
    view: str | None
    where: str | None


@dataclass(frozen=True, slots=True)
class FigureOption:
    """An option of `ivan figure`: its name, what it chooses, and its help.

    `among` holds all values that there are, `several` says that it may be given more than once, and
    `listed` that its values stand below the charts of a run, since nobody could know them.
    """

    name: str
    words: str
    metavar: str
    help: str
    among: tuple[str, ...] = ()
    several: bool = False
    listed: bool = False


MODEL = FigureOption("model", "single model", "M", "The model; by default the run's first.")
OTHER = FigureOption(
    "other",
    "other run",
    "M",
    "The second model of charts that show two. Of labels: another run with labels of the same"
    " pairs; may be given twice.",
    several=True,
)
COLUMN = FigureOption(
    "column",
    "user column",
    "ID",
    "The user column of charts that show one: an id as listed. Of agreement-by: a column of the"
    " dataset.",
    listed=True,
)
LABEL = FigureOption(
    "label",
    "single label",
    "KEY[:VALUE]",
    "The label of charts that show one, such as topics:Education.",
)
GATE = FigureOption(
    "gate",
    "gate on meaning",
    "S[:SHORTEST:LONGEST]",
    "Of a rewording: from which similarity on the meaning counts as kept, and between which shares"
    " of the original's length.",
)
ROW = FigureOption("row", "single row", "N", "The row of charts that show one pair.")
SIDE = FigureOption(
    "side",
    "single side",
    "",
    "Of sentences: which reply of the pair. Default: chosen.",
    among=SIDES,
)
WHERE = FigureOption(
    "where",
    "pairs or texts picked by conditions",
    "QUERY",
    "Only what these conditions pick: what stands in the address of the page behind the"
    ' run, in quotes, as in "verdict=MODEL~disagree&subset=harmless".',
)
LABELER = FigureOption(
    "labeler", "single labeler", "RUN", "Of an analysis: whose labels, by their run.", listed=True
)
CONTROL = FigureOption(
    "control",
    "control",
    "",
    "Of an analysis: what stands beside the labels. Default: that of the analysis.",
    among=("length", "none", "chosen"),
)
VIEW = FigureOption(
    "view",
    "view",
    "",
    "Of an analysis: each feature with all others equal, or alone. Default: together.",
    among=("together", "alone"),
)
OPTIONS = (MODEL, OTHER, COLUMN, LABEL, GATE, ROW, SIDE, LABELER, CONTROL, VIEW, WHERE)


def _never(name: str, results: Any) -> BadInput | None:
    return None


def _none(results: Any) -> list[tuple[str, str]]:
    return []


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a chart, made from results and a wish.

    `pick` finds what to show by the name of the chart, the results and the wish, and raises
    BadInput where the wish cannot be met. `as_wish` writes it as a wish again: what is None, or
    empty, is the usual. `lacks` tells why results have nothing to choose from, `offers` lists what
    there is, each with words beside it. `before` stands before it in the names of files.
    """

    option: FigureOption
    pick: Callable[[str, Any, Wish], Any]
    as_wish: Callable[[Any], str | tuple[str, ...] | None] = str
    lacks: Callable[[str, Any], BadInput | None] = _never
    offers: Callable[[Any], list[tuple[str, str]]] = _none
    before: str = ""


class _WithModels(Protocol):
    """Results of a run with reward models."""

    @property
    def run(self) -> Run: ...
    @property
    def models(self) -> Sequence[str]: ...


def asked_for(wish: Wish, option: FigureOption) -> tuple[str, ...]:
    """What was wished for by an option: nothing, one value or several."""
    value = cast("Mapping[str, str | Sequence[str] | None]", wish).get(option.name)
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _known(results: _WithModels, *asked: str) -> None:
    for model in asked:
        if model not in results.models:
            raise BadInput(
                f"Run {results.run.id} has no model {model!r}.",
                f"It has {', '.join(results.models)}.",
            )


def _model(chart: str, results: _WithModels, wish: Wish) -> str:
    """The model that was asked for, or the first that does not stand beside it."""
    beside = asked_for(wish, OTHER)
    asked = wish.get("model") or next(name for name in results.models if name not in beside[:1])
    _known(results, asked)
    return asked


def _other(chart: str, results: _WithModels, wish: Wish) -> str:
    """The model that stands beside: the one asked for, or the first that is left."""
    beside = asked_for(wish, OTHER)
    if len(beside) > 1:
        raise BadInput(f"The chart {chart} shows two models.", "Leave out what chooses more.")
    first = _model(chart, results, wish)
    second = beside[0] if beside else next(name for name in results.models if name != first)
    _known(results, second)
    if second == first:
        raise BadInput(f"{first} was named twice.", "Name two models.")
    return second


def _needs_two(chart: str, results: _WithModels) -> BadInput | None:
    if len(results.models) > 1:
        return None
    return BadInput(
        f"The chart {chart} sets two models beside each other; run {results.run.id} has one.",
        "Run a comparison with both models.",
    )


def _models(results: _WithModels) -> list[tuple[str, str]]:
    return [(model, "") for model in results.models]


ONE_MODEL = Choice(MODEL, _model, offers=_models)
OTHER_MODEL = Choice(OTHER, _other, lacks=_needs_two, offers=_models)


def figure_command(
    run_id: str, name: str, kind: str = "svg", width_mm: int = 85, **wish: Unpack[Wish]
) -> str:
    """The `ivan figure` that makes one chart of a run."""
    words = ["ivan", "figure", run_id, name, "--format", kind]
    if kind != "csv":
        words += ["--width", str(width_mm)]
    for option in OPTIONS:
        for value in asked_for(wish, option):
            words += [f"--{option.name}", value]
    return shlex.join(words)
