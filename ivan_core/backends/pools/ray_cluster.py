"""Models on the machines of a Ray cluster: actors score chunks, this process alone keeps them.

Ray Data has one pass over the chunks of each model, whose actors load it once. A worker, or a
node, that dies is replaced and its chunk done again; one that a chunk kills each time is not tried
for ever. Measured with ray 2.60.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from ivan_core.backends.pools.ray_worker import Attempts, Began, ChunkScorer, Load, card_of
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.scoring import Progress, ScoredTask, ScoringTask
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import number_of
from ivan_core.settings import memory_bytes, seconds_of

MOST_RESTARTS = 20
"""Of one actor, whatever it dies of; a chunk that kills its worker is given up long before."""
MOST_STORE = 2_000_000_000
"""Bytes of memory that chunks pass through where Ray is started here; it takes 30% if not told."""
PATIENCE = "IVAN_CLUSTER_PATIENCE"
USUAL_PATIENCE = 60.0
"""Seconds."""
_RESUME = "Resume the run: finished chunks are kept."


def installed() -> bool:
    """Whether Ray is here; it is not imported to find out."""
    return find_spec("ray") is not None


def check_installed() -> None:
    """Refuse where Ray is not installed.

    Raises:
        BackendUnavailable: it is not, with the way to install it.
    """
    if not installed():
        raise BackendUnavailable(
            "Working on a cluster needs the package ray, which is not installed.",
            "Install it beside IVAN: pip install 'ivan[cluster]'.",
        )


@dataclass(frozen=True, slots=True)
class Actors:
    """How many actors work, with how many threads each, and on how many graphics cards."""

    count: int
    threads: int
    gpus: int

    @property
    def words(self) -> str:
        device = "a graphics card" if self.gpus else number_of(self.threads, "thread")
        each = " each" if self.count > 1 else ""
        return f"{number_of(self.count, 'actor')} with {device}{each}"


class RayPool:
    """Reward models on a cluster. `load` must be a function that its nodes can import.

    `address` is that of a running cluster, `auto` for the one that this node belongs to, or empty:
    then Ray starts on this machine alone, and ends with the pool.
    `count` actors work, by default one a graphics card or, where there is none, as many as there
    are cores for; each has `threads` threads, by default all of the smallest node.
    """

    def __init__(
        self, load: Load, address: str = "", count: int | None = None, threads: int | None = None
    ) -> None:
        self._load, self._address = load, address
        self._count, self._threads = count, threads
        self._revisions: dict[str, str] = {}
        self._actors: Actors | None = None
        self._first: Any = None
        """An actor that opens models and measures them, before the others are there."""

    @property
    def actors(self) -> Actors:
        """Who works, once the cluster is there.

        Raises:
            BackendUnavailable: it is not.
        """
        if self._actors is None:
            self._connect()
            self._actors = _actors(self._count, self._threads)
        return self._actors

    def load(self, name: str, revision: str) -> ModelCard:
        card = card_of(self._asked("open", name, revision))
        self._revisions[name] = revision or card.revision
        return card

    def tune(self, name: str, dialogues: Sequence[Dialogue]) -> int:
        texts = json.dumps([dialogue.text for dialogue in dialogues])
        return int(self._asked("tune", name, texts)["budget"])

    def compare(self, name: str, dialogues: Sequence[Dialogue]) -> ModelCard:
        """Compare a model in 8 bits with itself in full precision, on one node; see `PoolHere`."""
        texts = json.dumps([dialogue.text for dialogue in dialogues])
        return card_of(self._asked("compare", name, texts))

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        # All of them, since Ray Data spreads what it has at the start. Its store holds the texts.
        given: dict[str, ScoringTask] = {}
        chunks: list[Any] = []
        with _problems():
            for task in tasks:
                chunks.append(_in_store(task))
                given[task.key] = replace(task, texts=())
        self._let_first_go()
        if not given:
            return
        with _problems():
            for answer in self._answers(chunks):
                scored = self._scored(given[answer["key"]], answer)
                progress(scored.key, len(scored.rewards))
                yield scored

    def release(self) -> None:
        """Let go of all models; the cluster stays until the process ends, for the next ones."""
        self._let_first_go()
        self._revisions.clear()

    def _scored(self, task: ScoringTask, answer: Mapping[str, Any]) -> ScoredTask:
        if "node" in answer:
            # A node that lacks the model would take chunk after chunk, and fail them all.
            raise BackendUnavailable(
                f"{task.model} cannot be loaded on every node of the cluster: {answer['problem']}",
                answer["hint"] or "Give all nodes the same files, then resume the run.",
            )
        problem = _problem_of(task, answer)
        rewards = [] if problem else [Reward(*row) for row in answer["rewards"]]
        seconds = answer.get("seconds", 0.0) / self.actors.count
        return ScoredTask(task.key, answer.get("identity", ""), rewards, seconds, problem)

    def _answers(self, chunks: list[Any]) -> Iterator[dict[str, Any]]:
        """What the actors say of tasks that are in Ray's store."""
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        # One at the least: what has nothing left to do gives its place to who waits for one.
        most = min(self.actors.count, len(chunks))
        scored = ray.data.from_arrow_refs(chunks).map_batches(
            ChunkScorer,
            fn_constructor_kwargs={
                "load": self._load,
                "threads": self.actors.threads,
                "revisions": dict(self._revisions),
                "began": _counted(),
            },
            batch_size=1,
            num_cpus=self.actors.threads,
            num_gpus=self.actors.gpus,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
            ray_remote_args_fn=_bounds,
        )
        for block in scored.iter_batches(batch_size=None, prefetch_batches=0):
            for answer in block["answer"]:
                yield json.loads(answer)

    def _asked(self, what: str, *given: str) -> dict[str, Any]:
        """What the first actor says.

        Raises:
            BackendUnavailable: there is no cluster, or the model cannot be had.
        """
        with _problems():
            actors = self.actors
            import ray

            if self._first is None:
                kind = ray.remote(ChunkScorer)
                self._first = kind.options(num_cpus=actors.threads, num_gpus=actors.gpus).remote(
                    self._load, actors.threads, self._revisions, _first_time
                )
            told: dict[str, Any] = json.loads(ray.get(getattr(self._first, what).remote(*given)))
        if "problem" in told:
            raise BackendUnavailable(told["problem"], told["hint"])
        return told

    def _let_first_go(self) -> None:
        if self._first is not None:
            import ray

            ray.kill(self._first)
            self._first = None

    def _connect(self) -> None:
        check_installed()
        # Before the import: Ray tells its makers of every start unless it is told not to.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ["RAY_DATA_USAGE_DISABLED"] = "1"
        import ray

        if ray.is_initialized():
            return
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        where: dict[str, Any] = {"address": self._address}
        if not self._address:
            # Sockets lie in it, and the path of one may have 107 bytes.
            folder = tempfile.mkdtemp(prefix="ivan-ray-", dir="/tmp")
            atexit.register(_end_here, folder)
            store = min(MOST_STORE, memory_bytes() // 5)
            where = {"address": "local", "include_dashboard": False, "_temp_dir": folder}
            where |= {"object_store_memory": store}
        else:
            _check_there(self._address)
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise _not_there(self._address, type(error).__name__) from error


def _check_there(address: str) -> None:
    """Wait for a cluster to answer, for as long as `IVAN_CLUSTER_PATIENCE` says.

    In a process of its own: where something else answers, Ray ends the process that asks.

    Raises:
        BackendUnavailable: it did not.
    """
    seconds = seconds_of(PATIENCE, USUAL_PATIENCE)
    asked = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        answered = subprocess.run(asked, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise _not_there(address, f"no answer in {seconds:g} s") from error
    if answered.returncode:
        sys.stderr.write(answered.stderr.decode(errors="replace"))
        raise _not_there(address, "no answer")


def _not_there(address: str, why: str) -> BackendUnavailable:
    return BackendUnavailable(
        f"There is no Ray cluster at {address or 'this machine'} ({why}).",
        "Start one with `ray start --head`, or give the address that it told; then resume the run.",
    )


def _end_here(folder: str) -> None:
    """End what Ray started on this machine alone, and take its logs away."""
    import ray

    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def _actors(count: int | None, threads: int | None) -> Actors:
    """Who works on the nodes that are there now.

    Raises:
        BackendUnavailable: none of them has so many cores.
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores = [int(node.get("CPU", 0)) for node in nodes]
    cards = sum(int(node.get("GPU", 0)) for node in nodes)
    usable = [number for number in cores if number] or [1]
    if cards:
        return Actors(count or cards, threads or 1, 1)
    threads = threads or min(usable)
    if threads > max(usable):
        raise BackendUnavailable(
            f"A model needs {threads} cores of one machine, and no machine of the cluster has "
            f"more than {max(usable)}.",
            "Choose fewer threads in a new run: one that has begun keeps to its number.",
        )
    return Actors(count or max(1, sum(number // threads for number in usable)), threads, 0)


def _bounds() -> dict[str, int]:
    """A worker is not started for ever; a chunk waits for as long as there is one to be had.

    The worker of a node that died may find no room on the others until one of those is let go.
    """
    return {"max_restarts": MOST_RESTARTS, "max_task_retries": -1}


def _first_time(key: str) -> int:
    return 0


def _counted() -> Began:
    """Counts how often each chunk is begun, on the node of this process."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    kind = ray.remote(Attempts)
    attempts: Any = kind.options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()
    return _Counted(attempts)


@dataclass(frozen=True)
class _Counted:
    attempts: Any

    def __call__(self, key: str) -> int:
        import ray

        try:
            return int(ray.get(self.attempts.begin.remote(key)))
        except ray.exceptions.RayError:  # its node is gone; the bounds of the actor still hold
            return 0


def _in_store(task: ScoringTask) -> Any:
    """A reference to a task as JSON, in the memory that Ray shares between its processes."""
    import pyarrow as pa
    import ray

    told = {
        "key": task.key,
        "model": task.model,
        "texts": [text.text for text in task.texts],
        "budget": task.budget,
        "both_ways": task.both_ways,
    }
    return ray.put(pa.table({"task": [json.dumps(told)]}))


def _problem_of(task: ScoringTask, answer: Mapping[str, Any]) -> BackendUnavailable | None:
    what = task.label or task.key
    what = what[:1].upper() + what[1:]
    if deaths := answer.get("deaths"):
        return BackendUnavailable(
            f"{what} ended its worker {deaths} times; all other chunks are kept.",
            "Its texts may need more memory than a worker has. Resume the run to try it again.",
        )
    if "problem" not in answer:
        return None
    return BackendUnavailable(f"{what} failed: {answer['problem']}", answer["hint"] or _RESUME)


@contextmanager
def _problems() -> Iterator[None]:
    """Turn what Ray raises into a sentence.

    Raises:
        BackendUnavailable: the cluster, or a worker of it, is gone for good.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("ray."):
            raise
        raise BackendUnavailable(
            f"The Ray cluster could not go on ({type(error).__name__}): workers or nodes of it are "
            "gone.",
            _RESUME,
        ) from error
