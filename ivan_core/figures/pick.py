"""One chart of a run with all choices made, and the words that stand around every chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

from ivan_core import __version__
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.figures.chart import WHOLE, Chart, ChartsAndSentences, Chosen, Drawn, PickedRows
from ivan_core.figures.choices import OPTIONS, WHERE, Wish, asked_for


@dataclass(frozen=True, slots=True)
class Picked:
    """One chart of one run with all choices made; `wish` names them whole.

    `names` stand below the title and `slugs` in the names of files; `rows` says which pairs of what
    dataset; `methods` makes the whole paragraph from what the chart says of itself; `trained` says
    on how many of the pairs the reward models were trained, `shown` the names of files in place of
    their paths. `picked` says which rows alone are drawn, and `mark` that they are no sample.
    """

    draw: Callable[[], Drawn]
    wish: Wish
    names: tuple[str, ...]
    slugs: tuple[str, ...]
    rows: str
    is_sample: bool
    methods: Callable[[Drawn], str]
    trained: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    picked: str = ""
    mark: str = ""
    key: bytes = b""


def chart_named(given: ChartsAndSentences, results: Any, name: str) -> Chart:
    """A chart by its name.

    Raises:
        BadInput: there is no such chart, or these results do not have it.
    """
    chart = next((chart for chart in given.charts if chart.name == name), None)
    if chart is None:
        raise BadInput(
            f"There is no chart {name!r}{given.of}.",
            f"Choose one of {', '.join(chart.name for chart in given.charts)}.",
        )
    lacking = chart.lacking(results)
    if lacking is not None:
        raise lacking
    return chart


def pick(
    given: ChartsAndSentences, results: Any, name: str, wish: Wish, part: PickedRows | None = None
) -> Picked:
    """One chart of results as a wish has it; of `part` of their rows alone, if it is given.

    Raises:
        BadInput: there is no such chart, or nothing as in the wish.
    """
    chart = chart_named(given, results, name)
    _refuse_the_rest(chart, wish)
    drawn_of = part.results if part else results
    chosen = {choice.option.name: choice.pick(name, drawn_of, wish) for choice in chart.choices}
    made = {
        choice.option.name: words
        for choice in chart.choices
        if (words := choice.as_wish(chosen[choice.option.name])) is not None
    }
    slugs = _slugs(chart, made)
    if part:
        made[WHERE.name] = part.query
        slugs += (f"picked-{sha256(part.query.encode()).hexdigest()[:8]}",)
    return Picked(
        lambda: chart.draw(drawn_of, *chosen.values()),
        cast("Wish", made),
        () if chart.names_them else given.names(results, chosen),
        slugs,
        given.rows(results),
        _of_sample(results),
        lambda drawn: _methods(given, results, chosen, drawn, part.told if part else ""),
        given.trained(drawn_of, chosen),
        picked=part.told if part else "",
        mark=part.mark if part else "",
        key=part.key if part else b"",
    )


def is_sample(dataset: PreparedDataset) -> bool:
    """Whether these are the pairs that were written for IVAN."""
    return bool(dataset.about["request"]["source"] == SAMPLE)


def _of_sample(results: Any) -> bool:
    """Whether results are of the sample; a ranking of words has no dataset."""
    dataset = getattr(results, "dataset", None)
    return dataset is not None and is_sample(dataset)


def _refuse_the_rest(chart: Chart, wish: Wish) -> None:
    """Refuse a wish for what the chart leaves to nobody."""
    choosable = {choice.option.name for choice in chart.choices}
    if chart.measure:
        choosable.add(WHERE.name)
    for option in OPTIONS:
        if option.name not in choosable and asked_for(wish, option):
            usual = WHOLE if option is WHERE else f"no {option.words}"
            words = chart.instead.get(option.name, usual)
            raise BadInput(f"The chart {chart.name} shows {words}.", f"Leave out --{option.name}.")


def _slugs(chart: Chart, wish: Mapping[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    """What was chosen as parts of the name of a file; not again what the chart's name says."""
    found: list[str] = []
    for choice in chart.choices:
        words = wish.get(choice.option.name, ())
        parts = (words,) if isinstance(words, str) else words
        found += [choice.before + ModelCard(id=part).slug for part in parts if part]
    return tuple(slug for slug in found if slug != chart.name)


def _methods(
    given: ChartsAndSentences, results: Any, chosen: Chosen, drawn: Drawn, picked: str
) -> str:
    told = " ".join(filter(None, [given.methods(results, chosen), picked, drawn.methods]))
    command = given.command(results)
    if not command:
        return f"{told} Computed with IVAN {__version__}."
    version = (results.manifest or {}).get("versions", {}).get("ivan", __version__)
    return (
        f"{told} Seed {results.spec.seed}. Computed with IVAN {version}, run {results.run.id}:"
        f" `{command}`."
    )
