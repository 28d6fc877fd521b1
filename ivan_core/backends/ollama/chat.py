"""A chat with a model on an Ollama server: its context, a full queue, texts that fail."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import ClassVar

from ivan_core.backends.chats import BYTES_PER_TOKEN, Chat, Question
from ivan_core.backends.ollama.client import ChatAnswer, OllamaBusy, OllamaServer, OllamaSilent
from ivan_core.backends.openai.client import is_demo
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelReply
from ivan_core.labels.completions import whole_text

ANSWER_TOKENS = 1024
"""Room for labels inside the context, and the most that a model may write of them."""
SMALLEST_CONTEXT = 8192
FIRST_WAIT, LONGEST_WAIT = 1.0, 16.0
"""Seconds between one and the next try where the server's queue is full; each is twice the last."""
FAILURES_IN_A_ROW = 5
"""After so many texts without an answer it is the server that fails, not the texts."""

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)


class OllamaChat(Chat):
    """Asks one model on an Ollama server.

    The context is as long as the longest prompt so far needs, in steps, because the server loads
    the model anew whenever it changes; `num_ctx` fixes it. `retries` counts how often a full queue
    was waited for.

    Raises BackendUnavailable if the server is away, ModelMissing if it lacks the model.
    """

    kind = "ollama"
    words: ClassVar = {"temperature": "temperature", "seed": "seed", "room": "num_predict"}
    steered = True

    def __init__(
        self,
        model: str,
        server: OllamaServer,
        *,
        num_ctx: int | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._server = server
        self._longest = server.longest_context(model)
        self._fixed = num_ctx
        self._context = num_ctx or SMALLEST_CONTEXT
        # gpt-oss cannot be told not to think.
        self._think: bool | str = "low" if model.rpartition("/")[2].startswith("gpt-oss") else False
        self.reasons = bool(self._think)
        facts = {
            "server": f"Ollama {server.version()}",
            "num_ctx": str(num_ctx or "by the prompt"),
            "think": str(self._think).lower(),
            **({"demo": "yes"} if is_demo(server.url) else {}),
        }
        self.revision = server.find(model).digest
        super().__init__(model, facts, wait)

    def release(self) -> None:
        """Make room in memory: the server loads the model again when it is next asked."""
        self._server.release(self.model)

    def ask(self, question: Question) -> ModelReply:
        """One answer, or why there is none or it cannot be used.

        Where a schema is given, what the model thinks aloud before its answer is taken off.

        Raises:
            BackendUnavailable: the server is away, lacks the model or fails text after text.
        """
        text = f"{question.system}\n{question.user}"
        fewest = len(text.split())
        if self._longest is not None and fewest + question.room > self._longest:
            return ModelReply(
                problem=f"The text is longer than the {self._longest} tokens {self.model} reads."
            )
        context = self._context_for(text, question.room)
        try:
            answer = self._answer(question, context)
        except OllamaSilent as problem:
            return self._failed(problem)
        self._count(answered=True)
        told = answer.text if question.schema is None else without_thoughts(answer.text)
        return ModelReply(
            whole_text(told),
            finish=answer.finish,
            problem=_cut(answer.input_tokens, fewest, context),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

    def _answer(self, question: Question, context: int) -> ChatAnswer:
        """One answer; a full queue is waited for a few times."""
        messages = [
            {"role": "system", "content": whole_text(question.system)},
            {"role": "user", "content": whole_text(question.user)},
        ]
        given = {"temperature": question.temperature, "seed": question.seed}
        options = {name: value for name, value in given.items() if value is not None}
        options |= {"num_predict": question.room, "num_ctx": context}
        pause = FIRST_WAIT
        while True:
            try:
                return self._server.chat(
                    self.model, messages, schema=question.schema, think=self._think, options=options
                )
            except OllamaBusy:
                if pause > LONGEST_WAIT:
                    raise
            self._wait_again(pause)
            pause *= 2

    def _context_for(self, text: str, room: int) -> int:
        if self._fixed is not None:
            return self._fixed
        needed = len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + room
        with self._lock:
            while self._context < needed:
                self._context *= 2
            longest = self._longest or self._context
            self._context = min(self._context, longest)
            return self._context

    def _failed(self, problem: BackendUnavailable) -> ModelReply:
        """What is told where the text may be at fault: the server is still there for others."""
        if self._count(answered=False) >= FAILURES_IN_A_ROW:
            raise problem from None
        self._server.version()
        return ModelReply(problem=problem.message)


def _cut(read: int | None, fewest: int, context: int) -> str:
    """Why the server cannot have read the whole prompt; empty if nothing speaks for it.

    It shortens prompts silently. A token never spans two words, so a prompt has at least as many
    tokens as words.
    """
    if not read or (fewest <= read < context):
        return ""
    return f"The server read only {read} tokens of the prompt: its beginning was cut off."


def without_thoughts(text: str) -> str:
    """The answer without blocks in which the model thinks aloud, finished or not."""
    return _THOUGHTS.sub("", text).strip()
