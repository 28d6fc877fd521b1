"""A rewriter on an Ollama server."""

from __future__ import annotations

import time
from collections.abc import Callable

from ivan_core.backends.ollama.asking import OllamaAsker
from ivan_core.backends.ollama.client import OllamaServer
from ivan_core.backends.openai.chat import sendable
from ivan_core.backends.token_counts import BYTES_PER_TOKEN
from ivan_core.domain.rewriting import TEMPERATURES, RewriterCard, RewriteReply, RewriteRequest

SPARE_TOKENS = 256
"""Room for an answer beside twice the text, which is the longest that is accepted."""
THOUGHT_TOKENS = 1024
"""Room for what a model thinks that cannot be told not to."""


class OllamaRewriter:
    """Rewords one piece a call; may be used by several threads.

    The temperature is the style's own unless one is given. A piece that is asked for again gets
    the next seed, so that the model does not repeat itself.

    Raises BackendUnavailable if the server is away, ModelMissing if it lacks the model.
    """

    def __init__(
        self,
        model: str,
        server: OllamaServer,
        *,
        num_ctx: int | None = None,
        temperature: float | None = None,
        seed: int = 0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._asker = OllamaAsker(model, server, num_ctx=num_ctx, wait=wait)
        self._temperature = temperature
        self._seed = seed
        settings = {
            **self._asker.facts(),
            "temperature": told_temperature(temperature),
            "seed": str(seed),
        }
        self._card = RewriterCard(
            model, server.find(model).digest, "ollama", tuple(settings.items())
        )

    @property
    def card(self) -> RewriterCard:
        return self._card

    @property
    def retries(self) -> int:
        """How often a full queue was waited for."""
        return self._asker.retries

    def release(self) -> None:
        """Make room in this machine's memory."""
        self._asker.release()

    def rewrite(self, request: RewriteRequest) -> RewriteReply:
        """The raw answer; a piece without one, or whose prompt was cut, gets its problem.

        Raises:
            BackendUnavailable: the server is away, lacks the model or fails text after text.
        """
        thoughts = THOUGHT_TOKENS if self._asker.think else 0
        asked = self._asker.ask(
            request.system,
            request.user,
            room=answer_room(request.text) + thoughts,
            options={
                "temperature": temperature_of(request, self._temperature),
                "seed": self._seed + request.attempt - 1,
            },
        )
        if asked.answer is None:
            return RewriteReply(problem=asked.problem)
        return RewriteReply(
            sendable(asked.answer.text),
            asked.problem,
            asked.answer.input_tokens,
            asked.answer.output_tokens,
            asked.answer.finish,
        )


def answer_room(text: str) -> int:
    """Tokens for the longest answer that would be accepted."""
    return 2 * (len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) + SPARE_TOKENS


def temperature_of(request: RewriteRequest, fixed: float | None) -> float:
    """The temperature that was given, else that of the request's style."""
    return TEMPERATURES.get(request.style, 0.0) if fixed is None else fixed


def told_temperature(fixed: float | None) -> str:
    """The temperature as a card has it."""
    if fixed is not None:
        return f"{fixed:g}"
    return ", ".join(f"{style} {value:g}" for style, value in TEMPERATURES.items())
