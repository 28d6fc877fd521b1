"""A chat with a model on an Ollama server: its context, a full queue, texts that fail."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Literal

from ivan_core.backends.ollama.client import ChatAnswer, OllamaBusy, OllamaServer, OllamaSilent
from ivan_core.backends.openai.client import is_demo
from ivan_core.backends.token_counts import BYTES_PER_TOKEN
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


class OllamaChat:
    """Asks one model one text a call; may be used by several threads.

    The context is as long as the longest prompt so far needs, in steps, because the server loads
    the model anew whenever it changes; `num_ctx` fixes it. `retries` counts how often a full queue
    was waited for.

    Raises BackendUnavailable if the server is away, ModelMissing if it lacks the model.
    """

    kind: Literal["ollama", "openai"] = "ollama"
    steered = True

    def __init__(
        self,
        model: str,
        server: OllamaServer,
        *,
        num_ctx: int | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.model = model
        self._server = server
        self._longest = server.longest_context(model)
        self._fixed = num_ctx
        self._context = num_ctx or SMALLEST_CONTEXT
        # gpt-oss cannot be told not to think.
        self._think: bool | str = "low" if model.rpartition("/")[2].startswith("gpt-oss") else False
        self.reasons = bool(self._think)
        self._facts = {
            "server": f"Ollama {server.version()}",
            "num_ctx": str(num_ctx or "by the prompt"),
            "think": str(self._think).lower(),
            **({"demo": "yes"} if is_demo(server.url) else {}),
        }
        self.revision = server.find(model).digest
        self._wait = wait
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.retries = 0

    def release(self) -> None:
        """Make room in memory: the server loads the model again when it is next asked."""
        self._server.release(self.model)

    def settings(
        self, *, temperature: str | None = None, seed: int | None = None, room: int | None = None
    ) -> tuple[tuple[str, str], ...]:
        """The settings of every question, for a card; `demo` where the demo server answers."""
        given = {"temperature": temperature, "seed": seed, "num_predict": room}
        told = {name: str(value) for name, value in given.items() if value is not None}
        return tuple({**self._facts, **told}.items())

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
        """One answer of at most `room` tokens, or why there is none or it cannot be used.

        Where a schema is given, what the model thinks aloud before its answer is taken off.

        Raises:
            BackendUnavailable: the server is away, lacks the model or fails text after text.
        """
        text = f"{system}\n{user}"
        fewest = len(text.split())
        if self._longest is not None and fewest + room > self._longest:
            return ModelReply(
                problem=f"The text is longer than the {self._longest} tokens {self.model} reads."
            )
        context = self._context_for(text, room)
        given = {"temperature": temperature, "seed": seed}
        options: dict[str, object] = {
            **{name: value for name, value in given.items() if value is not None},
            "num_predict": room,
            "num_ctx": context,
        }
        try:
            answer = self._answer(whole_text(system), whole_text(user), options, schema)
        except OllamaSilent as problem:
            return self._failed(problem)
        with self._lock:
            self._failed_in_a_row = 0
        return ModelReply(
            whole_text(answer.text if schema is None else without_thoughts(answer.text)),
            finish=answer.finish,
            problem=_cut(answer.input_tokens, fewest, context),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

    def _answer(
        self,
        system: str,
        user: str,
        options: Mapping[str, object],
        schema: Mapping[str, object] | None,
    ) -> ChatAnswer:
        """One answer; a full queue is waited for a few times."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        pause = FIRST_WAIT
        while True:
            try:
                return self._server.chat(
                    self.model, messages, schema=schema, think=self._think, options=options
                )
            except OllamaBusy:
                if pause > LONGEST_WAIT:
                    raise
            with self._lock:
                self.retries += 1
            self._wait(pause)
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
        with self._lock:
            self._failed_in_a_row += 1
            in_a_row = self._failed_in_a_row
        if in_a_row >= FAILURES_IN_A_ROW:
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
