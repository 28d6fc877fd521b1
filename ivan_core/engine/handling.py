"""Runs as people handle them: start, find, list, cancel, resume, read the manifest."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ivan_core.domain.engine_choice import LOCAL, EngineChoice
from ivan_core.domain.errors import ODD_DATA, BadInput, IvanError, StorageProblem
from ivan_core.domain.options import command_of, option_words
from ivan_core.domain.runs import ACTIVE, LivePoint, Run, RunState
from ivan_core.domain.specs import DatasetRequest, Frozen, RowsSpec
from ivan_core.domain.words import with_article
from ivan_core.engine import access, workers
from ivan_core.engine.kind import kind_for, kind_of, known
from ivan_core.experiments import EXPERIMENTS, READING
from ivan_core.runs.engine_choice import keep_choice, kept_choice
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir


class Damaged(BadInput):
    """A run of which a part makes no sense; all others can be used."""


_READING = tuple(READING)
_Opened = TypeVar("_Opened")
_Spec = TypeVar("_Spec", bound=Frozen)
_Rows = TypeVar("_Rows", bound=RowsSpec)
WORKER = (sys.executable, "-m", "ivan_core.worker")
"""The command that a run's id is added to."""
IN_TURN = (sys.executable, "-m", "ivan_core.in_turn")
"""The command that a worker's command and, behind `--`, the folders of runs are added to."""


def registry() -> Registry:
    return Registry(data_dir())


