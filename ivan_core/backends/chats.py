"""A model that is asked in a chat, whoever serves it; as a labeler, and as a rewriter."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from ivan_core.domain.labels import LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.rewriting import TEMPERATURES, RewriteRequest

BYTES_PER_TOKEN = 3
"""For models whose tokens are unknown: English has 4 to 5 bytes a token, other scripts fewer."""
SPARE_TOKENS = 256
"""Room for a rewording beside twice the text, which is the longest that is accepted."""
THOUGHT_TOKENS = 1024
"""Room for what a model thinks that cannot be told not to."""


@dataclass(frozen=True, slots=True)
class Question:
    """One text put before a model, with room for an answer of so many tokens.

    A temperature or a seed that is not given is left to the server. With a `schema` the answer has
    its shape.
    """

    system: str
    user: str
    room: int
    temperature: float | None = None
    seed: int | None = None
    schema: Mapping[str, object] | None = None


class Chat(ABC):
    """A model on a server, asked one text a call; may be used by several threads.

    `reasons` says that it thinks before it answers, whatever it is told, and `steered` that it
    takes a temperature and a seed. `revision` is the server's word for the version of the model,
    empty where it has none. `retries` counts how often something was asked for again.
    """

    kind: ClassVar[Literal["ollama", "openai"]]
    words: ClassVar[Mapping[str, str]]
    """What the server calls temperature, seed and room, in the order in which a card tells them."""
    revision: str = ""
    reasons: bool
    steered: bool

    def __init__(
        self, model: str, facts: Mapping[str, str], wait: Callable[[float], object]
    ) -> None:
        self.model = model
        self.retries = 0
        self._facts = facts
        self._wait = wait
        self._lock = threading.Lock()
        self._failed_in_a_row = 0

    def settings(self, **given: str | int | None) -> tuple[tuple[str, str], ...]:
        """What a card tells of how the model is asked: about the server, then what is given."""
        told = {word: given.get(name) for name, word in self.words.items()}
        said = {word: str(value) for word, value in told.items() if value is not None}
        return tuple({**self._facts, **said}.items())

    @abstractmethod
    def ask(self, question: Question) -> ModelReply:
        """One answer; a text that the server cannot answer gets a reply with its problem.

        Raises:
            BackendUnavailable: the server is away, refuses, or fails text after text.
        """

    @abstractmethod
    def release(self) -> None:
        """Make room in this machine's memory, if the model takes any."""

    def _wait_again(self, seconds: float) -> None:
        """Wait before something is asked for again."""
        with self._lock:
            self.retries += 1
        self._wait(seconds)

    def _count(self, *, answered: bool) -> int:
        """How many texts in a row, with this one, have no answer."""
        with self._lock:
            self._failed_in_a_row = 0 if answered else self._failed_in_a_row + 1
            return self._failed_in_a_row


class ChatLabeler:
    """Labels one text a call; the raw answers are those of the chat."""

    def __init__(
        self, chat: Chat, *, room: int, temperature: float | None = None, seed: int | None = None
    ) -> None:
        self._chat, self._room, self._temperature, self._seed = chat, room, temperature, seed
        told = None if temperature is None else str(temperature)
        settings = chat.settings(temperature=told, seed=seed, room=room)
        self.card = AnswererCard(chat.model, chat.revision, chat.kind, settings)

    def label(self, prompt: LabelPrompt) -> ModelReply:
        return self._chat.ask(
            Question(
                prompt.system, prompt.user, self._room, self._temperature, self._seed, prompt.schema
            )
        )

    def release(self) -> None:
        """Make room in this machine's memory."""
        self._chat.release()


class ChatRewriter:
    """Rewords one piece a call.

    The temperature is the style's own unless one is given. A piece that is asked for again gets
    the next seed, so that the model does not repeat itself. A chat that takes neither gets none,
    unless a temperature is given.
    """

    def __init__(self, chat: Chat, *, temperature: float | None = None, seed: int = 0) -> None:
        self._chat, self._temperature, self._seed = chat, temperature, seed
        told = ", ".join(f"{style} {value:g}" for style, value in TEMPERATURES.items())
        if temperature is not None:
            told = f"{temperature:g}"
        settings = chat.settings(
            temperature=told if chat.steered or temperature is not None else None,
            seed=seed if chat.steered else None,
        )
        self.card = AnswererCard(chat.model, chat.revision, chat.kind, settings)

    def rewrite(self, request: RewriteRequest) -> ModelReply:
        temperature = self._temperature
        if temperature is None and self._chat.steered:
            temperature = TEMPERATURES.get(request.style, 0.0)
        return self._chat.ask(
            Question(
                request.system,
                request.user,
                rewording_room(request.text, self._chat.reasons),
                temperature,
                self._seed + request.attempt - 1 if self._chat.steered else None,
            )
        )

    def release(self) -> None:
        """Make room in this machine's memory."""
        self._chat.release()


def rewording_room(text: str, reasons: bool) -> int:
    """Tokens for the longest rewording that would be accepted, and for thoughts before it."""
    most = 2 * (len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) + SPARE_TOKENS
    return most + (THOUGHT_TOKENS if reasons else 0)
