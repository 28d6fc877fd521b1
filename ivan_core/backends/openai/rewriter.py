"""A rewriter at any OpenAI-compatible chat endpoint."""

from __future__ import annotations

import time
from collections.abc import Callable

from ivan_core.backends.ollama.rewriter import (
    THOUGHT_TOKENS,
    answer_room,
    temperature_of,
    told_temperature,
)
from ivan_core.backends.openai.chat import RETRIES, OpenAILabeler, chat_body
from ivan_core.backends.openai.client import Account
from ivan_core.backends.openai.models import model_family
from ivan_core.domain.labels import LabelPrompt, TextKey
from ivan_core.domain.rewriting import RewriterCard, RewriteReply, RewriteRequest


class OpenAIRewriter:
    """Rewords one piece a call; may be used by several threads.

    Requests are sent as labels are asked for: a lost or refused answer is asked for again a few
    times, with growing pauses. Models that reason accept neither temperature nor seed: they get
    none unless a temperature is given; others get the style's own.
    """

    def __init__(
        self,
        model: str,
        account: Account,
        *,
        temperature: float | None = None,
        seed: int = 0,
        reasoning_effort: str | None = None,
        read_seconds: float = 120.0,
        retries: int = RETRIES,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._model = model
        self._account = account
        self._temperature = temperature
        self._seed = seed
        self._effort = reasoning_effort
        family = model_family(model)
        self._reasons = family is not None and bool(family.effort)
        self._sender = OpenAILabeler(
            model, account, read_seconds=read_seconds, retries=retries, wait=wait
        )

    @property
    def card(self) -> RewriterCard:
        settings = [("server", self._account.host)]
        if self._temperature is not None or not self._reasons:
            settings.append(("temperature", told_temperature(self._temperature)))
        if not self._reasons:
            settings.append(("seed", str(self._seed)))
        return RewriterCard(self._model, kind="openai", settings=tuple(settings))

    @property
    def retries(self) -> int:
        """How often an answer was asked for again because it was lost or refused."""
        return self._sender.retries

    def rewrite(self, request: RewriteRequest) -> RewriteReply:
        """The raw answer; a piece that the server cannot reword gets a reply with its problem.

        Raises:
            BackendUnavailable: the server is away, refuses the account or fails text after text.
        """
        reply = self._sender.send(self.body(request))
        return RewriteReply(
            reply.text,
            reply.problem,
            reply.input_tokens,
            reply.output_tokens,
            reply.finish,
            reply.refusal,
        )

    def body(self, request: RewriteRequest) -> dict[str, object]:
        """The body of the request for one piece."""
        key = TextKey(request.key.row_id, "chosen")
        temperature = self._temperature
        if temperature is None and not self._reasons:
            temperature = temperature_of(request, None)
        body = chat_body(
            LabelPrompt(key, (), request.system, request.user, request.text),
            self._model,
            max_completion_tokens=most_answer_tokens(request.text, self._reasons),
            reasoning_effort=self._effort,
            temperature=temperature,
        )
        return body if self._reasons else {**body, "seed": self._seed + request.attempt - 1}


def most_answer_tokens(text: str, reasons: bool) -> int:
    """Tokens that are paid for an answer at the most; some models think before they answer."""
    return answer_room(text) + (THOUGHT_TOKENS if reasons else 0)
