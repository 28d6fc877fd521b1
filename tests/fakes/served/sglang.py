"""A fake SGLang server."""

from __future__ import annotations

from typing import Any

from fakes.listening import Told, as_json
from fakes.served.server import FakeServed, Text

_SPARE = 7


class FakeSGLang(FakeServed):
    """`/v1/classify` answers 1.0 for all. `generates` and `truncates` are how it was started.

    With `older` its facts have the names of before.
    """

    scoring = ("/classify", "/v1/classify")

    def __init__(self) -> None:
        self.generates = self.truncates = self.older = False
        self.weight_version = "default"
        self.revision: str | None = None
        self.quantization: str | None = None
        super().__init__()

    def fact(self, path: str) -> Told:
        before = "/get_" if self.older else "/"
        if path == f"{before}model_info":
            return as_json(
                {
                    "model_path": self.root,
                    "tokenizer_path": self.root,
                    "is_generation": self.generates,
                    "weight_version": self.weight_version,
                }
            )
        if path == f"{before}server_info":
            return as_json(
                {
                    "served_model_name": self.model,
                    "version": self.version,
                    "dtype": "bfloat16",
                    "revision": self.revision,
                    "quantization": self.quantization,
                    "context_length": self.limit,
                    "allow_auto_truncate": self.truncates,
                    "disable_radix_cache": False,
                }
            )
        return as_json({"detail": "Not Found"}, 404)

    def texts(self, question: dict[str, Any]) -> list[Text]:
        return [tuple(ids) for ids in question["input_ids"]]

    def scores(self, path: str, question: dict[str, Any], texts: list[Text]) -> Told:
        if longest := max((len(t) for t in texts if len(t) > self.limit - _SPARE), default=0):
            return self.too_long(longest)
        if path == "/v1/classify":
            data = [{"index": place, "probs": [1.0]} for place, _ in enumerate(texts)]
            return as_json({"object": "list", "data": data})
        items = [
            {
                "embedding": [self.reward(text)],
                "meta_info": {"id": str(place), "prompt_tokens": len(text)},
            }
            for place, text in enumerate(texts)
        ]
        return as_json(items[0] if len(items) == 1 else items)

    def too_long(self, tokens: int) -> Told:
        said = f"The input ({tokens} tokens) is longer than the model's context length "
        return as_json({"error": {"message": f"{said}({self.limit} tokens)."}}, 400)
