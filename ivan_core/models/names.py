"""Who labels or rewords, by name: what ships with IVAN, a model on Ollama, or a provider's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ivan_core.domain.labels import AUTHOR
from ivan_core.domain.specs import LEXICON, RULES

OPENAI = "openai:"
"""What the name of a model behind an OpenAI-compatible server begins with."""
OWN = "ivan/"
"""What the names of all that ships with IVAN begin with."""
FREE = "rule-based, here, free"
AUTHORED = "authored labels"
"""What the labels of the sample's author are called wherever they are shown."""
_RULES = (LEXICON, RULES)
_NOTES = {
    LEXICON: f"{LEXICON} is rule-based: it looks for words and shapes of text, it does not "
    "understand.",
    RULES: f"{RULES} is rule-based: it swaps words and contractions from a list, it does not "
    "understand.",
    AUTHOR: "Authored labels were written with the sample, each pair to differ in one feature; "
    "they show how IVAN works and are no evidence about people.",
}

Way = Literal["nobody", "rules", "authored", "ollama", "openai"]


def way_of(name: str) -> Way:
    """How somebody works who labels or rewords; an empty name is nobody's."""
    if not name:
        return "nobody"
    if name in _RULES:
        return "rules"
    if name == AUTHOR:
        return "authored"
    return "openai" if name.startswith(OPENAI) else "ollama"


def is_rules(name: str) -> bool:
    """Whether rules answer, and no model."""
    return way_of(name) == "rules"


def is_authored(name: str) -> bool:
    """Whether the labels are those that the sample's author wrote."""
    return way_of(name) == "authored"


def on_ollama(names: Iterable[str]) -> list[str]:
    """Those whose models an Ollama server must have, each once."""
    return [name for name in dict.fromkeys(names) if way_of(name) == "ollama"]


def on_openai(names: Iterable[str]) -> list[str]:
    """Those that are asked behind an OpenAI-compatible server, each once."""
    return [name for name in dict.fromkeys(names) if way_of(name) == "openai"]


def on_servers(names: Iterable[str]) -> list[str]:
    """Those that a server answers for, of whichever kind, each once."""
    return [name for name in dict.fromkeys(names) if way_of(name) in ("ollama", "openai")]


def served_name(name: str) -> str:
    """A name as its server knows it."""
    return name.removeprefix(OPENAI)


def plain_name(name: str) -> str:
    """A name as it stands in lists: as it is, but for what is called by words."""
    return AUTHORED if is_authored(name) else name


def shown_name(name: str) -> str:
    """A name with the word that rules need."""
    return f"{name} (rule-based)" if is_rules(name) else plain_name(name)


def reader_note(name: str) -> str:
    """What a reader has to know of rules and of authored labels; empty for models."""
    return _NOTES.get(name, "")
