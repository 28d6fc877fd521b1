"""A model that is asked in a chat, whoever serves it; as a labeler, and as a rewriter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from ivan_core.backends.token_counts import BYTES_PER_TOKEN
from ivan_core.domain.labels import LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.domain.rewriting import TEMPERATURES, RewriteRequest

SPARE_TOKENS = 256
"""Room for a rewording beside twice the text, which is the longest that is accepted."""
THOUGHT_TOKENS = 1024
"""Room for what a model thinks that cannot be told not to."""


class Chat(Protocol):
    """A model on a server; may be used by several threads.

    `reasons` says that it thinks before it answers, whatever it is told, and `steered` that it
    takes a temperature and a seed. `revision` is the server's word for the version of the model,
    empty where it has none. `retries` counts how often something was asked for again.
    """

    model: str
    kind: Literal["ollama", "openai"]
    revision: str
    reasons: bool
    steered: bool
    retries: int

    def settings(
        self, *, temperature: str | None = None, seed: int | None = None, room: int | None = None
    ) -> tuple[tuple[str, str], ...]:
        """What a card tells of how the model is asked: about the server, then what is given."""
        ...

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
        """One answer of at most `room` tokens, of the shape of `schema` where there is one.

        A text that the server cannot answer gets a reply with its problem.

        Raises:
            BackendUnavailable: the server is away, refuses, or fails text after text.
        """
        ...

    def release(self) -> None:
        """Make room in this machine's memory, if the model takes any."""
        ...


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
            prompt.system,
            prompt.user,
            room=self._room,
            temperature=self._temperature,
            seed=self._seed,
            schema=prompt.schema,
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
            request.system,
            request.user,
            room=rewording_room(request.text, self._chat.reasons),
            temperature=temperature,
            seed=self._seed + request.attempt - 1 if self._chat.steered else None,
        )

    def release(self) -> None:
        """Make room in this machine's memory."""
        self._chat.release()


def rewording_room(text: str, reasons: bool) -> int:
    """Tokens for the longest rewording that would be accepted, and for thoughts before it."""
    most = 2 * (len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN) + SPARE_TOKENS
    return most + (THOUGHT_TOKENS if reasons else 0)
