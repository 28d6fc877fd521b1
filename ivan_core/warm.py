"""The warm worker: `python -m ivan_core.warm`. One a data folder; it answers while people wait.

It keeps models loaded between questions and ends itself after five idle minutes (`IVAN_WARM_IDLE`,
in seconds), or as soon as somebody else on this machine waits to load models: only the end of a
process gives all memory back. Whoever asks next starts another one.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.models import Reward, RewardModel
from ivan_core.domain.runs import RunState
from ivan_core.domain.transcripts import Dialogue
from ivan_core.models import reward_models
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.locks import WARM, FileLock, is_held, sign, waiting_mark, whoever_has
from ivan_core.runs.questions import AskedModel, Questions
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import keep_private
from ivan_core.settings import data_dir, setting, share_the_machine, slot_file

IDLE_SECONDS = 300.0
CHUNK = 16
"""Texts that are scored at once, of few texts; each chunk is kept."""
CHUNKS = 128
"""Of many texts a chunk is larger, so that there are not many more chunks than this."""
TAKE_OVER_SECONDS = 2.0
"""How long to wait for the worker before, which may be just about to end."""
GIVE_WAY_SECONDS = 0.5
"""How often to look whether somebody waits for the slot."""
_LOOK_SECONDS = 0.1
_BEAT_SECONDS = 1.0

Load = Callable[[AskedModel], RewardModel]


class _NotWanted(Exception):
    """The question was withdrawn."""


def serve(questions: Questions, load: Load, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer questions until there have been none for a while or the machine's slot is wanted.

    Returns at once where another worker serves this data folder.
    """
    with FileLock(questions.lock_path) as lock, FileLock(slot_file()) as slot:
        if not lock.acquire(timeout=TAKE_OVER_SECONDS):
            return
        questions = Questions(questions.data_dir, makes_folder=False)  # `acquire` has made it
        questions.take_over()  # first: whoever is known to serve is not taken for one that hangs
        sign(lock, WARM, questions.data_dir)
        over = threading.Event()
        heart = threading.Thread(target=_beat, args=(questions, lock, over), daemon=True)
        heart.start()
        try:
            with closing(ScoreCache(questions.data_dir / "cache" / "scores")) as cache:
                _Service(questions, load, slot, cache).answer_until_idle(idle_seconds)
        finally:
            over.set()
            heart.join()


def _beat(questions: Questions, lock: FileLock, over: threading.Event) -> None:
    while not over.wait(_BEAT_SECONDS):
        if not lock.in_place:
            # The data folder was taken away, or another lies there: nobody can ask, and a beat
            # would bring it back.
            os._exit(0)
        # A beat that fails does no harm: the next may go through, and the lock says we live.
        with suppress(sqlite3.Error, IvanError):
            questions.beat()


