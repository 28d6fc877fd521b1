"""Kinds of runs: what the engine must know of an experiment, one frozen record for each.

The engine knows no experiment by name. `ivan_core/experiments/__init__.py` lists them as modules,
and each is imported when a run of its kind is met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import Frozen, RowsSpec
from ivan_core.experiments import EXPERIMENTS, READING

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.datasets.prepared import PreparedDataset
    from ivan_core.engine.plan import Proposal
    from ivan_core.engine.work import Job, Waiting
    from ivan_core.interchange.content import Known
    from ivan_core.interchange.scores import Scores


class OfRows(Protocol):
    """What results have of whatever kind their run is: which pairs, by their content, and rows."""

    @property
    def run(self) -> Run: ...

    @property
    def dataset(self) -> PreparedDataset: ...

    @property
    def content(self) -> str: ...

    @property
    def row_ids(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Transfer:
    """How runs of a kind leave this machine and come from others.

    `archive` is its record of zips, `csvs` that of the CSV files of results made elsewhere. `known`
    tells of its results what stands beside pairs in files for other tools, and `scores` what may be
    published of them without texts.
    """

    archive: Callable[[], Any]
    csvs: Callable[[], Any] | None = None
    known: Callable[[Any], Known] | None = None
    scores: Callable[[Any], Scores] | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What a kind has whose runs send texts to a provider and wait for the answers.

    `stop` cancels a run there too, and `follow` goes on with one that nobody follows. `part_with`
    is called before a run is deleted: it refuses, or keeps what must not be lost.
    """

    stop: Callable[[str], None]
    follow: Callable[[str], object]
    part_with: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """How a kind counts the pairs of its runs.

    `weight` is what one pair counts in the progress of a run, by its spec. Of a finished run, by
    its id, `reached` counts the pairs for which something came of it, and `covers` those that it is
    about, where these are not all of its rows.
    """

    weight: Callable[[Any], int] = lambda _: 1
    reached: Callable[[str], int | None] | None = None
    covers: Callable[[str], int | None] | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart drawn for a dark page or a light one; a click on a mark fills `selection`."""

    draw: Callable[[bool], Any]
    selection: str


@dataclass(frozen=True, slots=True)
class RowsBehind:
    """The pairs that a number rests on, in words and by row id; `run_id` is a run that has them.

    `page` makes a table of one page of them, counted from 1, with a column "row_id"; `columns` are
    the heads of its columns with what stands below them.
    """

    words: str
    row_ids: list[int]
    run_id: str
    page: Callable[[int], pd.DataFrame]
    columns: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SetTogether:
    """Several runs on the same pairs: what is told of them, one table, and pictures by name.

    `behind` gives the pairs of a clicked mark of a picture, or of a row of the table, by what it
    holds; None where it names nothing.
    """

    sentences: tuple[str, ...]
    table: pd.DataFrame
    charts: Mapping[str, Picture]
    behind: Callable[[Mapping[str, Any]], RowsBehind | None]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """How runs of a kind are set beside each other: `two` in words, `several` in one table."""

    two: Callable[[str, str], str]
    several: Callable[[Sequence[str]], SetTogether] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run. What a kind lacks is None, or empty.

    `noun` and `listed` are what one such run is called, in a sentence and in a list; `page` is the
    page that shows it, as its file is named. `stage` is its part in a study and `did` what
    it counts there, as in "pairs judged". `folders`, in the data
    folder, hold the files it writes for people; with `names_files` its manifest names all of them.
    `paths` are fields of its spec that may hold places of models on this machine. `stays` says what
    outlives a run that is deleted. `commands` is the module whose `add` gives it to the command
    line; without one it has the command that its spec is named by.

    `spec` is the class of what it is asked to do, and `about` says that in one line. `work` does
    what is left of a run. `proposes` tells the run that would come next on some rows, and what it
    would take; `adds` the one that adds to it where one is done; `then` says what it will be where
    it waits for stages that are not begun. `counts` is its record of how pairs are counted. `open`
    gives its results and `report` prints them; where it lacks that, its
    sentences are. `command` is the command line that does the same as a run, if its spec alone does
    not tell it. `beside` is its record of how runs are set beside each other. `figures` is that of
    charts and sentences, and `conditions` that of what rows may have to be. `transfer` holds its
    records of what leaves this machine and comes from others, `sending` what it has if it sends
    texts to a provider. `on_clusters` says that its models may work on other machines.
    """

    name: str
    noun: str
    spec: type[Frozen]
    about: Callable[[Any], str]
    work: Callable[[Job[Any]], Waiting | None]
    listed: str = ""
    page: str = ""
    stage: str = ""
    did: str = ""
    folders: tuple[str, ...] = ()
    names_files: bool = False
    paths: tuple[str, ...] = ()
    stays: str = ""
    commands: str = ""
    proposes: Callable[[RowsSpec], Proposal] | None = None
    adds: Callable[[RowsSpec], Proposal] | None = None
    then: str = ""
    counts: Counts = Counts()
    open: Callable[[str], OfRows] | None = None
    report: Callable[[str, TextIO], None] | None = None
    command: Callable[[Run], str] | None = None
    beside: SideBySide | None = None
    figures: Callable[[], Any] | None = None
    conditions: Callable[[], Any] | None = None
    transfer: Transfer | None = None
    sending: Sending | None = None
    on_clusters: bool = False


