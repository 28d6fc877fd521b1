"""One process a device: each loads the models and is fed with tasks, two at a time.

A process that is killed is started again; a task that kills it every time is given up by name.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from ivan_core.backends.pools import device_process
from ivan_core.backends.pools.device_process import (
    Answered,
    Asked,
    Broken,
    Compare,
    Load,
    LoadModel,
    Told,
    Tune,
)
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelCard
from ivan_core.domain.scoring import Progress, ScoredTask, ScoringTask
from ivan_core.domain.transcripts import Dialogue

RESTARTS = 2
"""So many times a process is started again for one task."""
_AT_ONCE = 2
"""Tasks that a process has: one is tokenised while the other is scored."""
_Given = TypeVar("_Given")


class PoolOfDevices:
    """Scores as many tasks at the same time as there are devices: "cpu", or "cuda:0" and so on.

    `load` is sent to each process, so it must be something that can be pickled.
    """

    def __init__(self, load: Load, devices: Sequence[str]) -> None:
        self._load = load
        self._devices = list(devices)
        self._models: dict[str, str] = {}
        """Revisions of the loaded models by name."""
        self._processes: list[_Process] = []

    def load(self, name: str, revision: str) -> ModelCard:
        if not self._processes:
            self._processes = [
                _Process(device, self._load, self._devices.count("cpu")) for device in self._devices
            ]
        # The first one downloads what is missing; all have what it has.
        first, *others = self._processes
        card = first.ask(LoadModel(name, revision), ModelCard)
        self._models[name] = card.revision
        for process in others:
            process.send(LoadModel(name, card.revision))
        for process in others:
            process.answer(ModelCard)
        return card

    def tune(self, name: str, dialogues: Sequence[Dialogue]) -> int:
        return self._processes[0].ask(Tune(name, list(dialogues)), int)

    def compare(self, name: str, dialogues: Sequence[Dialogue]) -> ModelCard:
        """Compare a model in 8 bits with itself in full precision, on one device."""
        return self._processes[0].ask(Compare(name, list(dialogues)), ModelCard)

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        todo, again = iter(tasks), deque[ScoringTask]()
        deaths: Counter[str] = Counter()
        while True:
            self._feed(todo, again)
            if not any(process.given for process in self._processes):
                return
            for process in self._answering():
                answer = process.receive()
                if isinstance(answer, ScoredTask):
                    process.finished(answer.key)
                    yield replace(answer, seconds=answer.seconds / len(self._devices))
                elif isinstance(answer, Told):
                    progress(answer.key, answer.texts)
                elif isinstance(answer, Broken):
                    raise _raised(answer)
                elif answer is None:
                    problem = self._start_again(process, again, deaths)
                    if problem is not None:
                        yield problem

    def release(self) -> None:
        for process in self._processes:
            process.end()
        self._processes.clear()
        self._models.clear()

    def _feed(self, todo: Iterator[ScoringTask], again: deque[ScoringTask]) -> None:
        for _ in range(_AT_ONCE):
            # Each process gets its first task before any gets a second.
            for process in self._processes:
                if not process.has_room:
                    continue
                task = again.popleft() if again else next(todo, None)
                if task is None:
                    return
                process.give(task)

    def _answering(self) -> list[_Process]:
        busy = {process.connection: process for process in self._processes if process.given}
        return [busy[connection] for connection in wait(busy) if isinstance(connection, Connection)]

    def _start_again(
        self, process: _Process, again: deque[ScoringTask], deaths: Counter[str]
    ) -> ScoredTask | None:
        """Put another process in the place of a dead one; a task that killed too many comes back.

        Its first task was at work. It goes first again, alone, so that another is not blamed.
        """
        killer, *others = process.given.values()
        again.extend(others)
        deaths[killer.key] += 1
        process.start(self._models)
        if deaths[killer.key] <= RESTARTS:
            process.give(killer, alone=True)
            return None
        error = BackendUnavailable(
            f"The process on {process.device} was killed {deaths[killer.key]} times while it was "
            f"scoring {killer.label or killer.key}.",
            "It may have run out of memory. Free some, or leave out the longest texts; then resume "
            "the run: what is finished is kept.",
        )
        return ScoredTask(killer.key, "", (), 0.0, problem=error)


class _Process:
    """One process with its models; `given` are the tasks that it has not answered, by key."""

    def __init__(self, device: str, load: Load, sharing: int) -> None:
        self.device, self._load, self._sharing = device, load, sharing
        self.given: dict[str, ScoringTask] = {}
        self._alone = False
        self.start({})

    def start(self, models: Mapping[str, str]) -> None:
        """Start the process, in place of one that is dead, with these models.

        Raises:
            IvanError: a model cannot be loaded.
        """
        self.given.clear()
        self._alone = False
        ours, its = socket.socketpair()
        with its:
            # Not as a script: what a script defines has another name in whoever started it.
            code = f"from {device_process.__name__} import main; main()"
            command = [sys.executable, "-c", code, str(its.fileno())]
            self._process = subprocess.Popen(
                command, pass_fds=[its.fileno()], env=environment(self.device, self._sharing)
            )
        self.connection = Connection(ours.detach())
        self.send(self._load)
        for name, revision in models.items():
            self.ask(LoadModel(name, revision), ModelCard)

    @property
    def has_room(self) -> bool:
        return len(self.given) < (1 if self._alone else _AT_ONCE)

    def give(self, task: ScoringTask, alone: bool = False) -> None:
        """Have a task done; `alone` until it is, without another."""
        self.given[task.key], self._alone = task, alone
        self.send(task)

    def finished(self, key: str) -> None:
        """Take note that a task is done."""
        del self.given[key]
        self._alone = False

    def send(self, what: Asked | Load) -> None:
        """Send something; a dead process is noticed when its answer is received."""
        with suppress(OSError):
            self.connection.send(what)

    def receive(self) -> Answered | None:
        """Its next answer; None where the process is dead."""
        try:
            answer: Answered = self.connection.recv()
        except (EOFError, OSError):
            self.end()
            return None
        return answer

    def ask(self, what: Asked, kind: type[_Given]) -> _Given:
        """Send something and wait for its answer; no task is under way."""
        self.send(what)
        return self.answer(kind)

    def answer(self, kind: type[_Given]) -> _Given:
        """Wait for an answer of a kind.

        Raises:
            BackendUnavailable: the process ended instead.
            IvanError: what it said.
        """
        answer = self.receive()
        if isinstance(answer, Broken):
            raise _raised(answer)
        if not isinstance(answer, kind):
            raise BackendUnavailable(
                f"The process for {self.device} ended before it could score.",
                "It may have run out of memory. Free some, or set IVAN_DEVICES to fewer devices; "
                "then resume the run.",
            )
        return answer

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self.connection.close()


def environment(device: str, sharing: int) -> dict[str, str]:
    """A process sees its own device alone; those on the CPU share its cores.

    `sharing` is the number of processes on the CPU.
    """
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    if device == "cpu":
        cores = len(os.sched_getaffinity(0))
        return {
            **found,
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, cores // sharing))),
        }
    number = int(device.partition(":")[2] or 0)
    visible = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one.strip()]
    mine = visible[number] if number < len(visible) else str(number)
    return {**found, "CUDA_VISIBLE_DEVICES": mine.strip()}


def _raised(broken: Broken) -> Exception:
    return broken.error or RuntimeError(f"in a device's process:\n{broken.trace}")
