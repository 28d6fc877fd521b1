"""The request that asks an OpenAI-compatible API for labels, and a labeler that sends it."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count

from ivan_core.backends.openai.client import Account, make_client
from ivan_core.backends.openai.errors import (
    NoCredit,
    ProviderBusy,
    client_errors,
    provider_problem,
    status_of,
    timed_out,
)
from ivan_core.backends.openai.models import model_family
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import LabelerCard, LabelPrompt, LabelReply
from ivan_core.labels.completions import reply_of

ANSWER_TOKENS = 600
"""Room for an answer with all 19 keys, which takes about 180 tokens."""
RETRIES = 4
FIRST_WAIT = 1.0
FAILURES_IN_A_ROW = 8
"""After so many texts without an answer it is the server that fails, not the texts."""

_OF_THE_TEXT = (400, 413, 422, 500)
"""Answers that may be about this one text: too long, refused, or one that breaks the model."""


def chat_body(
    prompt: LabelPrompt,
    model: str,
    *,
    max_completion_tokens: int = ANSWER_TOKENS,
    reasoning_effort: str | None = None,
    temperature: float | None = None,
    strict: bool = True,
) -> dict[str, object]:
    """The body of the request for one text, the same in a batch line and in a direct call.

    Without a `reasoning_effort` the model reasons as little as it can: reasoning is paid as output
    and on by default. An empty one leaves the field out, for servers that do not know it.
    """
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": "system", "content": sendable(prompt.system)},
            {"role": "user", "content": sendable(prompt.user)},
        ],
        "max_completion_tokens": max_completion_tokens,
    }
    if prompt.schema:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "labels", "strict": strict, "schema": prompt.schema},
        }
    family = model_family(model)
    effort = reasoning_effort
    if effort is None and family is not None:
        effort = family.effort
    if effort:
        body["reasoning_effort"] = effort
    if temperature is not None:
        body["temperature"] = temperature
    return body


def sendable(text: str) -> str:
    """The text with "?" for halves of characters, which no request can carry."""
    return text.encode("utf-8", "replace").decode()


class OpenAILabeler:
    """Labels one text a call, at any OpenAI-compatible server; may be used by several threads.

    A lost or refused answer is asked for again a few times, with growing pauses: one text costs
    little. `retries` counts these, for they may have been paid.
    """

    def __init__(
        self,
        model: str,
        account: Account,
        *,
        max_completion_tokens: int = ANSWER_TOKENS,
        reasoning_effort: str | None = None,
        temperature: float | None = None,
        read_seconds: float = 120.0,
        retries: int = RETRIES,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._model = model
        self._account = account
        self._max_tokens = max_completion_tokens
        self._effort = reasoning_effort
        self._temperature = temperature
        self._most_retries = retries
        self._wait = wait
        self._client = make_client(account, read_seconds=read_seconds)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.retries = 0

    @property
    def card(self) -> LabelerCard:
        settings = [("server", self._account.host), ("max_tokens", str(self._max_tokens))]
        if self._temperature is not None:
            settings.append(("temperature", f"{self._temperature:g}"))
        return LabelerCard(self._model, kind="openai", settings=tuple(settings))

    def label(self, prompt: LabelPrompt) -> LabelReply:
        """The raw answer; a text that the server cannot label gets a reply with its problem.

        Raises:
            BackendUnavailable: the server is away, refuses the account or fails text after text.
        """
        body = chat_body(
            prompt,
            self._model,
            max_completion_tokens=self._max_tokens,
            reasoning_effort=self._effort,
            temperature=self._temperature,
        )
        return self.send(body)

    def send(self, body: Mapping[str, object]) -> LabelReply:
        """The reply to a request that is already made; raises as `label` does."""
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

    def _failed(self, error: Exception, problem: BackendUnavailable) -> LabelReply:
        """A reply where this text alone may be at fault; else the problem is raised."""
        of_text = status_of(error) in _OF_THE_TEXT or timed_out(error)
        with self._lock:
            self._failed_in_a_row += 1
            in_a_row = self._failed_in_a_row
        if not of_text or isinstance(problem, NoCredit) or in_a_row >= FAILURES_IN_A_ROW:
            raise problem from None
        return LabelReply(problem=problem.message)


def _passes(error: Exception, problem: BackendUnavailable) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(problem, ProviderBusy):
        return problem.worth_waiting
    return status_of(error) in (0, 408, 409)
