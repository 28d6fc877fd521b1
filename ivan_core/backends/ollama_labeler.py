"""A labeler on an Ollama server."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from ivan_core.backends.ollama_client import ChatAnswer, OllamaBusy, OllamaServer, OllamaSilent
from ivan_core.backends.openai_chat import sendable
from ivan_core.backends.token_counts import BYTES_PER_TOKEN
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import LabelerCard, LabelPrompt, LabelReply

ANSWER_TOKENS = 1024
"""Room for the answer inside the context, and the most that a model may write."""
SMALLEST_CONTEXT = 8192
FIRST_WAIT, LONGEST_WAIT = 1.0, 16.0
"""Seconds between one and the next try where the server's queue is full; each is twice the last."""
FAILURES_IN_A_ROW = 5
"""After so many texts without an answer it is the server that fails, not the texts."""

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)


class OllamaLabeler:
    """Labels one text a call; may be used by several threads.

    The context is as long as the longest prompt so far needs, in steps, because the server loads
    the model anew whenever it changes; `num_ctx` fixes it.

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
        self._model = model
        self._server = server
        self._longest = server.show(model).context_length
        self._fixed = num_ctx
        self._context = num_ctx or SMALLEST_CONTEXT
        self._options: dict[str, object] = {
            "temperature": temperature,
            "seed": seed,
            "num_predict": ANSWER_TOKENS,
        }
        # gpt-oss cannot be told not to think.
        self._think: bool | str = "low" if model.rpartition("/")[2].startswith("gpt-oss") else False
        self._wait = wait
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self.retries = 0
        settings = {
            "server": f"Ollama {server.version()}",
            "num_ctx": str(num_ctx or "by the prompt"),
            "think": str(self._think).lower(),
            **{name: str(value) for name, value in self._options.items()},
        }
        self._card = LabelerCard(
            model, server.find(model).digest, "ollama", tuple(settings.items())
        )

    @property
    def card(self) -> LabelerCard:
        return self._card

    def label(self, prompt: LabelPrompt) -> LabelReply:
        """The raw answer without the model's thoughts; too long a text gets a problem instead.

        Raises:
            BackendUnavailable: the server is away, lacks the model or fails text after text.
        """
        text = f"{prompt.system}\n{prompt.user}"
        fewest = len(text.split())
        if self._longest is not None and fewest + ANSWER_TOKENS > self._longest:
            return LabelReply(
                problem=f"The text is longer than the {self._longest} tokens {self._model} reads."
            )
        context = self._context_for(text)
        try:
            answer = self._ask(prompt, context)
        except OllamaSilent as problem:
            return self._failed(problem)
        with self._lock:
            self._failed_in_a_row = 0
        return LabelReply(
            text=sendable(without_thoughts(answer.text)),
            finish=answer.finish,
            problem=_cut(answer.input_tokens, fewest, context),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
        )

    def _ask(self, prompt: LabelPrompt, context: int) -> ChatAnswer:
        """One answer; a full queue is waited for a few times."""
        messages = [
            {"role": "system", "content": sendable(prompt.system)},
            {"role": "user", "content": sendable(prompt.user)},
        ]
        pause = FIRST_WAIT
        while True:
            try:
                return self._server.chat(
                    self._model,
                    messages,
                    schema=prompt.schema,
                    think=self._think,
                    options={**self._options, "num_ctx": context},
                )
            except OllamaBusy:
                if pause > LONGEST_WAIT:
                    raise
            with self._lock:
                self.retries += 1
            self._wait(pause)
            pause *= 2

    def _context_for(self, text: str) -> int:
        if self._fixed is not None:
            return self._fixed
        needed = len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + ANSWER_TOKENS
        with self._lock:
            while self._context < needed:
                self._context *= 2
            longest = self._longest or self._context
            self._context = min(self._context, longest)
            return self._context

    def _failed(self, problem: BackendUnavailable) -> LabelReply:
        """A reply where the text may be at fault: the server is still there for others."""
        with self._lock:
            self._failed_in_a_row += 1
            in_a_row = self._failed_in_a_row
        if in_a_row >= FAILURES_IN_A_ROW:
            raise problem from None
        self._server.version()
        return LabelReply(problem=problem.message)


def without_thoughts(text: str) -> str:
    """The answer without blocks in which the model thinks aloud, finished or not."""
    return _THOUGHTS.sub("", text).strip()


def _cut(read: int | None, fewest: int, context: int) -> str:
    """Why the server cannot have read the whole prompt; empty if nothing speaks for it.

    It shortens prompts silently. A token never spans two words, so a prompt has at least as many
    tokens as words.
    """
    if not read or (fewest <= read < context):
        return ""
    return f"The server read only {read} tokens of the prompt: its beginning was cut off."
