"""A warm worker with fake models (also a script), and questions to put to it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from given.support import wait_for

from fakes.reward_models import SETTING, FakeRewardModel, Fakes
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm import answers as warm
from ivan_core.engine.warm.answers import Answer
from ivan_core.runs.locks import is_held, waiting_mark
from ivan_core.runs.questions import AskedModel, Questions
from ivan_core.settings import data_dir, slot_file
from ivan_core.warm import IDLE_SECONDS, serve


def loader(fakes: Fakes) -> Callable[[AskedModel], FakeRewardModel]:
    """The fakes as the warm worker wants its models."""

    def load(asked: AskedModel) -> FakeRewardModel:
        if fakes.hangs_loading:
            time.sleep(3600)
        return FakeRewardModel(asked.name, fakes)

    return load


def asked_model(name: str = "fake/one", fakes: Fakes | None = None) -> AskedModel:
    identity = FakeRewardModel(name, fakes or Fakes()).card.cache_identity
    return AskedModel(
        name=name, revision="r1", input_format=None, max_tokens=None, identity=identity
    )


ONE = asked_model()


@contextmanager
def serving(
    questions: Questions, load: Callable[[AskedModel], Any], idle_seconds: float = 600.0
) -> Iterator[threading.Thread]:
    """A warm worker in a thread; it has given way when the block is left."""
    thread = threading.Thread(target=serve, args=(questions, load, idle_seconds))
    thread.start()
    try:
        wait_for(lambda: is_held(questions.lock_path) or not thread.is_alive())
        yield thread
    finally:
        with waiting_mark(slot_file()) as mark:
            mark.acquire(timeout=300)
            thread.join(300)
        assert not thread.is_alive()


def some_texts(count: int) -> list[Dialogue]:
    return [Dialogue(f"\n\nHuman: Hi\n\nAssistant: Secret answer {i}.") for i in range(count)]


def answered(model: AskedModel, texts: Sequence[Dialogue], again: bool = False) -> Answer:
    """Ask, and look again until nothing is pending."""
    first = warm.ask(model, texts, again)
    return first if not first.pending else wait_for(lambda: complete(model, texts))


def complete(model: AskedModel, texts: Sequence[Dialogue]) -> Answer | None:
    found = warm.ask(model, texts)
    return None if found.pending else found


if __name__ == "__main__":
    told = Fakes(**json.loads(os.environ.get(SETTING, "{}")))
    idle = float(os.environ.get("IVAN_WARM_IDLE", IDLE_SECONDS))
    serve(Questions(data_dir()), loader(told), idle)
