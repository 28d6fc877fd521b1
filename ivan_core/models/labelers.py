"""Labelers by name: which are offered, what is refused, how each works, and making one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from ivan_core import catalog
from ivan_core.backends.ollama.client import SUGGESTED
from ivan_core.backends.openai.models import default_model, model_family, shutdown, suggested_models
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Labeler
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.specs import LEXICON
from ivan_core.models.names import FREE, OPENAI, OWN, served_name
from ivan_core.models.servers import has_key
from ivan_core.settings import preset_name

if TYPE_CHECKING:
    from ivan_core.backends.openai.client import Account

LabellingWay = Literal["rules", "ollama", "batch"]
"""How all texts are labelled: by rules here, text by text on Ollama, or as a provider's batches."""
_TAGGED = re.compile(r"[\w./-]+:[\w.-]+")
"""A name with a tag, as Ollama's models have it."""


def offered(installed: tuple[str, ...], demo: bool = False) -> dict[str, str]:
    """Who may label all texts and how each is named: rules first, then Ollama's, then batches.

    `demo` says that the demo server answers in place of OpenAI.
    """
    found = {LEXICON: f"{LEXICON} ({FREE})"}
    for name in (*installed, *_wanted(installed)):
        there = "on Ollama, free" if name in installed else "on Ollama, to be pulled first"
        found[name] = f"{name} ({there})"
    for name in suggested_models():
        last = shutdown(name)
        ends = f", shuts down on {last.isoformat()}" if last else ""
        paid = "batch, the demo server answers" if demo else "OpenAI batch, paid"
        found[name] = f"{name} ({paid}{ends})"
    return found


def offered_for_rewordings(installed: tuple[str, ...]) -> dict[str, str]:
    """Who may label a rewording and how each is named: nobody, rules, Ollama's, then paid ones."""
    presets = (catalog.preset(name).labeler for name in catalog.preset_names())
    return {
        "": "nobody: no labels",
        LEXICON: f"{LEXICON} ({FREE})",
        **{name: name for name in installed},
        **{f"{OPENAI}{name}": f"{OPENAI}{name} (paid; the cost is told first)" for name in presets},
    }


def preset_labeler() -> str:
    """The labeler of the preset in force: the paid one where a key is set, else the second."""
    if has_key():
        return preset_paid_labeler()
    return catalog.preset(preset_name()).second_labeler


def preset_paid_labeler() -> str:
    """The paid labeler of the preset in force."""
    return catalog.preset(preset_name()).labeler or default_model()


def labelling_way(labeler: str, installed: tuple[str, ...] = ()) -> LabellingWay | None:
    """How a labeler of all texts works by its name; None where the name does not tell."""
    if labeler == LEXICON:
        return "rules"
    if labeler in installed or labeler in SUGGESTED:
        return "ollama"
    if model_family(labeler) is not None or labeler.startswith("ft:"):
        return "batch"
    return "ollama" if _TAGGED.fullmatch(labeler) else None


def shutdown_sentence(model: str) -> str:
    """When the provider takes a model away; empty if no date is known."""
    last = shutdown(model)
    return f"{model} shuts down on {last.isoformat()}." if last else ""


def from_slug(slug: str) -> str:
    """The labeler whose files are called so: the rules by their name, any other as it is."""
    return LEXICON if slug == AnswererCard(LEXICON).slug else slug


def check_own(name: str) -> None:
    """Refuse a name of what ships with IVAN that names nothing.

    Raises:
        BadInput: there is no such labeler.
    """
    if name.startswith(OWN) and name != LEXICON:
        raise BadInput(f"There is no labeler {name!r}.", f"The one that ships here is {LEXICON}.")


def check(name: str) -> None:
    """What can be refused of a rewording's labeler before any work; an empty name is nobody's.

    Raises:
        BadInput: nothing of that name ships with IVAN, or it is a provider's without saying so.
    """
    check_own(name)
    if name.startswith(OPENAI) and not served_name(name).strip():
        raise BadInput("No labeler was named.", f"Name one, such as {LEXICON}.")
    if model_family(name) is not None:
        raise BadInput(f"{name} is OpenAI's, not Ollama's.", f"Write {OPENAI}{name}.")


def make(
    name: str, *, temperature: float = 0.0, seed: int = 0, num_ctx: int | None = None
) -> Labeler:
    """A labeler that costs nothing, ready to work: the rules, else a model on Ollama.

    Raises:
        BackendUnavailable: the Ollama server is away, or it lacks the model.
    """
    if name == LEXICON:
        from ivan_core.backends.lexicon.labeler import LexiconLabeler

        return LexiconLabeler()
    from ivan_core.backends.chats import ChatLabeler
    from ivan_core.backends.ollama.chat import ANSWER_TOKENS, OllamaChat
    from ivan_core.backends.ollama.client import OllamaServer

    chat = OllamaChat(name, OllamaServer(), num_ctx=num_ctx)
    return ChatLabeler(chat, room=ANSWER_TOKENS, temperature=temperature, seed=seed)


def make_paid(name: str, account: Account) -> Labeler:
    """A labeler behind an OpenAI-compatible server, which may charge for each text."""
    from ivan_core.backends.chats import ChatLabeler
    from ivan_core.backends.openai.chat import ANSWER_TOKENS, OpenAIChat

    return ChatLabeler(OpenAIChat(served_name(name), account), room=ANSWER_TOKENS)


def _wanted(installed: tuple[str, ...]) -> tuple[str, ...]:
    """Models that would label well and are not there; the preset's own one first."""
    second = catalog.preset(preset_name()).second_labeler
    named = (second, *SUGGESTED[:2]) if second != LEXICON else SUGGESTED[:1]
    return tuple(name for name in dict.fromkeys(named) if name not in installed)
