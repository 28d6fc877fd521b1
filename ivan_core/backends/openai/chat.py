"""A chat with a model at an OpenAI-compatible API, and the request that asks it for labels."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import ClassVar

from ivan_core.backends.chats import Chat, Question
from ivan_core.backends.openai.client import Account, make_client
from ivan_core.backends.openai.errors import (
    NoCredit,
    ProviderBusy,
    client_errors,
    provider_problem,
    status_of,
    timed_out,
)
from ivan_core.backends.openai.models import least_effort
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import LabelPrompt
from ivan_core.domain.models import ModelReply
from ivan_core.labels.completions import reply_of, whole_text

ANSWER_TOKENS = 600
"""Room for an answer with all 19 keys, which takes about 180 tokens."""
RETRIES = 4
FIRST_WAIT = 1.0
FAILURES_IN_A_ROW = 8
"""After so many texts without an answer it is the server that fails, not the texts."""

_OF_THE_TEXT = (400, 413, 422, 500)
"""Answers that may be about this one text: too long, refused, or one that breaks the model."""


def chat_body(model: str, question: Question) -> dict[str, object]:
    """The body of the request for one answer, the same in a batch line and in a direct call.

    The model reasons as little as it can: reasoning is paid as output and on by default.
    """
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": "system", "content": whole_text(question.system)},
            {"role": "user", "content": whole_text(question.user)},
        ],
        "max_completion_tokens": question.room,
    }
    if question.schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "labels", "strict": True, "schema": question.schema},
        }
    if effort := least_effort(model):
        body["reasoning_effort"] = effort
    if question.temperature is not None:
        body["temperature"] = question.temperature
    if question.seed is not None:
        body["seed"] = question.seed
    return body


def label_body(prompt: LabelPrompt, model: str, room: int = ANSWER_TOKENS) -> dict[str, object]:
    """The body of the request for the labels of one text."""
    return chat_body(model, Question(prompt.system, prompt.user, room, schema=prompt.schema))


class OpenAIChat(Chat):
    """Asks one model at any OpenAI-compatible server.

    A lost or refused answer is asked for again a few times, with growing pauses: one text costs
    little. `retries` counts these, for they may have been paid. Models that reason take neither
    temperature nor seed.
    """

    kind = "openai"
    words: ClassVar = {"room": "max_tokens", "temperature": "temperature", "seed": "seed"}

    def __init__(
        self,
        model: str,
        account: Account,
        *,
        read_seconds: float = 120.0,
        retries: int = RETRIES,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(model, {"server": account.host}, wait)
        self._account = account
        self.reasons = bool(least_effort(model))
        self.steered = not self.reasons
        self._most_retries = retries
        self._client = make_client(account, read_seconds=read_seconds)

    def release(self) -> None:
        """Nothing: the model is in another machine's memory."""

    def ask(self, question: Question) -> ModelReply:
        """One answer; raises as `send` does."""
        return self.send(chat_body(self.model, question))

    def send(self, body: Mapping[str, object]) -> ModelReply:
        """The reply to a request that is made already; its problem where the server cannot answer.

        Raises:
            BackendUnavailable: the server is away, refuses the account or fails text after text.
        """
        for attempt in count():
            try:
                answer = self._client.post("/chat/completions", body=body, cast_to=object)
                break
            except client_errors() as error:
                problem = provider_problem(error, self._account, f"model {body.get('model')}")
                if attempt == self._most_retries or not _passes(error, problem):
                    return self._failed(error, problem)
            self._pause(attempt, problem)
        self._count(answered=True)
        return reply_of(answer)

    def _pause(self, attempt: int, problem: BackendUnavailable) -> None:
        asked = problem.retry_after if isinstance(problem, ProviderBusy) else None
        # A share by chance: threads that were refused together should not come back together.
        usual = FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.0)
        self._wait_again(max(usual, asked or 0.0))

    def _failed(self, error: Exception, problem: BackendUnavailable) -> ModelReply:
        """A reply where this text alone may be at fault; else the problem is raised."""
        of_text = status_of(error) in _OF_THE_TEXT or timed_out(error)
        in_a_row = self._count(answered=False)
        if not of_text or isinstance(problem, NoCredit) or in_a_row >= FAILURES_IN_A_ROW:
            raise problem from None
        return ModelReply(problem=problem.message)


def _passes(error: Exception, problem: BackendUnavailable) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(problem, ProviderBusy):
        return problem.worth_waiting
    return status_of(error) in (0, 408, 409)