def _nobody_knows(_: object) -> Any:
    raise BadInput("Nobody here knows what this run is.", "Update IVAN.")


UNKNOWN = Kind(name="", noun="run", spec=Frozen, about=_nobody_knows, work=_nobody_knows)
"""The kind of runs that another version of IVAN made: it lacks all that a kind may lack."""


def kind_of(run: Run | str) -> Kind:
    """What is known of the kind of a run, or of a kind by its name.

    Raises:
        BadInput: nothing is: the run was made by another version of IVAN.
    """
    found = known(run)
    if found is UNKNOWN:
        name = run if isinstance(run, str) else run.kind
        raise BadInput(f"Nobody here knows what a run of the kind {name!r} is.", "Update IVAN.")
    return found


def known(run: Run | str) -> Kind:
    """The same where nothing may be known, as in lists of all runs: then `UNKNOWN`."""
    name = run if isinstance(run, str) else run.kind
    module = EXPERIMENTS.get(name) or READING.get(name)
    return _loaded(module) if module is not None else UNKNOWN


def kind_for(spec: Frozen) -> Kind:
    """The kind of the runs that are asked to do what a spec says.

    Raises:
        BadInput: there is none.
    """
    found = next((kind for kind in experiments() if isinstance(spec, kind.spec)), None)
    if found is None:
        raise BadInput(f"Nothing can be started with a {type(spec).__name__}.")
    return found


def experiments() -> tuple[Kind, ...]:
    """The kinds of runs that people start, all of them imported."""
    return tuple(_loaded(module) for module in EXPERIMENTS.values())


def alike(name: str) -> tuple[str, ...]:
    """The kinds whose runs end with the same results as those of a kind: those of its stage."""
    stage = known(name).stage
    return tuple(kind.name for kind in experiments() if stage and kind.stage == stage)


@cache
def _loaded(module: str) -> Kind:
    found: Kind = import_module(module).KIND
    return found


def late(place: str) -> Callable[..., Any]:
    """A function by its module and name, as in "package.module:name", imported at its first call.

    So a kind's record is quick to import, however much its work needs.
    """
    return partial(_call, *place.split(":"))


def _call(module: str, name: str, *args: Any, **named: Any) -> Any:
    return getattr(import_module(module), name)(*args, **named)


def record(place: str) -> Callable[[], Any]:
    """A record by its module and name, imported when it is asked for."""
    return partial(_get, *place.split(":"))


def _get(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
