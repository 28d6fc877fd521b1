"""text-embeddings-inference: `POST /predict` with texts, as it takes no token ids there.

It gives a sigmoid or a softmax unless `raw_scores` is on, and cuts texts unless `truncate` is off.
Source: its router, read at version 1.9.3.
"""

from __future__ import annotations

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
from ivan_core.backends.served.sending import AT_ONCE, BATCH
from ivan_core.domain.errors import BackendUnavailable

_READ = "x-compute-tokens"


@dataclass(frozen=True, slots=True)
class TEI(Engine):
    told: Told
    takes_text: bool = True
    activates: bool = True

    def question(self, rows: Sequence[Row], *, activated: bool) -> tuple[str, dict[str, Any]]:
        # Each is a list of its own: ["a", "b"] at the top would be one pair, not two texts.
        texts = [list(row.texts) for row in rows if isinstance(row, TextRow)]
        return "/predict", {"inputs": texts, "raw_scores": not activated, "truncate": False}

    def logits(self, answer: Answer, rows: Sequence[Row]) -> list[list[float]]:
        content = answer.content
        if not isinstance(content, list) or len(content) != len(rows):
            raise odd(self.told)
        found = [self._by_label(item) for item in content]
        read = answer.headers.get(_READ, "")
        check_count(int(read) if read.isdecimal() else None, rows, self.told)
        return found

    def _by_label(self, item: object) -> list[float]:
        """The scores of one text, which come sorted by size, in the order of the labels."""
        pairs = item if isinstance(item, list) else ()
        scores = {one.get("label"): one.get("score") for one in pairs if isinstance(one, dict)}
        if len(scores) != len(pairs) or set(scores) != set(self.told.labels):
            raise odd(self.told)
        return numbers([scores[label] for label in self.told.labels], self.told)


def found(server: Server, wanted: str) -> TEI | None:
    """text-embeddings-inference at an address; None where something else answers.

    Raises:
        BackendUnavailable: it serves no classifier.
    """
    info = server.fact("/info")
    kind = info.get("model_type") if info else None
    if info is None or not isinstance(kind, dict | str):
        return None
    heads = (
        [kind.get(name) for name in ("reranker", "classifier")] if isinstance(kind, dict) else []
    )
    head = next((one for one in heads if isinstance(one, dict)), None)
    labels = head.get("id2label") if head else None
    if not isinstance(labels, dict) or not labels:
        raise BackendUnavailable(
            f"text-embeddings-inference at {server.host} serves a model that gives no scores.",
            "Start it with a sequence classification model.",
        )
    model, at_once = text_of(info.get("model_id")), length_of(info.get("max_concurrent_requests"))
    batch = min(length_of(info.get("max_client_batch_size")) or BATCH, at_once or BATCH, BATCH)
    told = Told(
        "text-embeddings-inference",
        text_of(info.get("version")),
        model,
        tokenizer=(model,) if model else (),
        revision=text_of(info.get("model_sha")),
        dtype=text_of(info.get("model_dtype")) or UNKNOWN,
        limit=length_of(info.get("max_input_length")),
        batch=batch,
        # Each text of a request takes one of its places, and none waits for one.
        at_once=min(AT_ONCE, max(1, (at_once or AT_ONCE * batch) // batch)),
        labels=_by_number(labels),
        settings={"max_batch_tokens": text_of(info.get("max_batch_tokens"))},
    )
    return TEI(told)


def _by_number(labels: dict[str, Any]) -> tuple[str, ...]:
    try:
        return tuple(text_of(labels[number]) for number in sorted(labels, key=int))
    except ValueError:
        return tuple(map(text_of, labels.values()))
