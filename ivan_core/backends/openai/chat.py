"""A chat with a model at an OpenAI-compatible API, and the request that asks it for labels."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Literal

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


def chat_body(
    model: str,
    system: str,
    user: str,
    *,
    room: int,
    temperature: float | None = None,
    seed: int | None = None,
    schema: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The body of the request for one answer, the same in a batch line and in a direct call.

    The model reasons as little as it can: reasoning is paid as output and on by default.
    """
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": "system", "content": whole_text(system)},
            {"role": "user", "content": whole_text(user)},
        ],
        "max_completion_tokens": room,
    }
    if schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "labels", "strict": True, "schema": schema},
        }
    if effort := least_effort(model):
        body["reasoning_effort"] = effort
    if temperature is not None:
        body["temperature"] = temperature
    if seed is not None:
        body["seed"] = seed
    return body


def label_body(prompt: LabelPrompt, model: str, room: int = ANSWER_TOKENS) -> dict[str, object]:
    """The body of the request for the labels of one text."""
    return chat_body(model, prompt.system, prompt.user, room=room, schema=prompt.schema)


class OpenAIChat:
    """Asks one model at any OpenAI-compatible server; may be used by several threads.

    A lost or refused answer is asked for again a few times, with growing pauses: one text costs
    little. `retries` counts these, for they may have been paid. Models that reason take neither
    temperature nor seed.
    """

    kind: Literal["ollama", "openai"] = "openai"
    revision = ""

    def __init__(
        self,
        model: str,
        account: Account,
        *,
        read_seconds: float = 120.0,
        retries: int = RETRIES,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.model = model
        self._account = account
        self.reasons = bool(least_effort(model))
        self.steered = not self.reasons
        self._most_retries = retries
        self._wait = wait
        self._client = make_client(account, read_seconds=read_seconds)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.retries = 0

    def release(self) -> None:
        """Nothing: the model is in another machine's memory."""

    def settings(
        self, *, temperature: str | None = None, seed: int | None = None, room: int | None = None
    ) -> tuple[tuple[str, str], ...]:
        """The settings of every question, for a card."""
        given = {"max_tokens": room, "temperature": temperature, "seed": seed}
        told = {name: str(value) for name, value in given.items() if value is not None}
        return tuple({"server": self._account.host, **told}.items())

    def ask(
        self,
        system: str,
        user: str,
        *,
        room: int,
        temperature: float | None = None,
        seed: int | None = None,
        schema: Mapping[str, object] | None = None,
    ) -> ModelReply:
        """One answer of at most `room` tokens; raises as `send` does."""
        return self.send(
            chat_body(
                self.model,
                system,
                user,
                room=room,
                temperature=temperature,
                seed=seed,
                schema=schema,
            )
        )

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
        with self._lock:
            self._failed_in_a_row = 0
        return reply_of(answer)

    def _pause(self, attempt: int, problem: BackendUnavailable) -> None:
        with self._lock:
            self.retries += 1
        asked = problem.retry_after if isinstance(problem, ProviderBusy) else None
        # Threads that were refused together should not come back together.
        self._wait(max(FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.0), asked or 0.0))

    def _failed(self, error: Exception, problem: BackendUnavailable) -> ModelReply:
        """A reply where this text alone may be at fault; else the problem is raised."""
        of_text = status_of(error) in _OF_THE_TEXT or timed_out(error)
        with self._lock:
            self._failed_in_a_row += 1
            in_a_row = self._failed_in_a_row
        if not of_text or isinstance(problem, NoCredit) or in_a_row >= FAILURES_IN_A_ROW:
            raise problem from None
        return ModelReply(problem=problem.message)


def _passes(error: Exception, problem: BackendUnavailable) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(problem, ProviderBusy):
        return problem.worth_waiting
    return status_of(error) in (0, 408, 409)
