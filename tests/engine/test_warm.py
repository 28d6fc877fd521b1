"""The warm worker: one a data folder, polite, gone when idle; what it knows is known for good."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import FakeRewardModel, Fakes, fake_reward
from fakes.warm import ONE, answered, asked_model, loader, serving, some_texts
from given import made_runs
from given.support import wait_for

import ivan_core.warm as warm_worker
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import Reward
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm import answers as warm
from ivan_core.engine.warm.answers import Pending, Stopped
from ivan_core.experiments.compare.ablation import model_of
from ivan_core.experiments.compare.results import open_results
from ivan_core.runs import questions as questions_module
from ivan_core.runs.locks import FileLock, is_held, waiting_mark
from ivan_core.runs.questions import AskedModel, Questions, QuestionState
from ivan_core.runs.registry import Registry
from ivan_core.settings import slot_file
from ivan_core.warm import is_wanted, serve


@pytest.fixture
def questions(data_dir: Path) -> Questions:
    return Questions(data_dir)


@pytest.fixture(autouse=True)
def spawned(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[Questions]:
    """Times a worker would have been started, in place of workers."""
    calls: list[Questions] = []
    monkeypatch.setattr(warm, "_spawn", calls.append)
    monkeypatch.setattr(warm_worker, "GIVE_WAY_SECONDS", 0.0)
    return calls


def state_of(questions: Questions, pending: Pending) -> QuestionState | None:
    found = questions.find(pending.request)
    return found.state if found else None


def test_what_a_run_has_scored_is_answered_without_any_worker(
    data_dir: Path, spawned: list[Questions]
) -> None:
    results = open_results(made_runs.finished(data_dir, made_runs.spec_of_sample(limit=3)))
    pair = results.dataset.pair(1)
    for model in results.models:
        answer = warm.ask(model_of(results, model), [pair.chosen, pair.rejected])
        row = results.table[(results.table["model"] == model) & (results.table["row_id"] == 1)]
        assert answer.pending is None
        assert answer.rewards[pair.chosen.hash].value == row["chosen_reward"].item()
        assert answer.rewards[pair.rejected.hash].value == row["rejected_reward"].item()
    assert not spawned and not (data_dir / "warm.sqlite").exists()


def test_a_pinned_model_shares_its_scores_with_the_run(data_dir: Path) -> None:
    spec = made_runs.spec_of_sample(("fake/one@abc",), limit=1)
    results = open_results(made_runs.finished(data_dir, spec))
    asked = model_of(results, "fake/one@abc")
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
        assert state_of(questions, first.pending) is QuestionState.DONE
    assert answered(ONE, texts) == found
    assert log.read_text().splitlines() == ["fake/one 16", "fake/one 16", "fake/one 8"]
    assert len(spawned) == 1


def test_of_many_texts_more_are_scored_at_once(
    questions: Questions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setattr(warm_worker, "CHUNKS", 2)
    with serving(questions, loader(Fakes(log=str(log)))):
        answered(ONE, some_texts(41))
    assert log.read_text().splitlines() == ["fake/one 20", "fake/one 20", "fake/one 1"]


def test_a_model_that_reads_along_is_asked_for_nothing_afterwards(
    questions: Questions, spawned: list[Questions], tmp_path: Path
) -> None:
    log, two = tmp_path / "log", asked_model("fake/two")
    texts = some_texts(20)
    with serving(questions, loader(Fakes(log=str(log)))):
        first = answered(ONE.model_copy(update={"also": (two,)}), texts)
    lines = ["fake/one 16", "fake/two 16", "fake/one 4", "fake/two 4"]
    assert log.read_text().splitlines() == lines
    second = warm.ask(two, texts)
    assert second.pending is None and not second.problem
    for name, answer in (("fake/one", first), ("fake/two", second)):
        rewards = {key: reward.value for key, reward in answer.rewards.items()}
        assert rewards == {text.hash: fake_reward(name, text.hash) for text in texts}
    assert spawned == []


def test_how_far_a_question_is_can_be_asked_alone(questions: Questions) -> None:
    pending = warm.ask(ONE, some_texts(40)).pending
    assert pending is not None and warm.progress(pending.request) == pending
    with serving(questions, loader(Fakes())):
        answered(ONE, some_texts(40))
    assert warm.progress(pending.request) is None
    assert warm.progress("unknown") is None


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
    assert state_of(questions, first) is QuestionState.CANCELLED
    monkeypatch.setattr(questions_module, "KEPT_SECONDS", -1.0)
    warm.ask(ONE, some_texts(3))
    assert state_of(questions, first) is None


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
        warm.ask(ONE, some_texts(2))
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
        worker.join(300)
        assert not worker.is_alive() and not is_held(slot_file())


def test_it_gives_way_to_whoever_shows_the_mark(questions: Questions) -> None:
    with serving(questions, loader(Fakes())) as worker:
        answered(ONE, some_texts(1))
        with waiting_mark(slot_file()) as mark:
            assert mark.acquire()
            worker.join(300)
        assert not worker.is_alive()


def test_without_models_it_holds_no_slot(questions: Questions) -> None:
    def load(_: AskedModel) -> Any:
        raise BackendUnavailable("The hub does not answer.", "Try later.")

    warm.ask(ONE, some_texts(1))
    with serving(questions, load, idle_seconds=0.5):
        problem = answered(ONE, some_texts(1)).problem
        assert problem and (problem.message, problem.hint) == (
            "The hub does not answer.",
            "Try later.",
        )
        wait_for(lambda: not is_held(slot_file()))
    assert warm.ask(ONE, some_texts(1)).problem
    assert warm.ask(ONE, some_texts(1), again=True).pending


def test_a_model_that_is_not_the_runs_is_refused(questions: Questions) -> None:
    warm.ask(ONE, some_texts(1))
    with serving(questions, loader(Fakes(revision="r2")), idle_seconds=0.3):
        problem = answered(ONE, some_texts(1)).problem
    assert problem and "is not the same as in the run" in problem.message


def test_what_nobody_foresaw_is_a_sentence(questions: Questions) -> None:
    warm.ask(ONE, some_texts(1))
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
        assert self.open.acquire(timeout=300)
        return super().score(dialogues)


def test_a_cancelled_question_stops_and_keeps_what_is_scored(questions: Questions) -> None:
    gate, texts = Gate(), some_texts(40)
    with serving(questions, lambda _: gate):
        pending = warm.ask(ONE, texts).pending
        assert pending and gate.asked.acquire(timeout=300)
        gate.open.release()
        assert gate.asked.acquire(timeout=300)
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
        wait_for(lambda: len(warm.ask(ONE, texts).rewards) == 32)  # what was being scored is kept
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
