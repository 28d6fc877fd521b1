"""Warm workers as processes of their own: killed, replaced, silent, or not to be started."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from fakes.warm import ONE, answered, complete, some_texts
from given.support import wait_for

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm import answers as warm
from ivan_core.runs import questions as questions_module
from ivan_core.runs.locks import FileLock, holder_of, is_held
from ivan_core.runs.questions import AskedModel, Questions

FAKE_WORKER = (sys.executable, str(Path(__file__).parents[1] / "fakes" / "warm.py"))


@pytest.fixture
def questions(data_dir: Path) -> Questions:
    return Questions(data_dir)


@pytest.fixture
def processes_of_their_own(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Fakes], None]]:
    """From the call on, workers are started as processes, with fakes that behave as told."""
    monkeypatch.setenv("IVAN_WARM_IDLE", "0.3")
    monkeypatch.setattr(warm, "WARM", FAKE_WORKER)

    def tell(fakes: Fakes) -> None:
        for name, value in fakes.environment().items():
            monkeypatch.setenv(name, value)

    yield tell
    if is_held(questions.lock_path):
        questions.lock_path.unlink()
    wait_for(lambda: not is_held(questions.lock_path))


def worker_of(questions: Questions) -> int:
    """The process that serves; another one may have been started and found it there."""
    holder = holder_of(questions.lock_path)
    assert holder
    return holder.pid


def kill_at_work(questions: Questions, texts: Sequence[Dialogue], kept: int) -> None:
    """Wait until the rewards of so many texts are kept, and kill the worker.

    That so many are scored is told a moment before they are kept.
    """
    wait_for(lambda: len(warm.ask(ONE, texts).rewards) == kept)
    os.kill(worker_of(questions), signal.SIGKILL)
    wait_for(lambda: not is_held(questions.lock_path))


def test_killed_workers_are_replaced_and_two_deaths_are_a_sentence(
    questions: Questions, processes_of_their_own: Callable[[Fakes], None]
) -> None:
    fakes, texts = Fakes(hangs_at_call=2), some_texts(40)
    processes_of_their_own(fakes)
    kill_at_work(questions, texts, 16)
    known = warm.ask(ONE, texts)
    assert known.pending and len(known.rewards) == 16
    kill_at_work(questions, texts, 32)
    problem = answered(ONE, texts).problem
    assert problem and problem.message == "The warm worker died twice while it was at this."
    processes_of_their_own(replace(fakes, hangs_at_call=0))
    assert len(answered(ONE, texts, again=True).rewards) == 40
    with closing(sqlite3.connect(questions.data_dir / "warm.sqlite")) as db:
        assert db.execute("SELECT texts FROM questions").fetchall() == [("[]",)]


@pytest.fixture
def at_work(
    questions: Questions,
    processes_of_their_own: Callable[[Fakes], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The process of the one worker, which is scoring and comes to no end by itself."""
    # A second worker, started since the first took long to come, would make the folder anew.
    monkeypatch.setattr(questions_module, "START_SECONDS", 3600.0)
    processes_of_their_own(Fakes(hangs_at_call=1))
    warm.ask(ONE, some_texts(1))
    wait_for(lambda: warm.ask(ONE, some_texts(1)).pending.doing.startswith("Scoring"))
    worker = Path(f"/proc/{worker_of(questions)}")
    assert worker.exists()
    return worker


def test_a_worker_ends_when_its_folder_is_taken_away(questions: Questions, at_work: Path) -> None:
    questions.data_dir.rename(questions.data_dir.with_name("away"))
    wait_for(lambda: not at_work.exists())
    assert not questions.data_dir.exists()


def test_a_worker_does_not_bring_back_a_folder_that_was_taken_away(data_dir: Path) -> None:
    Questions(data_dir).take_over()
    data_dir.rename(data_dir.with_name("away"))
    with pytest.raises(StorageProblem):
        Questions(data_dir, makes_folder=False).beat()
    assert not data_dir.exists()


def test_none_is_started_where_one_came_since_the_caller_looked(questions: Questions) -> None:
    with FileLock(questions.lock_path) as lock:
        assert lock.acquire()
        questions.take_over()
        assert not questions.may_start()
    assert questions.may_start()


def test_a_worker_ends_when_another_folder_lies_in_place_of_its_own(
    questions: Questions, at_work: Path
) -> None:
    questions.lock_path.rename(questions.lock_path.with_name("away"))
    questions.lock_path.touch()
    wait_for(lambda: not at_work.exists())


def test_the_real_worker_answers_with_an_embedded_model(
    questions: Questions,
    processes_of_their_own: Callable[[Fakes], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ivan_core.models import reward_models

    monkeypatch.setattr(warm, "WARM", (sys.executable, "-m", "ivan_core.warm"))
    card = reward_models.card("ivan/minilm-control")
    asked = AskedModel(
        name=card.id,
        revision=card.revision,
        input_format=None,
        max_tokens=None,
        identity=card.cache_identity,
    )
    found = wait_for(lambda: complete(asked, some_texts(2)))
    assert found.problem is None and all(r.value is not None for r in found.rewards.values())


def test_a_worker_that_cannot_start_is_said(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[Questions] = []
    monkeypatch.setattr(warm, "_spawn", spawned.append)
    monkeypatch.setattr(questions_module, "START_SECONDS", 0.0)
    for _ in range(questions_module.MOST_STARTS):
        assert warm.ask(ONE, some_texts(1)).pending
    warm.ask(ONE, some_texts(1))
    problem = warm.ask(ONE, some_texts(1)).problem
    assert problem and problem.message == "The warm worker could not be started."
    assert len(spawned) == questions_module.MOST_STARTS
    assert warm.ask(ONE, some_texts(1), again=True).pending and len(spawned) > 3


def test_a_silent_worker_is_said(questions: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "SILENT_SECONDS", -1.0)
    with FileLock(questions.lock_path) as lock:
        assert lock.acquire()
        questions.take_over()
        pending = warm.ask(ONE, some_texts(1)).pending
    assert pending and pending.doing.startswith("The warm worker has not answered for")
