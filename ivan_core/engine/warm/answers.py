"""The rewards that the warm worker knows, and questions for those that it does not.

The server loads no model: it puts a question to the worker, sees to it that one is there, and looks
again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from ivan_core.domain.errors import BackendUnavailable, IvanError
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import access
from ivan_core.engine.workers import SILENT_SECONDS, past_hung_worker, start_worker
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.locks import end_holder, holder_of, is_held
from ivan_core.runs.questions import AskedModel, Question, Questions, QuestionState
from ivan_core.settings import data_dir

_Given = TypeVar("_Given")
WARM = (sys.executable, "-m", "ivan_core.warm")
"""The command of the warm worker."""
HUNG_SECONDS = 60.0
"""After so long it is killed, and another one started: it can be killed at any moment."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Not known yet: whom to ask again, and how far it is in texts."""

    request: str
    doing: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the rewards asked for, by text hash; complete once nothing is pending.

    `problem` tells why the rest will not come, unless it is asked for again.
    """

    rewards: Mapping[str, Reward] = field(default_factory=dict)
    pending: Pending | None = None
    problem: IvanError | None = None


class Stopped(IvanError):
    """Somebody withdrew the question."""


def ask(model: AskedModel, texts: Sequence[Dialogue], again: bool = False) -> Answer:
    """The rewards of these texts, as far as they are known; the rest is asked for.

    Calling it once more with the same texts follows the question. One that failed or was stopped
    stays so until `again` puts it anew.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    return _past_hung_worker(lambda: _ask(model, texts, again))


def _ask(model: AskedModel, texts: Sequence[Dialogue], again: bool) -> Answer:
    wanted = {text.hash: text for text in texts}
    known = _cached(model, wanted)
    missing = [text for name, text in wanted.items() if name not in known]
    if not missing:
        return Answer(known)
    access.require_bounded(len(missing), sum(len(text.text) for text in missing))
    key = sha256("".join(sorted(wanted)).encode()).hexdigest()
    questions = Questions(data_dir())
    question = questions.ask(model, key, missing, again)
    if question.state is QuestionState.DONE:
        # The rewards were kept before the question was called answered.
        known = {**_cached(model, wanted), **question.failures}
        if known.keys() >= wanted.keys():
            return Answer(known)
        question = questions.ask(model, key, missing, again=True)
    if question.state is QuestionState.FAILED:
        return Answer(known, problem=BackendUnavailable(question.problem, question.hint))
    if question.state is QuestionState.CANCELLED:
        return Answer(known, problem=Stopped("Stopped before the rewards were there."))
    return Answer(known, _followed(questions, question))


def progress(request: str) -> Pending | None:
    """How far a request is, a dead worker being started again; None once it is over.

    Unlike `ask` it looks for no reward: of many texts that takes longer than a look should.
    """
    return _past_hung_worker(lambda: _progress(request))


def _progress(request: str) -> Pending | None:
    questions = Questions(data_dir())
    question = questions.find(request)
    live = question is not None and question.state.live
    return _followed(questions, question) if question is not None and live else None


def cancel(request: str) -> bool:
    """Withdraw a request; returns whether it was still open. What is scored stays known."""
    return _past_hung_worker(lambda: Questions(data_dir()).cancel(request))


def _past_hung_worker(look: Callable[[], _Given]) -> _Given:
    """Look into the questions, whatever became of the warm worker."""
    return past_hung_worker(look, Questions(data_dir()).lock_path)


def _cached(model: AskedModel, wanted: Mapping[str, Dialogue]) -> dict[str, Reward]:
    with closing(ScoreCache(data_dir() / "cache" / "scores")) as cache:
        return cache.get_many(model.cache_key, wanted)


def _followed(questions: Questions, question: Question) -> Pending:
    """An open question, with a worker there for it or on its way."""
    doing = question.doing or "Waiting for its turn"
    if not is_held(questions.lock_path):
        doing = "Starting the warm worker"
        if questions.may_start():
            _spawn(questions)
    else:
        silent = time.time() - questions.heartbeat()
        holder = holder_of(questions.lock_path) if silent > HUNG_SECONDS else None
        # Another worker may have taken over since the heartbeat was read.
        still = time.time() - questions.heartbeat() > HUNG_SECONDS
        if still and holder is not None and end_holder(holder, questions.lock_path):
            doing = "Replacing the warm worker, which hung"
        elif silent > SILENT_SECONDS:
            doing = f"The warm worker has not answered for {silent:.0f} s"
    return Pending(question.id, doing, question.done, question.total)


def _spawn(questions: Questions) -> None:
    """Start the warm worker, which ends itself when it is not needed."""
    start_worker(WARM, questions.log_path, "warm")
