"""A labeler on an Ollama server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from ivan_core.backends.ollama.asking import OllamaAsker
from ivan_core.backends.ollama.client import OllamaServer
from ivan_core.backends.openai.chat import sendable
from ivan_core.domain.labels import LabelerCard, LabelPrompt, LabelReply

ANSWER_TOKENS = 1024
"""Room for the answer inside the context, and the most that a model may write."""

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)


class OllamaLabeler:
    """Labels one text a call; may be used by several threads.

    Raises BackendUnavailable if the server is away, ModelMissing if it lacks the model.
    """

    def __init__(
        self,
        model: str,
        server: OllamaServer,
        *,
        num_ctx: int | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._asker = OllamaAsker(model, server, num_ctx=num_ctx, wait=wait)
        self._options: dict[str, object] = {"temperature": temperature, "seed": seed}
        settings = {
            **self._asker.facts(),
            **{name: str(value) for name, value in self._options.items()},
            "num_predict": str(ANSWER_TOKENS),
        }
        self._card = LabelerCard(
            model, server.find(model).digest, "ollama", tuple(settings.items())
        )

    @property
    def card(self) -> LabelerCard:
        return self._card

    @property
    def retries(self) -> int:
        """How often a full queue was waited for."""
        return self._asker.retries

    def release(self) -> None:
        """Make room in this machine's memory."""
        self._asker.release()

    def label(self, prompt: LabelPrompt) -> LabelReply:
        """The raw answer without the model's thoughts; too long a text gets a problem instead.

        Raises:
            BackendUnavailable: the server is away, lacks the model or fails text after text.
        """
        asked = self._asker.ask(
            prompt.system,
            prompt.user,
            room=ANSWER_TOKENS,
            options=self._options,
            schema=prompt.schema,
        )
        if asked.answer is None:
            return LabelReply(problem=asked.problem)
        return LabelReply(
            text=sendable(without_thoughts(asked.answer.text)),
            finish=asked.answer.finish,
            problem=asked.problem,
            input_tokens=asked.answer.input_tokens,
            output_tokens=asked.answer.output_tokens,
        )


def without_thoughts(text: str) -> str:
    """The answer without blocks in which the model thinks aloud, finished or not."""
    return _THOUGHTS.sub("", text).strip()
