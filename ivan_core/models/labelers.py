"""Labelers by name: which are offered, what is refused, how each works, and making one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from ivan_core import catalog
from ivan_core.backends.ollama.client import SUGGESTED
from ivan_core.backends.openai.models import default_model, model_family, shutdown, suggested_models
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, FEATURES, Labeler
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.pairs import USUAL
from ivan_core.domain.specs import LEXICON, DatasetRequest, LabelSpec
from ivan_core.models.names import AUTHORED, FREE, OPENAI, OWN, is_authored, served_name
from ivan_core.models.servers import has_key
from ivan_core.settings import preset_name

if TYPE_CHECKING:
    from ivan_core.backends.openai.client import Account

LabellingWay = Literal["rules", "authored", "ollama", "batch"]
"""How all texts are labelled: by rules here, as the sample's author did, text by text on Ollama, or
as a provider's batches."""
_TAGGED = re.compile(r"[\w./-]+:[\w.-]+")
"""A name with a tag, as Ollama's models have it."""


def offered(
    installed: tuple[str, ...], demo: bool = False, dataset: DatasetRequest | None = None
) -> dict[str, str]:
    """Who may label all texts of a dataset and how each is named.

    Rules first, then the author where it is the sample, then Ollama's, then batches. `demo` says
    that the demo server answers in place of OpenAI.
    """
    found = {LEXICON: f"{LEXICON} ({FREE})"}
    if dataset is not None and has_author(dataset):
        found[AUTHOR] = f"{AUTHORED} (written with the sample, here, free)"
    for name in (*installed, *_wanted(installed)):
        there = "on Ollama, free" if name in installed else "on Ollama, to be pulled first"
        found[name] = f"{name} ({there})"
    for name in suggested_models():
        last = shutdown(name)
        ends = f", shuts down on {last.isoformat()}" if last else ""
        paid = "batch, the demo server answers" if demo else "OpenAI batch, paid"
        found[name] = f"{name} ({paid}{ends})"
    return found


def meant(shown: str, names: Iterable[str]) -> str:
    """The labeler that was chosen where a list gives what it showed: how one is named may change
    while a page stands, and what was shown before then looks like a name that was typed.
    """
    return next((name for name in names if shown.startswith(f"{name} (")), shown)


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
    if is_authored(labeler):
        return "authored"
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
    """The labeler whose files are called so: what ships with IVAN by its name, others as it is."""
    return next((name for name in (LEXICON, AUTHOR) if slug == AnswererCard(name).slug), slug)


def has_author(dataset: DatasetRequest) -> bool:
    """Whether a dataset is the sample as it was written, and so has authored labels."""
    return dataset.source == SAMPLE and dataset.columns == USUAL


def check_authored(spec: LabelSpec) -> None:
    """Refuse authored labels where nobody wrote any, or not as they were written.

    Raises:
        BadInput: they are asked for, of other pairs than the sample's or only some of the keys.
    """
    if not is_authored(spec.labeler):
        return
    if not has_author(spec.dataset):
        raise BadInput(
            f"{AUTHORED.capitalize()} are there for the bundled sample alone, not for"
            f" {spec.dataset.label}.",
            f"Label it with {LEXICON}, or choose the dataset {SAMPLE}.",
        )
    if spec.keys != FEATURES:
        raise BadInput(
            f"{AUTHORED.capitalize()} come whole, with all features that the pairs were written"
            " for.",
            "Ask for all labels.",
        )


def check_own(name: str) -> None:
    """Refuse a name of what ships with IVAN that names nothing.

    Raises:
        BadInput: there is no such labeler.
    """
    if name.startswith(OWN) and name not in (LEXICON, AUTHOR):
        raise BadInput(f"There is no labeler {name!r}.", f"The one that ships here is {LEXICON}.")


def check_provided(name: str) -> None:
    """Refuse that answers of a provider, or of a file of such, are taken for authored labels.

    Raises:
        BadInput: they are called so.
    """
    if is_authored(name):
        raise BadInput(
            f"{AUTHORED.capitalize()} come with the sample; no model or file gives them.",
            "Name the model that answers.",
        )


def check(name: str) -> None:
    """What can be refused of a rewording's labeler before any work; an empty name is nobody's.

    Raises:
        BadInput: nothing of that name ships with IVAN, it is the sample's author, who labelled no
            rewording, or it is a provider's without saying so.
    """
    check_own(name)
    if is_authored(name):
        raise BadInput(
            f"{AUTHORED.capitalize()} are of the sample's own texts; nobody wrote any for reworded"
            " ones.",
            f"Choose another labeler, such as {LEXICON}.",
        )
    if name.startswith(OPENAI) and not served_name(name).strip():
        raise BadInput("No labeler was named.", f"Name one, such as {LEXICON}.")
    if model_family(name) is not None:
        raise BadInput(f"{name} is OpenAI's, not Ollama's.", f"Write {OPENAI}{name}.")


def make(
    name: str, *, temperature: float = 0.0, seed: int = 0, num_ctx: int | None = None
) -> Labeler:
    """A labeler of any text that costs nothing, ready to work: the rules, else a model on Ollama.

    Raises:
        BackendUnavailable: the Ollama server is away, or it lacks the model.
        BadInput: it is the sample's author, who labels no texts but those that were written.
    """
    if is_authored(name):
        check(name)
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
