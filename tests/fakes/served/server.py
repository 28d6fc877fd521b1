"""What the three fakes share: a reward for each text, a key, and everything that can go wrong."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

from fakes.listening import Came, Listening, Told, as_json, redirect
from fakes.reward_models import fake_reward

Text = tuple[int, ...] | tuple[str, ...]
"""Token ids, or the one or two texts that a server tokenises by itself."""


def logit_of(text: Sequence[int] | Sequence[str], weights: str = "") -> float:
    """A raw logit between -10 and 30 as a float32, the same for ever: many have a sigmoid of 1."""
    share = fake_reward(weights, json.dumps(list(text)))
    return fake_float32(40 * share - 10)


def fake_float32(value: float) -> float:
    from fakes.reward_models import float32

    return float32(value)


def sigmoid(value: float) -> float:
    return fake_float32(1 / (1 + math.exp(-value)))


class FakeServed(Listening):
    """A server with one model, which every switch below changes while it runs.

    `fault` names what is wrong with answers to questions for scores, of those numbered from 0 for
    which `when` holds; the questions before a model counts as loaded are among them.
    """

    scoring: tuple[str, ...] = ()
    """The paths that are asked for scores."""

    def __init__(self, port: int = 0) -> None:
        self.model = "lab/reward"
        self.root = "lab/reward"
        self.version = "1.0"
        self.key = ""
        self.limit = 512
        self.weights = ""
        self.reward: Callable[[Text], float] = lambda text: logit_of(text, self.weights)
        self.fault = ""
        self.when: Callable[[int], bool] = lambda number: True
        self.most_texts = 10**6
        self.elsewhere = "http://127.0.0.1:9"
        self.read: list[Text] = []
        """Every text of which a score was given."""
        self._asked = 0
        self._lock = threading.Lock()
        super().__init__(self._told, port)

    def fact(self, path: str) -> Told:
        """The answer to a GET."""
        raise NotImplementedError

    def texts(self, question: dict[str, Any]) -> list[Text]:
        raise NotImplementedError

    def scores(self, path: str, question: dict[str, Any], texts: list[Text]) -> Told:
        raise NotImplementedError

    def too_long(self, tokens: int) -> Told:
        raise NotImplementedError

    def _told(self, came: Came) -> Told:
        if self.key and came.headers.get("authorization") != f"Bearer {self.key}":
            return as_json({"error": "Unauthorized"}, 401)
        if came.method == "GET":
            return self.fact(came.path)
        if came.path not in self.scoring:
            return as_json({"error": "Not Found"}, 404)
        with self._lock:
            number, self._asked = self._asked, self._asked + 1
        question = json.loads(came.body)
        texts = self.texts(question)
        fault = self.fault if self.when(number) else ""
        if refusal := self._refusal(fault, texts):
            return refusal
        told = self.scores(came.path, question, texts)
        broken = self._broken(fault, told)
        if broken is told:
            with self._lock:
                self.read += texts
        return broken

    def _refusal(self, fault: str, texts: list[Text]) -> Told | None:
        if len(texts) > self.most_texts:
            return Told(413, b"Payload Too Large")
        return {
            "busy": as_json({"error": "Model is overloaded", "error_type": "Overloaded"}, 429),
            "full": as_json({"error": {"message": "The request queue is full."}}, 503),
            "wait": replace(as_json({}, 503), headers={"Retry-After": "0.01"}),
            "wait-none": replace(as_json({}, 429), headers={"Retry-After": "0"}),
            "wait-past": replace(as_json({}, 503), headers={"Retry-After": _PAST}),
            "deep": Told(200, b"[" * 200_000),
            "endless": Told(pieces=repeat(b" " * 2**16)),
            "wait-long": replace(as_json({}, 429), headers={"Retry-After": "3600"}),
            "dead": as_json({"error": {"message": "EngineDeadError"}}, 500),
            "denied": as_json({"error": "forbidden"}, 403),
            "backend": as_json({"error": "NaN", "error_type": "Backend"}, 424),
            "moved": redirect(302, self.elsewhere + "/classify"),
            "html": Told(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
            "gone": Told(pieces=(), raw=True),
        }.get(fault)

    def _broken(self, fault: str, told: Told) -> Told:
        if fault == "half" and told.status == 200:
            return replace(told, body=told.body[: len(told.body) // 2])
        if fault not in ITEM_FAULTS or told.status != 200:
            return told
        content = json.loads(told.body)
        items = content["data"] if isinstance(content, dict) and "data" in content else content
        if fault == "missing" and isinstance(items, list):
            items.pop()
        elif fault in _NUMBERS:
            _put(items, _NUMBERS[fault])
        return replace(told, body=json.dumps(content).encode())


_PAST = "Thu, 01 Jan 1970 00:00:00 GMT"
_NUMBERS: dict[str, Any] = {
    "string": "3.71",
    "digits": 10**400,
    "nan": float("nan"),
    "null": None,
    "per-token": [[0.5], [0.25]],
}
ITEM_FAULTS = ("missing", *_NUMBERS)


def _put(items: Any, value: Any) -> None:
    """Put a value in the place of the first text's numbers."""
    first = items[0] if isinstance(items, list) else items
    if isinstance(first, list):
        first[0]["score"] = value
        return
    name = next(name for name in ("data", "probs", "embedding") if name in first)
    first[name] = value if isinstance(value, list) else [value]
