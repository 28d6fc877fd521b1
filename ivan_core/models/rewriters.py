"""Rewriters by name: which are offered, what is refused, and making one."""

from __future__ import annotations

from ivan_core import catalog
from ivan_core.backends.openai.models import model_family
from ivan_core.domain.errors import BadInput
from ivan_core.domain.rewriting import Rewriter
from ivan_core.domain.specs import RULES
from ivan_core.models.names import FREE, OPENAI, OWN, served_name, way_of


def offered(installed: tuple[str, ...], preset: str) -> dict[str, str]:
    """The rewriters to offer and how each is named: rules, Ollama's, then those of the presets."""
    found = {RULES: f"{RULES} ({FREE})"}
    for name in installed:
        found[name] = f"{name} (on Ollama, free)"
    presets = (catalog.preset(name).rewriter for name in catalog.preset_names())
    for name in (preset, *presets):
        cost = "may be paid" if way_of(name) == "openai" else "on Ollama, to be pulled first"
        found.setdefault(name, f"{name} ({cost})")
    return found


def check(name: str) -> None:
    """What can be refused before any work.

    Raises:
        BadInput: no name, nothing of that name ships with IVAN, or it is a provider's without
            saying so.
    """
    if not served_name(name).strip():
        raise BadInput("No rewriter was named.", f"Name one, such as {RULES}.")
    if name.startswith(OWN) and name != RULES:
        raise BadInput(f"There is no rewriter {name!r}.", f"The one that ships here is {RULES}.")
    if model_family(name) is not None:
        raise BadInput(f"{name} is OpenAI's, not Ollama's.", f"Write {OPENAI}{name}.")


def make(
    name: str, *, temperature: float | None = None, seed: int = 0, num_ctx: int | None = None
) -> Rewriter:
    """A rewriter, ready to work; without a temperature each style has its own.

    Raises:
        BackendUnavailable: the server is away, or it lacks the model.
    """
    if name == RULES:
        from ivan_core.backends.rules_rewriter.rewriter import RulesRewriter

        return RulesRewriter()
    from ivan_core.backends.chats import Chat, ChatRewriter

    if way_of(name) == "openai":
        from ivan_core.backends.openai.chat import OpenAIChat
        from ivan_core.backends.openai.client import account_for

        chat: Chat = OpenAIChat(served_name(name), account_for())
    else:
        from ivan_core.backends.ollama.chat import OllamaChat
        from ivan_core.backends.ollama.client import OllamaServer

        chat = OllamaChat(name, OllamaServer(), num_ctx=num_ctx)
    return ChatRewriter(chat, temperature=temperature, seed=seed)
