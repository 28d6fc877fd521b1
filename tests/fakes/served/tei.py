"""A fake text-embeddings-inference server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fakes.listening import Told, as_json
from fakes.served.server import FakeServed, Text, fake_float32, sigmoid

_MOST_BYTES = 2_000_000


class FakeTEI(FakeServed):
    """`count` tells how many tokens a text, or a question and its answer, have.

    With `truncate` unset texts are cut in silence; so they are always with `cuts`. `embeds` serves
    a model without scores; `labels` are those of its logits; `says_read` is told as the count.
    """

    scoring = ("/predict",)

    def __init__(self, count: Callable[[tuple[str, ...]], int]) -> None:
        self.count = count
        self.embeds = self.cuts = self.hides_count = False
        self.labels = ("LABEL_0",)
        self.most_at_once = 512
        self.sha = "5" * 40
        self.says_read = ""
        super().__init__()

    def fact(self, path: str) -> Told:
        if path != "/info":
            return as_json({}, 404)
        kind: Any = "reranker" if len(self.labels) == 1 else "classifier"
        named = {str(place): label for place, label in enumerate(self.labels)}
        kind = "embedding" if self.embeds else {kind: {"id2label": named}}
        return as_json(
            {
                "model_id": self.root,
                "model_sha": self.sha,
                "model_dtype": "float32",
                "model_type": kind,
                "max_concurrent_requests": self.most_at_once,
                "max_input_length": self.limit,
                "max_batch_tokens": 16384,
                "max_client_batch_size": 32,
                "auto_truncate": True,
                "version": self.version,
            }
        )

    def texts(self, question: dict[str, Any]) -> list[Text]:
        return [tuple(one) for one in question["inputs"]]

    def scores(self, path: str, question: dict[str, Any], texts: list[Text]) -> Told:
        if self.embeds:
            return _error("Model is not a classifier model", "Backend", 424)
        if len(texts) > 32:
            return _error("batch size > maximum allowed batch size 32", "Validation", 422)
        if len(texts) > self.most_at_once:
            return _error("Model is overloaded", "Overloaded", 429)
        counts = [self.count(tuple(map(str, text))) for text in texts]
        longest = max(counts)
        if longest > self.limit and question.get("truncate") is False:
            return self.too_long(longest)
        read = sum(min(count, self.limit) for count in counts) - self.cuts
        items = [self._item(text, raw=question.get("raw_scores") is True) for text in texts]
        headers = {} if self.hides_count else {"x-compute-tokens": self.says_read or str(read)}
        told = as_json(items)
        return replace(told, headers={**told.headers, **headers})

    def too_long(self, tokens: int) -> Told:
        said = f"`inputs` must have less than {self.limit} tokens. Given: {tokens}"
        return _error(said, "Validation", 422)

    def _item(self, text: Text, raw: bool) -> list[dict[str, Any]]:
        value = self.reward(text)
        if len(self.labels) == 1:
            numbers = [value if raw else sigmoid(value)]
        elif raw:
            numbers = [value / 2, -value / 2]
        else:
            numbers = [sigmoid(value), fake_float32(1 - sigmoid(value))]
        found = [
            {"score": score, "label": label}
            for score, label in zip(numbers, self.labels, strict=True)
        ]
        return sorted(found, key=lambda one: -float(one["score"]))


def _error(said: str, kind: str, status: int) -> Told:
    return as_json({"error": said, "error_type": kind}, status)
