"""vLLM: `POST /pooling` (or `/classify`) with token ids.

Without `use_activation: false` it gives the sigmoid, which is exactly 1 from logit 18 on. Source:
vLLM's protocol of pooling requests, read at about version 0.27.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ivan_core.backends.served.client import Answer, Server
from ivan_core.backends.served.engine import (
    Told,
    check_count,
    in_order,
    length_of,
    numbers,
    text_of,
)
from ivan_core.backends.served.rows import Row, TextRow
from ivan_core.domain.errors import BackendUnavailable

WAYS = ("/pooling", "/classify")
"""Up to 0.11.2 the second takes strings only; some later versions lack it."""


@dataclass(frozen=True, slots=True)
class VLLM:
    told: Told
    way: str = WAYS[0]
    takes_text: bool = False
    activates: bool = True

    @property
    def others(self) -> tuple[VLLM, ...]:
        """The same server, asked in its other ways."""
        return tuple(replace(self, way=way) for way in WAYS if way != self.way)

    def question(self, rows: Sequence[Row], *, activated: bool) -> tuple[str, dict[str, Any]]:
        asked: dict[str, Any] = {
            "model": self.told.model,
            "input": [row.ids for row in rows if not isinstance(row, TextRow)],
            "use_activation": activated,
        }
        return self.way, asked | ({"task": "classify"} if self.way == WAYS[0] else {})

    def logits(self, answer: Answer, rows: Sequence[Row]) -> list[list[float]]:
        content = answer.content
        usage = content.get("usage") if isinstance(content, dict) else None
        data = content.get("data") if isinstance(content, dict) else None
        items = in_order(data, len(rows), self.told)
        name = "data" if self.way == WAYS[0] else "probs"
        found = [numbers(item.get(name), self.told) for item in items]
        check_count(
            usage.get("prompt_tokens") if isinstance(usage, dict) else None, rows, self.told
        )
        return found


def found(server: Server, wanted: str) -> VLLM | None:
    """vLLM at an address; None where something else answers.

    Raises:
        BackendUnavailable: it has not the model that is wanted, or several.
    """
    version = server.fact("/version")
    listed = server.fact("/v1/models")
    models = listed.get("data") if listed else None
    entries = [one for one in models or () if isinstance(one, dict) and text_of(one.get("id"))]
    if version is None or not any(one.get("owned_by") == "vllm" for one in entries):
        return None
    entry = _the_model(server, entries, wanted)
    model, root = text_of(entry["id"]), text_of(entry.get("root"))
    told = Told(
        "vLLM",
        text_of(version.get("version")),
        model,
        tokenizer=tuple(dict.fromkeys(name for name in (root, model) if name)),
        limit=length_of(entry.get("max_model_len")),
        settings={"prefix caching": "unknown"},
    )
    return VLLM(told)


def _the_model(server: Server, entries: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    for one in entries:
        if wanted in (one["id"], one.get("root")):
            return one
    if len(entries) == 1:
        return entries[0]
    names = ", ".join(text_of(one["id"]) for one in entries[:5])
    if wanted:
        raise BackendUnavailable(f"{server.host} does not serve {wanted}.", f"It serves {names}.")
    raise BackendUnavailable(
        f"{server.host} serves several models: {names}.",
        f"Name one behind a #, as in {server.address.url}#{text_of(entries[0]['id'])}.",
    )
