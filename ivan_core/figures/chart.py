"""What an experiment hands over to be shown and quoted: its charts, and who worked on which rows.

Here nobody knows which experiments there are: results are whatever `open` gives. Those of a run
have `run`, `spec`, `dataset` and `manifest`; those of reviews have a `dataset` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import Frozen
from ivan_core.figures.choices import Choice
from ivan_core.figures.finding import Finding
from ivan_core.figures.words import Quote

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.charts.palette import Drawing

WHOLE = "the whole run"
"""What a chart shows that cannot be had of some rows alone."""
Chosen = Mapping[str, Any]
"""What a chart shows, by the name of the option that chooses it."""


@dataclass(frozen=True)
class Drawn:
    """The numbers of a chart, how to draw them for a light page, and what is said of it alone.

    `caption` says what is seen, with its numbers; `methods` how they were computed.
    """

    chart: Callable[[], Drawing]
    data: pd.DataFrame
    caption: str
    methods: str


def nothing_lacks(name: str, results: Any) -> BadInput | None:
    return None


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its name on the command line, and what it leaves to choose.

    `draw` takes the results and what each of the `choices` came to, in their order. `instead` says
    what the chart shows in place of what an option would choose, as in "all models". `lacks` tells
    why results do not have this chart, by its name. `names_them` says that the chart itself names
    what was chosen. `measure` is what it draws row by row, and so of some rows alone too; a chart
    without one is of the whole run.
    """

    name: str
    title: str
    draw: Callable[..., Drawn]
    choices: tuple[Choice, ...] = ()
    instead: Mapping[str, str] = field(default_factory=dict)
    lacks: Callable[[str, Any], BadInput | None] = nothing_lacks
    names_them: bool = False
    measure: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `ivan figure` that choose what it shows."""
        return tuple(f"--{choice.option.name}" for choice in self.choices)

    def lacking(self, results: Any) -> BadInput | None:
        """Why these results do not have this chart; None where they do."""
        reasons = (self.lacks, *(choice.lacks for choice in self.choices))
        return next(filter(None, (lacks(self.name, results) for lacks in reasons)), None)


def no_names(results: Any, chosen: Chosen) -> tuple[str, ...]:
    return ()


def no_words(results: Any, chosen: Chosen) -> str:
    return ""


def nothing_moves(results: Any) -> None:
    return None


def no_title(results: Any) -> str:
    return ""


def no_findings(results: Any) -> list[Finding]:
    return []


def paths_of_run(results: Any) -> list[str]:
    """All in a run that may be a path: what it was asked to do, and files that were imported."""
    return [
        *texts_within(results.spec),
        *texts_within((results.manifest or {}).get("imported", {})),
    ]


def texts_within(part: Any) -> list[str]:
    """All texts within a spec, a mapping or a sequence."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, Mapping):
        part = tuple(part.values())
    elif isinstance(part, Frozen):
        part = tuple(value for _, value in part)
    if not isinstance(part, list | tuple):
        return []
    return [text for one in part if not isinstance(one, int) for text in texts_within(one)]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """How results are narrowed to the rows that conditions pick.

    `conditions` names those who have them, as the registry does. `only` takes the results, the row
    ids, whether rates go without intervals, and what else of an address changes results:
    `parameters` are the names of that, and `listing` the rows that are listed of results at it; it
    raises BadInput where that makes no sense. `called` are user columns by id.
    """

    conditions: str
    only: Callable[[Any, Any, bool, Mapping[str, str]], Any]
    listing: Callable[[Any, Mapping[str, str]], Any]
    parameters: tuple[str, ...] = ()
    called: Callable[[Any], Mapping[str, str]] = lambda _: {}


@dataclass(frozen=True, slots=True)
class PickedRows:
    """The results of some rows of a run, picked by the conditions of `query`.

    `told` says in a caption which rows they are and what that does to rates, `mark` the same in a
    few words below the title; `key` changes where the rows do.
    """

    results: Any
    query: str
    told: str
    mark: str
    key: bytes


@dataclass(frozen=True, slots=True)
class ChartsAndSentences:
    """What the runs of one kind give to papers; `open` opens one by its id.

    `of` ends the sentence that a chart is not there, as in " of labels". `rows` says which pairs of
    what dataset; `methods` who worked on them and how, before a chart says how it counted;
    `command` makes the run anew (empty for what no command makes). `names` stand below the title of
    a picture, `trained` says on how many of the pairs the models that are shown were trained.
    `source` is the line that all sentences rest on, `quotes` are the sentences, by question;
    `findings` are the few that say most, the first the most of all.
    `title` is what results that belong to no run are called.
    `moves` is all that changes a chart beside what is finished, such as what reviewers said, and
    `paths` are all of whom charts and sentences tell and that may be a path. `narrowing` is there
    where rows are listed by conditions.
    """

    charts: tuple[Chart, ...]
    open: Callable[[str], Any]
    rows: Callable[[Any], str]
    methods: Callable[[Any, Chosen], str]
    command: Callable[[Any], str]
    source: Callable[[Any], str]
    quotes: Callable[[Any], list[Quote]]
    of: str = ""
    names: Callable[[Any, Chosen], tuple[str, ...]] = no_names
    trained: Callable[[Any, Chosen], str] = no_words
    moves: Callable[[Any], object] = nothing_moves
    paths: Callable[[Any], list[str]] = paths_of_run
    narrowing: Narrowing | None = None
    findings: Callable[[Any], list[Finding]] = no_findings
    title: Callable[[Any], str] = no_title

    def charts_of(self, results: Any) -> Sequence[Chart]:
        """The charts that these results have, in the order of the page."""
        return [chart for chart in self.charts if chart.lacking(results) is None]
