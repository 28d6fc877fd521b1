"""What figures and sentences of all kinds of runs share: a wish, what it picks, and words of rows.

A kind of run hands over its charts and sentences as one `TakeAway`; `engine/take_away.py` lists
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.plurals import number_of
from ivan_core.domain.specs import RowsSpec
from ivan_core.figures.chart import Drawn

_OPTIONS = {
    "model": "single model", "other": "other run", "column": "user column", "label": "single label",
    "gate": "gate on meaning", "row": "single row", "side": "single side",
}  # fmt: skip


class Wish(TypedDict, total=False):
    """What a figure shows where its chart leaves a choice; the chart chooses what is left out.

    In a comparison, `model` and `other` are models, `column` is the id of a user column or the name
    of one that the dataset brings along, `row` is a row id, and `side` is chosen or rejected. Of
    labels, `other` is another run with labels of the same pairs, or several, and `label` is a label
    as KEY or KEY:VALUE. Of a rewording, `gate` is what counts as the same meaning, as
    SIMILARITY:SHORTEST:LONGEST.
    """

    model: str | None
    other: str | Sequence[str] | None
    column: str | None
    label: str | None
    gate: str | None
    row: str | None
    side: str | None


class Listed(Protocol):
    """A chart as it is listed: its name, what it shows, and the options of `ivan figure`."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def options(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Picked:
    """One chart of one run with all choices made.

    `names` stand below the title and `slugs` in the names of files; `rows` says which pairs of what
    dataset; `methods` makes the whole paragraph from what the chart says of itself; `trained` says
    on how many of the pairs the reward models were trained, `shown` the names of files in place of
    their paths.
    """

    draw: Callable[[], Drawn]
    names: tuple[str, ...]
    slugs: tuple[str, ...]
    rows: str
    is_sample: bool
    methods: Callable[[Drawn], str]
    trained: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quote:
    """One sentence that stands alone, under the question it answers.

    `command` prints the numbers behind it from the finished run.
    """

    question: str
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class TakeAway:
    """What the runs of one kind give to take away, by the run's id.

    `charts` lists the charts of a run and `pick` finds one of them; `source` is the line that all
    sentences rest on, and `quotes` are the sentences, by question.
    """

    charts: Callable[[str], Sequence[Listed]]
    pick: Callable[[str, str, Wish], Picked]
    source: Callable[[str], str]
    quotes: Callable[[str], list[Quote]]


def others_of(wish: Wish) -> tuple[str, ...]:
    """What is to stand beside, as it was named."""
    other = wish.get("other")
    return () if other is None else (other,) if isinstance(other, str) else tuple(other)


def only(chart: str, wish: Wish, *options: str) -> None:
    """Check that nothing is wished for but these options.

    Raises:
        BadInput: the chart leaves another choice to nobody.
    """
    for option, words in _OPTIONS.items():
        if wish.get(option) is not None and option not in options:
            raise BadInput(f"The chart {chart} shows no {words}.", f"Leave out the {words}.")


def is_sample(dataset: PreparedDataset) -> bool:
    """Whether these are the pairs that were written for IVAN."""
    return bool(dataset.about["request"]["source"] == SAMPLE)


def rows_words(spec: RowsSpec, dataset: PreparedDataset, n: int, aside: str = "") -> str:
    """Which pairs, of what, in what revision; `aside` says it where the spec does not."""
    about = dataset.about
    rows = int(about["rows"])
    if aside:
        drawn = f"{number_of(n, 'pair')} ({aside})"
    elif n == rows:
        drawn = f"all {n:,} pairs"
    elif spec.sample is not None:
        drawn = f"{n:,} of {rows:,} pairs, a random draw with seed {spec.seed},"
    elif spec.limit is not None:
        drawn = f"the first {n:,} of {rows:,} pairs (not a random sample)"
    else:
        drawn = f"{n:,} of {rows:,} pairs, picked by id (not a random sample),"
    revision = f"revision {about['revision']}" if about["revision"] else "no revision"
    return f"{drawn} of {about['label']} ({revision}, fingerprint {dataset.fingerprint})"
