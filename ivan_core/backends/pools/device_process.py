"""One process of models on one device.

It does what it is sent, in order, tokenises ahead in a thread, and ends with whoever started it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from ivan_core.backends.pools.doing import compared, read_task, score_what_was_read
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import ModelCard, RewardModel
from ivan_core.domain.scoring import ScoredTask, ScoringTask
from ivan_core.domain.transcripts import Dialogue

Load = Callable[[str, str], RewardModel]


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load a model; the answer is its card."""

    name: str
    revision: str


@dataclass(frozen=True, slots=True)
class Tune:
    """Measure a token budget; the answer is the number."""

    name: str
    dialogues: list[Dialogue]


@dataclass(frozen=True, slots=True)
class Compare:
    """Have a model compare its scores of some texts; the answer is its card."""

    name: str
    dialogues: list[Dialogue]


@dataclass(frozen=True, slots=True)
class Told:
    """So many texts of a task were finished."""

    key: str
    texts: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Something failed: an error that a person can act on, or the trace of one nobody foresaw."""

    error: IvanError | None
    trace: str = ""


Asked = LoadModel | Tune | Compare | ScoringTask
Answered = ModelCard | int | ScoredTask | Told | Broken


def serve(connection: Connection) -> None:
    """Do what is sent until whoever sends it is gone. First of all comes what loads models."""
    load: Load = connection.recv()
    models: dict[str, RewardModel] = {}
    asked: queue.SimpleQueue[tuple[Asked, list[Any] | BaseException]] = queue.SimpleQueue()

    def receive() -> None:
        while True:
            try:
                one: Asked = connection.recv()
            except (EOFError, OSError):
                os._exit(0)  # Nobody waits for what is being scored.
            read: list[Any] | BaseException = []
            if isinstance(one, ScoringTask):
                try:
                    read = read_task(models[one.model], one)
                except Exception as error:
                    read = error
            asked.put((one, read))

    threading.Thread(target=receive, name="reader", daemon=True).start()
    while True:
        one, read = asked.get()
        try:
            if isinstance(read, BaseException):
                raise read
            answer = _answer(connection, load, models, one, read)
        except IvanError as error:
            answer = Broken(error)
        except Exception:
            answer = Broken(None, traceback.format_exc())
        connection.send(answer)


def _answer(
    connection: Connection,
    load: Load,
    models: dict[str, RewardModel],
    asked: Asked,
    read: list[Any],
) -> Answered:
    if isinstance(asked, LoadModel):
        models[asked.name] = load(asked.name, asked.revision)
        return models[asked.name].card
    if isinstance(asked, Tune):
        return models[asked.name].tune(asked.dialogues)
    if isinstance(asked, Compare):
        return compared(models[asked.name], asked.dialogues)
    task, began = asked, perf_counter()
    model = models[task.model]
    rewards = score_what_was_read(
        model, task, read, lambda texts: connection.send(Told(task.key, texts))
    )
    return ScoredTask(task.key, model.card.cache_identity, rewards, perf_counter() - began)


def main() -> None:
    """Serve whoever holds the other end of the socket whose number is the first argument."""
    serve(Connection(int(sys.argv[1])))