def start(spec: RowsSpec, choice: EngineChoice = LOCAL) -> tuple[str, bool]:
    """Start a run in a worker of its own, or find the one that is already at the same spec.

    Returns the run's id and whether it is new. `choice` says where its models work.

    Raises:
        BackendUnavailable: they are to work on a cluster, and Ray is not installed.
        NotAllowed: the visitor may only read and review, or not name the address of a cluster.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.START)
    _check(choice)
    spec = located(spec)
    run_id, new = registry().add(kind_for(spec).name, spec.model_dump_json(), spec.fingerprint)
    if new:
        if choice != LOCAL:
            keep_choice(registry().folder(run_id), choice)
        spawn(run_id)
    return run_id, new


def _check(choice: EngineChoice) -> None:
    from ivan_core.backends.pools import ray_cluster

    access.check_address(choice.address)
    if choice.engine == "ray":
        ray_cluster.check_installed()


def has_ray() -> bool:
    """Whether models may work on a Ray cluster: whether Ray is installed."""
    from ivan_core.backends.pools import ray_cluster

    return ray_cluster.installed()


def located(spec: _Rows) -> _Rows:
    """The spec with whole paths: it is read by a worker later, from whatever folder."""
    from ivan_core.models import reward_models

    changed: dict[str, Any] = {"dataset": located_dataset(spec.dataset)}
    for field in kind_for(spec).paths:
        value = getattr(spec, field)
        names = value if isinstance(value, tuple) else (value,)
        found = tuple(_whole(name) if reward_models.is_local(name) else name for name in names)
        changed[field] = found if isinstance(value, tuple) else found[0]
    return spec.model_copy(update=changed)


def located_dataset(request: DatasetRequest) -> DatasetRequest:
    """The request with a whole path, where it names a file."""
    from ivan_core.datasets.sources import SAMPLE, is_local

    if request.source == SAMPLE or not is_local(request):
        return request
    return request.model_copy(update={"source": _whole(request.source)})


def _whole(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.absolute()) if path.exists() else name


def spawn(run_id: str) -> None:
    """Start a worker for a run: a process of its own that survives this one.

    Raises:
        StorageProblem: the data folder cannot be written; the run then says so too.
    """
    _spawn([run_id], [*WORKER, run_id])


def spawn_in_turn(run_ids: Sequence[str]) -> None:
    """Start a process that survives this one, and a worker for each run when the one before ended.

    Raises:
        StorageProblem: the data folder cannot be written; the runs then say so too.
    """
    folders = [str(registry().folder(run_id)) for run_id in run_ids]
    _spawn(run_ids, [*IN_TURN, *WORKER, "--", *folders])


def _spawn(run_ids: Sequence[str], command: Sequence[str]) -> None:
    try:
        _start(run_ids, command)
    except StorageProblem as error:
        for run_id in run_ids:
            with suppress(StorageProblem):
                registry().finish(run_id, RunState.FAILED, error.message, error.hint)
        raise


def _start(run_ids: Sequence[str], command: Sequence[str]) -> None:
    folders = [registry().folder(run_id) for run_id in run_ids]
    with storage_errors(data_dir()):
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        held: list[int] = []
        for run_id in run_ids:
            starting = stack.enter_context(FileLock(registry().starting_path(run_id)))
            # A worker that was cancelled while it started may still hold it; who asks holds it for
            # a moment.
            starting.acquire(timeout=0.2)
            held += starting.descriptors
        workers.start_worker(command, folders[0] / "worker.log", run_ids[0], held)


def get(run_id: str) -> Run:
    """One run with its true state.

    Raises:
        BadInput: there is no such run.
    """
    return registry().get(run_id)


def names_apart(first: str, second: str) -> tuple[str, str]:
    """What two runs are called side by side: their names, with the ids where those are the same.

    They are asked for anew, since results that were opened before a run was named stay in memory.

    Raises:
        BadInput: there is no such run.
    """
    one, other = get(first), get(second)
    if one.label != other.label:
        return one.label, other.label
    return f"{one.label} ({one.id})", f"{other.label} ({other.id})"


def every(kind: str | None = None) -> list[Run]:
    """The runs of a kind, newest first; None means of every kind."""
    return registry().some((kind,) if kind else ())


def of_kind(kind: str, run_ids: Iterable[str]) -> list[str]:
    """Those of some runs that are of a kind.

    Raises:
        BadInput: there is no such run.
    """
    return [run_id for run_id in run_ids if kind_of(get(run_id)).name == kind]


def experiments(limit: int = -1, offset: int = 0, *, starred_first: bool = False) -> list[Run]:
    """The runs that people started, newest first: all but searches and user columns."""
    return registry().some(but=_READING, limit=limit, offset=offset, starred_first=starred_first)


def count_experiments() -> int:
    """How many runs people started."""
    return registry().count(but=_READING)


def live_experiments() -> list[Run]:
    """The runs that people started and that are at work, newest first."""
    found = registry().some(but=_READING, states=ACTIVE)
    return [run for run in found if run.state.live]


def newest_done(kind: str, limit: int = 1) -> list[Run]:
    """The newest finished runs of a kind, at most so many."""
    return registry().some((kind,), states=(RunState.DONE,), limit=limit)


def about(run: Run) -> str:
    """What a run is about in one line: its dataset and who judges or labels it."""
    try:
        spec = any_spec_of(run)
    except Damaged:
        return "its entry in the registry is damaged"
    return kind_of(run).about(spec)


def command(run: Run) -> str:
    """The command line that does the same as a run.

    Raises:
        BadInput: there is none.
        Damaged: the registry does not tell what it was asked to do.
    """
    kind = kind_of(run)
    imported, spec = imported_from(run), any_spec_of(run)
    if "names" in imported and isinstance(spec, RowsSpec):  # from CSV files: nothing was computed
        words = ["ivan", "runs", "import", *imported["files"]]
        named = [word for name in imported["names"] for word in ("--model", name)]
        return shlex.join([*words, *option_words(spec.dataset), *named])
    if kind.command is not None:
        return kind.command(run)
    if not isinstance(spec, RowsSpec):
        raise BadInput(f"No command makes a {kind.noun} alone.", "Make it on the page Compare.")
    return shlex.join([*shlex.split(command_of(spec)), *option_words(engine_of(run.id))])


def engine_of(run_id: str) -> EngineChoice:
    """Where the models of a run work, or worked last."""
    return kept_choice(registry().folder(run_id))


def imported_from(run: Run) -> dict[str, Any]:
    """What a run was read from: `files`, or the `file` of a zip; empty where it was made here."""
    try:
        return dict((manifest(run.id) or {}).get("imported") or {})
    except Damaged:
        return {}


def silence(run: Run) -> str:
    """A sentence if the worker of a run lives but has not been heard of for a while; else empty."""
    return workers.silence(registry(), run)


def live_points(run_id: str) -> list[LivePoint]:
    return registry().live_points(run_id)


def spec_of(run: Run, wanted: type[_Spec]) -> _Spec:
    """What a run was asked to do, if it is of the kind whose specs are of a class.

    Raises:
        BadInput: it is of another kind; the hint names the page that shows it.
        Damaged: the registry does not tell.
    """
    spec = any_spec_of(run)
    if not isinstance(spec, wanted):
        raise other_kind(run, *(name for name in EXPERIMENTS if kind_of(name).spec is wanted))
    return spec


def other_kind(run: Run, *wanted: str) -> BadInput:
    """The error that a run is of another kind than those wanted; the hint names its page."""
    own = kind_of(run)
    hint = f"Open it on the page {own.page.capitalize()}." if own.page else "Choose another run."
    named = " or ".join(dict.fromkeys(kind_of(name).noun for name in wanted))
    return BadInput(f"Run {run.id} is no {named}: it is {with_article(own.noun)}.", hint)


def any_spec_of(run: Run) -> Frozen:
    """What a run was asked to do, whatever its kind.

    Raises:
        Damaged: the registry does not tell.
    """
    if run.state is RunState.DAMAGED:
        raise Damaged(run.problem, run.hint)
    try:
        return _spec(run.kind, run.spec)
    except (BadInput, ValidationError) as error:
        raise Damaged(
            f"What run {run.id} was asked to do cannot be read: its entry in the registry is "
            "damaged.",
            f"`ivan runs delete {run.id}` takes it away. The others are whole.",
        ) from error


@lru_cache(maxsize=256)
def _spec(kind: str, text: str) -> Frozen:
    return kind_of(kind).spec.model_validate_json(text)


def cancel(run_id: str) -> None:
    """Ask a run to stop; it does so within two seconds and keeps what is finished.

    A worker that is stopped or stuck is killed after three.

    Raises:
        BadInput: there is no such run, or it is not at work.
        NotAllowed: the visitor may only read and review.
    """
    if get(run_id).kind not in READING or access.asking().stranger:
        access.require(access.Action.CANCEL)
    if not workers.ask_to_stop(registry(), run_id):
        raise BadInput(f"Run {run_id} is {get(run_id).state}: there is nothing to cancel.")


def stop(run_id: str) -> None:
    """Cancel a run of any kind, batches at a provider too.

    Raises:
        BadInput: there is no such run, or it is not at work.
        NotAllowed: the visitor may only read and review.
    """
    run = get(run_id)
    sending = known(run).sending
    (sending.stop if sending else cancel)(run_id)


def resume(run_id: str, choice: EngineChoice | None = None) -> None:
    """Go on with a stopped run; what it finished is not done again. Resuming twice does no harm.

    Its models work where `choice` says from now on; None stands for where they did before.

    Raises:
        BadInput: there is no such run, it is finished, another is at work on the same spec, or its
            kind works on this machine alone.
        NotAllowed: the visitor may only read and review, or not name the address of a cluster.
    """
    access.require(access.Action.RESUME)
    if choice is not None and choice != engine_of(run_id):
        kind = kind_of(get(run_id))
        if not kind.on_clusters:
            raise BadInput(f"A {kind.noun} works on this machine alone.", "Leave out --engine.")
        _check(choice)
        if get(run_id).state.resumable:
            keep_choice(registry().folder(run_id), choice)
    if registry().requeue(run_id):
        spawn(run_id)
        return
    run = get(run_id)
    if not run.state.live:
        raise BadInput(f"Run {run_id} is {run.state}: there is nothing left to do.")


def manifest(run_id: str) -> dict[str, Any] | None:
    """The manifest of a finished run; None if it is not finished.

    Raises:
        Damaged: it is there and is no manifest.
    """
    path = registry().folder(run_id) / "manifest.json"
    if not path.exists():
        return None
    with whole(run_id, "manifest"):
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        str(content["dataset"]["fingerprint"]), list(content["files"])
    return content


def opened(found: Iterable[Run], open_one: Callable[[str], _Opened]) -> Iterator[_Opened]:
    """The results of some runs, opened one after the other; those that are damaged are left out."""
    for run in found:
        try:
            results = open_one(run.id)
        except Damaged:
            continue
        yield results


@contextmanager
def whole(run_id: str, what: str) -> Iterator[None]:
    """Turn whatever goes wrong while files of a finished run are read into a sentence.

    Raises:
        Damaged: what was read is cut, or makes no sense.
    """
    try:
        yield
    except IvanError:
        raise
    except (OSError, *ODD_DATA) as error:
        # Libraries that read tables raise what they like; all that concerns a table is of these.
        raise Damaged(
            f"Run {run_id} is damaged: its {what} cannot be read ({type(error).__name__}).",
            "Start it again: what its models said is in the cache. "
            f"`ivan runs delete {run_id}` takes this one away.",
        ) from error
