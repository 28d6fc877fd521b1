"""The warm worker: one a data folder, polite, gone when idle, and safe to kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_runs
import pytest
from fake_warm import PID, loader
from fakes import FakeRewardModel, Fakes, fake_reward
from support import wait_for

import ivan_core.warm as warm_worker
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.rewards import Reward
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.runs import questions as questions_module
from ivan_core.runs.locks import FileLock, is_held
from ivan_core.runs.questions import AskedModel, Questions, QuestionState
from ivan_core.runs.registry import Registry
from ivan_core.runs.slot import is_wanted, waiting_mark
from ivan_core.settings import slot_file
from ivan_core.warm import serve
from ivan_core.workspace import warm
from ivan_core.workspace.results import open_results
from ivan_core.workspace.warm import Answer, Stopped

FAKE_WORKER = (sys.executable, str(Path(__file__).parent / "fake_warm.py"))


def asked_model(name: str = "fake/one", fakes: Fakes | None = None) -> AskedModel:
    identity = FakeRewardModel(name, fakes or Fakes()).card.cache_identity
    return AskedModel(
        name=name, revision="r1", input_format=None, max_tokens=None, identity=identity
    )


ONE = asked_model()


def some_texts(count: int) -> list[Dialogue]:
    return [Dialogue(f"\n\nHuman: Hi\n\nAssistant: Secret answer {i}.") for i in range(count)]


@pytest.fixture
def questions(data_dir: Path) -> Questions:
    return Questions(data_dir)


@pytest.fixture(autouse=True)
def spawned(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[Questions]:
    """Times a worker would have been started, in place of workers."""
    calls: list[Questions] = []
    monkeypatch.setattr(warm, "_spawn", calls.append)
    return calls


@contextmanager
def serving(
    questions: Questions, load: Callable[[AskedModel], Any], idle_seconds: float = 60.0
) -> Iterator[threading.Thread]:
    """A warm worker in a thread; the block is left when it has ended, being told to if need be."""
    thread = threading.Thread(target=serve, args=(questions, load, idle_seconds))
    thread.start()
    try:
        wait_for(lambda: is_held(questions.lock_path) or not thread.is_alive())
        yield thread
    finally:
        with waiting_mark(slot_file()) as mark:
            mark.acquire(timeout=5)
            thread.join(20)
        assert not thread.is_alive()


def answered(model: AskedModel, texts: Sequence[Dialogue], again: bool = False) -> Answer:
    """Ask, and look again until nothing is pending."""
    first = warm.ask(model, texts, again)
    return first if not first.pending else wait_for(lambda: _complete(model, texts), 20)


def _complete(model: AskedModel, texts: Sequence[Dialogue]) -> Answer | None:
    found = warm.ask(model, texts)
    return None if found.pending else found


def test_what_a_run_has_scored_is_answered_without_any_worker(
    data_dir: Path, spawned: list[Questions]
) -> None:
    results = open_results(made_runs.finished(data_dir, made_runs.spec_of_sample(limit=3)))
    pair = results.dataset.pair(1)
    for model in results.models:
        answer = warm.ask(warm.model_of(results, model), [pair.chosen, pair.rejected])
        row = results.table[(results.table["model"] == model) & (results.table["row_id"] == 1)]
        assert answer.pending is None
        assert answer.rewards[pair.chosen.hash].value == row["chosen_reward"].item()
        assert answer.rewards[pair.rejected.hash].value == row["rejected_reward"].item()
    assert not spawned and not (data_dir / "warm.sqlite").exists()


def test_a_pinned_model_shares_its_scores_with_the_run(data_dir: Path) -> None:
    spec = made_runs.spec_of_sample(("fake/one@abc",), limit=1)
    results = open_results(made_runs.finished(data_dir, spec))
    asked = warm.model_of(results, "fake/one@abc")
    assert (asked.name, asked.revision) == ("fake/one@abc", "r1")
    assert asked.identity == ONE.identity


def test_a_question_is_answered_once_and_then_known(
    questions: Questions, spawned: list[Questions], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    texts = some_texts(40)
    first = warm.ask(ONE, texts)
    assert first.pending is not None and first.pending.total == 40 and len(spawned) == 1
    with serving(questions, loader(Fakes(log=str(log)))):
        found = answered(ONE, texts)
        assert {text.hash: fake_reward("fake/one", text.hash) for text in texts} == {
            name: reward.value for name, reward in found.rewards.items()
        }
        assert warm.state(first.pending.request) is QuestionState.DONE
    assert answered(ONE, texts) == found
    assert log.read_text().splitlines() == ["fake/one 16", "fake/one 16", "fake/one 8"]
    assert len(spawned) == 1


def test_no_text_outlives_its_answer(questions: Questions) -> None:
    file = questions.data_dir / "warm.sqlite"
    warm.ask(ONE, some_texts(300))
    assert b"Secret answer 7." in file.read_bytes()
    with serving(questions, loader(Fakes())):
        answered(ONE, some_texts(300))
    assert b"Secret" not in file.read_bytes()


def test_answers_are_forgotten_after_an_hour(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = warm.ask(ONE, some_texts(1)).pending
    assert first is not None and warm.cancel(first.request)
    warm.ask(ONE, some_texts(2))
    assert warm.state(first.request) is QuestionState.CANCELLED
    monkeypatch.setattr(questions_module, "KEPT_SECONDS", -1.0)
    warm.ask(ONE, some_texts(3))
    assert warm.state(first.request) is None


def test_texts_that_cannot_be_scored_are_told_and_not_asked_for_again(
    questions: Questions, spawned: list[Questions]
) -> None:
    with serving(questions, loader(Fakes(failing="0123456789abcdef"))):
        found = answered(ONE, some_texts(2))
        why = Reward(None, failure="the fake was told to fail")
        assert list(found.rewards.values()) == [why, why]
        assert warm.ask(ONE, some_texts(2)) == found
        assert warm.ask(ONE, some_texts(2), again=True).pending


def test_an_idle_worker_ends_and_leaves_the_slot(questions: Questions) -> None:
    warm.ask(ONE, some_texts(1))
    serve(questions, loader(Fakes()), idle_seconds=0.3)
    assert warm.ask(ONE, some_texts(1)).pending is None
    assert not is_held(questions.lock_path) and not is_held(slot_file())


def test_one_worker_serves_a_folder(questions: Questions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_worker, "TAKE_OVER_SECONDS", 0.1)
    with serving(questions, loader(Fakes())):
        serve(questions, loader(Fakes()))
        assert is_held(questions.lock_path)
        warm.ask(ONE, some_texts(1))
        wait_for(lambda: is_held(slot_file()))


def test_it_waits_for_a_run_that_has_the_slot_and_is_seen_to_wait(questions: Questions) -> None:
    registry = Registry(questions.data_dir)
    with FileLock(slot_file()) as slot:
        assert slot.acquire()
        assert not is_wanted(slot_file(), registry)
        with serving(questions, loader(Fakes()), idle_seconds=0.5):
            waiting = "Waiting for another run on this machine"
            wait_for(lambda: (p := warm.ask(ONE, some_texts(2)).pending) and p.doing == waiting)
            wait_for(lambda: is_wanted(slot_file(), registry))
            slot.release()
            assert len(answered(ONE, some_texts(2)).rewards) == 2


def test_it_gives_way_to_a_run_of_its_folder(questions: Questions) -> None:
    with serving(questions, loader(Fakes())) as worker:
        answered(ONE, some_texts(1))
        assert is_held(slot_file())
        Registry(questions.data_dir).add("compare", CompareSpec().model_dump_json(), "f")
        worker.join(10)
        assert not worker.is_alive() and not is_held(slot_file())


def test_it_gives_way_to_whoever_shows_the_mark(questions: Questions) -> None:
    with serving(questions, loader(Fakes())) as worker:
        answered(ONE, some_texts(1))
        with waiting_mark(slot_file()) as mark:
            assert mark.acquire()
            worker.join(10)
        assert not worker.is_alive()


def test_without_models_it_holds_no_slot(questions: Questions) -> None:
    def load(_: AskedModel) -> Any:
        raise BackendUnavailable("The hub does not answer.", "Try later.")

    with serving(questions, load, idle_seconds=0.5):
        problem = answered(ONE, some_texts(1)).problem
        assert problem and (problem.message, problem.hint) == (
            "The hub does not answer.", "Try later.",
        )  # fmt: skip
        wait_for(lambda: not is_held(slot_file()))
        assert warm.ask(ONE, some_texts(1)).problem
        assert warm.ask(ONE, some_texts(1), again=True).pending


def test_a_model_that_is_not_the_runs_is_refused(questions: Questions) -> None:
    with serving(questions, loader(Fakes(revision="r2")), idle_seconds=0.3):
        problem = answered(ONE, some_texts(1)).problem
    assert problem and "is not the same as in the run" in problem.message


def test_what_nobody_foresaw_is_a_sentence(questions: Questions) -> None:
    with serving(questions, lambda _: 1 / 0, idle_seconds=0.3):
        problem = answered(ONE, some_texts(1)).problem
    assert problem and "ZeroDivisionError" in problem.message


class Gate(FakeRewardModel):
    """A fake that scores when it is let."""

    def __init__(self) -> None:
        super().__init__("fake/one", Fakes())
        self.asked, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def score(self, dialogues: Sequence[Dialogue], progress: Any = None) -> list[Reward]:
        self.asked.release()
        assert self.open.acquire(timeout=20)
        return super().score(dialogues)


def test_a_cancelled_question_stops_and_keeps_what_is_scored(questions: Questions) -> None:
    gate, texts = Gate(), some_texts(40)
    with serving(questions, lambda _: gate):
        pending = warm.ask(ONE, texts).pending
        assert pending and gate.asked.acquire(timeout=10)
        gate.open.release()
        assert gate.asked.acquire(timeout=10)
        now = warm.ask(ONE, texts)
        assert now.pending and (now.pending.done, now.pending.doing) == (
            16,
            "Scoring with fake/one",
        )
        assert warm.cancel(pending.request) and not warm.cancel(pending.request)
        gate.open.release()
        stopped = warm.ask(ONE, texts)
        assert isinstance(stopped.problem, Stopped) and len(stopped.rewards) >= 16
        gate.open.release(5)
        assert len(answered(ONE, some_texts(2)).rewards) == 2
        assert len(warm.ask(ONE, texts).rewards) == 32
        assert len(answered(ONE, texts, again=True).rewards) == 40


def test_large_models_are_loaded_one_at_a_time(questions: Questions) -> None:
    two = asked_model("fake/two")
    loads: list[str] = []

    def load(asked: AskedModel) -> FakeRewardModel:
        loads.append(asked.name)
        return loader(Fakes())(asked)

    with serving(questions, load):
        for number, model in enumerate((ONE, ONE, two, ONE), 1):
            answered(model, some_texts(number))
    assert loads == ["fake/one", "fake/two", "fake/one"]


@pytest.fixture
def processes_of_their_own(
    questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Fakes], None]]:
    """From the call on, workers are started as processes, with fakes that behave as told."""
    monkeypatch.undo()
    monkeypatch.setenv("IVAN_DATA_DIR", str(questions.data_dir))
    monkeypatch.setenv("IVAN_SLOT_FILE", str(questions.data_dir.parent / "slot"))
    monkeypatch.setenv("IVAN_WARM_IDLE", "0.3")
    monkeypatch.setattr(warm, "WARM", FAKE_WORKER)

    def tell(fakes: Fakes) -> None:
        for name, value in fakes.environment().items():
            monkeypatch.setenv(name, value)

    yield tell
    wait_for(lambda: not is_held(questions.lock_path), 20)


def kill_at_work(questions: Questions, texts: Sequence[Dialogue]) -> None:
    """Wait until a worker is at the question, and kill it."""
    wait_for(lambda: (p := warm.ask(ONE, texts).pending) and p.doing.startswith("Scoring"), 20)
    os.kill(int((questions.data_dir / PID).read_text()), signal.SIGKILL)
    wait_for(lambda: not is_held(questions.lock_path))


def test_killed_workers_are_replaced_and_two_deaths_are_a_sentence(
    questions: Questions, processes_of_their_own: Callable[[Fakes], None]
) -> None:
    fakes, texts = Fakes(hangs_at_call=2), some_texts(40)
    processes_of_their_own(fakes)
    kill_at_work(questions, texts)
    known = warm.ask(ONE, texts)
    assert known.pending and len(known.rewards) == 16
    kill_at_work(questions, texts)
    problem = answered(ONE, texts).problem
    assert problem and problem.message == "The warm worker died twice while it was at this."
    processes_of_their_own(replace(fakes, hangs_at_call=0))
    assert len(answered(ONE, texts, again=True).rewards) == 40
    with closing(sqlite3.connect(questions.data_dir / "warm.sqlite")) as db:
        assert db.execute("SELECT texts FROM questions").fetchall() == [("[]",)]


def test_the_real_worker_answers_with_an_embedded_model(
    questions: Questions,
    processes_of_their_own: Callable[[Fakes], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ivan_core import catalog

    monkeypatch.setattr(warm, "WARM", (sys.executable, "-m", "ivan_core.warm"))
    card = catalog.card("ivan/minilm-control")
    asked = AskedModel(
        name=card.id, revision=card.revision, input_format=None, max_tokens=None,
        identity=card.cache_identity,
    )  # fmt: skip
    found = wait_for(lambda: _complete(asked, some_texts(2)), 60)
    assert found.problem is None and all(r.value is not None for r in found.rewards.values())


def test_a_worker_that_cannot_start_is_said(
    questions: Questions, spawned: list[Questions], monkeypatch: pytest.MonkeyPatch
) -> None:
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
