"""SGLang: the native `POST /classify` with token ids, which gives the raw logit of decoders.

`/v1/classify` is never asked: it answers 1.0 for every text of a model with one logit. Source:
SGLang's HTTP server, read at version 0.5.20.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.backends.served.client import Answer, Server
from ivan_core.backends.served.engine import (
    UNKNOWN,
    Engine,
    Told,
    check_count,
    length_of,
    numbers,
    odd,
    text_of,
)
from ivan_core.backends.served.rows import Row, TextRow
from ivan_core.domain.errors import BackendUnavailable

_SPARE = 8
"""Tokens of the context length that it keeps for itself (7 in version 0.5.9)."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SETTINGS = (
    "quantization",
    "disable_radix_cache",
    "enable_deterministic_inference",
    "attention_backend",
)


@dataclass(frozen=True, slots=True)
class SGLang(Engine):
    told: Told
    takes_text: bool = False
    activates: bool = False

    def question(self, rows: Sequence[Row], *, activated: bool) -> tuple[str, dict[str, Any]]:
        ids = [row.ids for row in rows if not isinstance(row, TextRow)]
        return "/classify", {"model": self.told.model, "input_ids": ids}

    def logits(self, answer: Answer, rows: Sequence[Row]) -> list[list[float]]:
        content = answer.content
        items = [content] if isinstance(content, dict) and len(rows) == 1 else content
        if not isinstance(items, list) or len(items) != len(rows):
            raise odd(self.told)
        found = []
        for item, row in zip(items, rows, strict=True):
            meta = item.get("meta_info") if isinstance(item, dict) else None
            if not isinstance(meta, dict):
                raise odd(self.told)
            found.append(numbers(item.get("embedding"), self.told))
            check_count(meta.get("prompt_tokens"), [row], self.told)
        return found


def found(server: Server, wanted: str) -> SGLang | None:
    """SGLang at an address; None where something else answers.

    Raises:
        BackendUnavailable: it generates texts, or cuts them.
    """
    model = server.fact("/model_info") or server.fact("/get_model_info")
    if model is None or not isinstance(model.get("model_path"), str):
        return None
    more = server.fact("/server_info") or server.fact("/get_server_info") or {}
    if model.get("is_generation") is True:
        raise BackendUnavailable(
            f"SGLang at {server.host} serves a model that writes texts, and no reward model.",
            "Start it with --is-embedding.",
        )
    if more.get("allow_auto_truncate") is True:
        raise BackendUnavailable(
            f"SGLang at {server.host} cuts long texts in silence.",
            "Start it without --allow-auto-truncate.",
        )
    path, limit = text_of(model["model_path"]), length_of(more.get("context_length"))
    revision = text_of(more.get("revision"))
    told = Told(
        "SGLang",
        text_of(more.get("version")),
        text_of(more.get("served_model_name")) or path,
        tokenizer=tuple(
            dict.fromkeys(name for name in (text_of(model.get("tokenizer_path")), path) if name)
        ),
        revision=revision if _COMMIT.fullmatch(revision) else "",
        dtype=text_of(more.get("dtype")).replace("auto", "") or UNKNOWN,
        limit=limit - _SPARE if limit and limit > _SPARE else None,
        settings=_settings(model, more),
    )
    return SGLang(told)


def _settings(model: dict[str, Any], more: dict[str, Any]) -> dict[str, str]:
    told = {name: text_of(more.get(name)) for name in _SETTINGS}
    # Weights that were changed live keep the name and revision of the first.
    version = text_of(model.get("weight_version"))
    told["weight_version"] = "" if version == "default" else version
    return {name: value for name, value in told.items() if value}