class _Service:
    """The models that are loaded, and the questions put to them."""

    def __init__(self, questions: Questions, load: Load, slot: FileLock, cache: ScoreCache) -> None:
        self._questions = questions
        self._load = load
        self._slot = slot
        self._cache = cache
        self._registry = Registry(questions.data_dir)
        self._loaded: dict[AskedModel, RewardModel] = {}

    def answer_until_idle(self, idle_seconds: float) -> None:
        last = looked = time.monotonic()
        while time.monotonic() - last < idle_seconds:
            if self._answer_next():
                last = time.monotonic()
            else:
                time.sleep(_LOOK_SECONDS)
            if self._loaded and time.monotonic() - looked > GIVE_WAY_SECONDS:
                looked = time.monotonic()
                if is_wanted(self._slot.path, self._registry):
                    return

    def _answer_next(self) -> bool:
        found = self._questions.next()
        if found is None:
            return False
        question, model, texts = found
        try:
            self._questions.answer(question.id, self._score(question.id, model, texts))
        except _NotWanted:
            pass  # Whoever withdrew it has said so in its state.
        except IvanError as error:
            self._fail(question.id, error.message, error.hint)
        except Exception as error:
            self._fail(
                question.id,
                f"Something unforeseen happened: {type(error).__name__}.",
                f"The details are in {self._questions.log_path}.",
            )
        if not self._loaded:
            self._slot.release()
        return True

    def _fail(self, question: str, problem: str, hint: str) -> None:
        self._questions.fail(question, problem, hint)
        traceback.print_exc()

    def _score(self, question: str, asked: AskedModel, texts: list[Dialogue]) -> dict[str, Reward]:
        """Bring the rewards of all texts into the cache; returns those that cannot be had."""
        # Somebody else may have scored them while the question waited.
        known = self._cache.get_many(asked.cache_key, [text.hash for text in texts])
        missing = [text for text in texts if text.hash not in known]
        failures: dict[str, Reward] = {}
        done = said = len(texts) - len(missing)
        doing = f"Scoring with {' and '.join(one.name for one in (asked, *asked.also))}"

        def say_more(count: int) -> None:
            nonlocal said
            said += count
            self._say(question, doing, said)

        model = self._model(question, asked.alone) if missing else None
        size = max(CHUNK, len(missing) // CHUNKS)
        while model is not None and missing:
            chunk, missing = missing[:size], missing[size:]
            said = done
            say_more(0)
            scored = _by_hash(chunk, model.score(chunk, say_more))
            for other in asked.also:
                along = self._model(question, other).score(chunk, lambda count: say_more(0))
                self._cache.put_many(other.cache_key, _by_hash(chunk, along))
            # Last: who sees these may ask for the others, which are known by then.
            self._cache.put_many(asked.cache_key, scored)
            failures |= {key: reward for key, reward in scored.items() if reward.value is None}
            done += len(chunk)
        return failures

    def _model(self, question: str, asked: AskedModel) -> RewardModel:
        """A model, loaded now if it is not. The embedded ones share memory; others come alone."""
        model = self._loaded.get(asked)
        if model is not None:
            return model
        self._wait_for_slot(question)
        self._say(question, f"Loading {asked.name}", 0)
        names = [asked.name, *(other.name for other in self._loaded)]
        if not reward_models.fit_together(names):
            self._loaded.clear()
        model = self._load(asked)
        if model.card.cache_identity != asked.identity:
            raise BadInput(
                f"{asked.name} is not the same as in the run (its revision, input format, length "
                "or precision differs).",
                "Start a new run, so that its rewards can be compared.",
            )
        self._loaded[asked] = model
        return model

    def _wait_for_slot(self, question: str) -> None:
        with waiting_mark(self._slot.path) as mark:
            while not self._slot.acquire():
                mark.acquire()
                who = whoever_has(self._slot.path, self._questions.data_dir)
                self._say(question, f"Waiting for {who}", 0)
                self._slot.acquire(timeout=0.5)
        sign(self._slot, WARM, self._questions.data_dir)

    def _say(self, question: str, doing: str, done: int) -> None:
        if not self._questions.progress(question, doing, done):
            raise _NotWanted


def _by_hash(texts: Sequence[Dialogue], rewards: Sequence[Reward]) -> dict[str, Reward]:
    return {text.hash: reward.kept() for text, reward in zip(texts, rewards, strict=True)}


def is_wanted(slot: Path, registry: Registry) -> bool:
    """Whether somebody may wait for the slot while the caller holds it.

    That is whoever shows the mark, on the whole machine, or a run of this data folder: at work
    without the slot it waits for it, or will want it soon.
    """
    if is_held(waiting_mark(slot).path):
        return True
    working = (RunState.QUEUED, RunState.RUNNING)
    return any(run.state in working for run in registry.some(states=working))


def _own_model(asked: AskedModel) -> RewardModel:
    return reward_models.make(
        asked.name,
        asked.revision,
        asked.input_format,
        asked.max_tokens,
        asked.system,
        asked.quantization,
    )


def main() -> int:
    keep_private(data_dir())
    os.nice(10)
    share_the_machine()
    try:
        idle = float(setting("IVAN_WARM_IDLE", str(IDLE_SECONDS)))
        serve(Questions(data_dir()), _own_model, idle)
    except IvanError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
