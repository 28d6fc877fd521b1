"""What a labeler reads: instructions from a versioned file, and the dialogue behind a fence.

The system message depends on the version and the asked keys only. The dialogue is put in once, by
joining lines, never by formatting, so nothing that stands in it can act on the prompt.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from string import Template

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, LabelPrompt, TextKey
from ivan_core.domain.specs import PROMPT
from ivan_core.domain.transcripts import Dialogue
from ivan_core.labels.repair import Problem
from ivan_core.labels.schema import Feature, check_keys, features, json_schema

_PROMPTS = files("ivan_core.labels") / "prompts"
_NAME = re.compile(r"labels-v\d{1,4}")
_CODE_DIGITS = 16
_MOST_REASONS = 6
_AGAIN = "Answer again: one JSON object with exactly the keys asked for, and nothing around it."


def versions() -> tuple[str, ...]:
    """The prompts there are, oldest first."""
    names = (entry.name.removesuffix(".txt") for entry in _PROMPTS.iterdir())
    return tuple(sorted((n for n in names if _NAME.fullmatch(n)), key=lambda n: (len(n), n)))


def build_prompt(
    key: TextKey, dialogue: str, keys: Sequence[str] = FEATURES, version: str = PROMPT
) -> LabelPrompt:
    """The prompt for one text, as a dialogue keeps it: the same input gives the same bytes.

    Prompts for the same keys share their system message and schema, so many of them are cheap;
    the schema is to be read, not changed.

    Raises:
        BadInput: a key or the version is unknown.
    """
    asked = check_keys(keys)
    system, schema = _system(asked, version), _schema(asked)
    return LabelPrompt(key, asked, system, fenced(Dialogue(dialogue).printed), dialogue, schema)


def prompt_hash(keys: Sequence[str] = FEATURES, version: str = PROMPT) -> str:
    """16 hex digits of all that a prompt says beside the dialogue: instructions and schema.

    Raises:
        BadInput: a key or the version is unknown.
    """
    asked = check_keys(keys)
    said = json.dumps([_system(asked, version), json_schema(asked)], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def ask_again(prompt: LabelPrompt, problems: Sequence[Problem]) -> LabelPrompt:
    """The same prompt with what was wrong with the last answer; none of its words are repeated."""
    named = [f"{one.key}: {one.message}" if one.key else one.message for one in problems]
    reason = " ".join(named[:_MOST_REASONS])
    user = f"{prompt.user}\n\nYour last answer could not be used. {reason} {_AGAIN}"
    return replace(prompt, user=user)


@lru_cache(maxsize=64)
def _system(asked: tuple[str, ...], version: str) -> str:
    """Task, rules, the definitions of the asked keys, one a line, and the form of the answer."""
    definitions = "\n".join(f"- {f.key} ({_form(f)}): {f.instruction}" for f in features(asked))
    template = Template(_template(version))
    return template.substitute(definitions=definitions, count=len(asked)).strip()


@lru_cache(maxsize=64)
def _schema(asked: tuple[str, ...]) -> dict[str, object]:
    return json_schema(asked)


def fenced(dialogue: str) -> str:
    """A dialogue between two lines that its text cannot contain.

    Half a surrogate pair, which no request can carry, becomes a question mark.
    """
    text = dialogue.encode("utf-8", "replace").decode()
    code = _code(text)
    return f"<dialogue-{code}>\n{text}\n</dialogue-{code}>"


def _code(text: str) -> str:
    """Hex digits that do not occur in the text, in any case: its hash, hashed on if they do."""
    lower = text.casefold()
    digest = hashlib.sha256(text.encode())
    while (code := digest.hexdigest()[:_CODE_DIGITS]) in lower:
        digest = hashlib.sha256(digest.digest())
    return code


def _form(one: Feature) -> str:
    if one.kind == "boolean":
        return "true or false"
    values = " | ".join(f'"{value}"' for value in one.values)
    return f"one of {values}" if one.kind == "word" else f"list of any of {values}"


def _template(version: str) -> str:
    if version not in versions():
        raise BadInput(
            f"There is no prompt called {str(version)[:60]!r}.",
            f"Choose one of {', '.join(versions())}.",
        )
    return (_PROMPTS / f"{version}.txt").read_text("utf-8")
