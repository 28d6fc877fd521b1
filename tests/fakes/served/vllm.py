"""A fake vLLM server."""

from __future__ import annotations

from typing import Any

from fakes.listening import Told, as_json
from fakes.served.server import FakeServed, Text, fake_float32, sigmoid


class FakeVLLM(FakeServed):
    """`old` refuses token ids on /classify; with `ignores_flag` there is always a sigmoid.

    `adds` tokens are read more than were sent; `others` are further models that it serves.
    """

    scoring = ("/pooling", "/classify")

    def __init__(self, port: int = 0) -> None:
        self.old = self.ignores_flag = self.old_errors = self.backwards = self.raw_always = False
        self.adds = 0
        self.logits = 1
        self.lacks: tuple[str, ...] = ()
        self.others: tuple[str, ...] = ()
        super().__init__(port)

    def fact(self, path: str) -> Told:
        if path == "/version":
            return as_json({"version": self.version})
        if path == "/v1/models":
            named = {"object": "model", "owned_by": "vllm", "max_model_len": self.limit}
            data = [named | {"id": self.model, "root": self.root}]
            data += [named | {"id": other, "root": other} for other in self.others]
            return as_json({"object": "list", "data": data})
        return as_json({"detail": "Not Found"}, 404)

    def texts(self, question: dict[str, Any]) -> list[Text]:
        return [tuple(ids) for ids in question["input"]]

    def scores(self, path: str, question: dict[str, Any], texts: list[Text]) -> Told:
        if path in self.lacks:
            return as_json({"detail": "Not Found"}, 404)
        if path == "/classify" and self.old:
            return as_json({"error": {"message": "Input should be a valid string"}}, 400)
        if question["model"] != self.model:
            return as_json({"error": {"message": "The model does not exist."}}, 404)
        if longest := max((len(ids) for ids in texts if len(ids) > self.limit), default=0):
            return self.too_long(longest)
        squashed = self.ignores_flag or question.get("use_activation", True)
        items = [
            {"index": place, **self._item(path, self._numbers(text, squashed))}
            for place, text in enumerate(texts)
        ]
        tokens = sum(len(ids) + self.adds for ids in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        items = items[::-1] if self.backwards else items
        return as_json({"object": "list", "model": self.model, "data": items, "usage": usage})

    def too_long(self, tokens: int) -> Told:
        error = {
            "message": f"This model's maximum context length is {self.limit} tokens. However, you "
            f"requested {tokens} tokens.",
            "type": "BadRequestError",
            "code": 400,
        }
        return as_json({"object": "error"} | error if self.old_errors else {"error": error}, 400)

    def _numbers(self, text: Text, squashed: bool) -> list[float]:
        value = self.reward(text)
        if self.logits == 1:
            return [sigmoid(value) if squashed and not self.raw_always else value]
        # The second is the first reward's opposite: their difference is twice the reward.
        if not squashed:
            return [-value, value][: self.logits] + [0.0] * (self.logits - 2)
        share = sigmoid(2 * value)
        return [fake_float32(1 - share), share]

    @staticmethod
    def _item(path: str, numbers: list[float]) -> dict[str, Any]:
        if path == "/classify":
            return {"label": "LABEL_0", "probs": numbers, "num_classes": len(numbers)}
        return {"object": "pooling", "data": numbers}
