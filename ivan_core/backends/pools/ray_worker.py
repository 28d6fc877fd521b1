"""What works on a node of a Ray cluster: an actor that loads models once and scores chunks.

Texts and rewards travel as JSON, in which half a character and every float32 survive.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import astuple
from time import perf_counter
from typing import Any

from ivan_core.backends.pools.doing import compared, read_task, score_what_was_read
from ivan_core.backends.reward_models.tokens import first_line
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import ModelCard, RewardModel
from ivan_core.domain.scoring import ScoringTask
from ivan_core.domain.transcripts import Dialogue

Load = Callable[[str, str], RewardModel]
"""`load(name, revision)`; it travels to the nodes, so it is a function that they can import."""
Began = Callable[[str], int]
"""Told that a chunk is begun; how often it was begun before, by a worker that then died."""
MOST_DEATHS = 3
"""Workers that may die of one chunk; after that it is not tried again."""


class Attempts:
    """How often each chunk was begun. A chunk that is begun again has ended a worker."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, key: str) -> int:
        """Note that a chunk is begun; how often it was before."""
        before = self._begun[key]
        self._begun[key] += 1
        return before


class ChunkScorer:
    """Models on one node. All that goes wrong is an answer: an exception would end all work."""

    def __init__(
        self, load: Load, threads: int, revisions: Mapping[str, str], began: Began
    ) -> None:
        self._load, self._threads, self._began = load, threads, began
        self._revisions = dict(revisions)
        self._models: dict[str, RewardModel] = {}

    def open(self, name: str, revision: str) -> str:
        """Load a model; JSON with its `card`, or with a `problem` and its `hint`."""
        self._revisions[name] = revision
        try:
            return json.dumps({"card": self._model(name).card.model_dump(mode="json")})
        except Exception as error:
            return json.dumps(_problem(error))

    def tune(self, name: str, texts: str) -> str:
        """Measure a model's token budget on a JSON list of texts; JSON with it as `budget`."""
        try:
            dialogues = [Dialogue(text) for text in json.loads(texts)]
            return json.dumps({"budget": self._model(name).tune(dialogues)})
        except Exception as error:
            return json.dumps(_problem(error))

    def compare(self, name: str, texts: str) -> str:
        """Have a model compare its scores of a JSON list of texts; JSON with its `card`."""
        try:
            dialogues = [Dialogue(text) for text in json.loads(texts)]
            card = compared(self._model(name), dialogues)
            return json.dumps({"card": card.model_dump(mode="json")})
        except Exception as error:
            return json.dumps(_problem(error))

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        """Score the tasks of a batch: a column of them in, a column of answers out."""
        return {"answer": [json.dumps(self._answer(json.loads(task))) for task in batch["task"]]}

    def _answer(self, told: dict[str, Any]) -> dict[str, Any]:
        key, began = told["key"], perf_counter()
        deaths = self._began(key)
        if deaths >= MOST_DEATHS:
            return {"key": key, "deaths": deaths}
        texts = [Dialogue(text) for text in told["texts"]]
        task = ScoringTask(key, told["model"], texts, told["budget"], both_ways=told["both_ways"])
        try:
            model = self._model(task.model)
        except Exception as error:
            return {"key": key, "node": True, **_problem(error)}
        try:
            rewards = score_what_was_read(model, task, read_task(model, task))
        except Exception as error:
            return {"key": key, **_problem(error)}
        rows = [list(astuple(reward)) for reward in rewards]
        identity, seconds = model.card.cache_identity, perf_counter() - began
        return {"key": key, "identity": identity, "rewards": rows, "seconds": seconds}

    def _model(self, name: str) -> RewardModel:
        if name not in self._models:
            self._models[name] = self._load(name, self._revisions[name])
            if "torch" in sys.modules:
                # Ray sets a number of its own, and scores differ in the last bits with another.
                sys.modules["torch"].set_num_threads(self._threads)
        return self._models[name]


def _problem(error: Exception) -> dict[str, str]:
    """What went wrong, as a sentence and a hint."""
    if isinstance(error, IvanError):
        return {"problem": error.message, "hint": error.hint}
    return {"problem": f"{type(error).__name__}: {first_line(error)}", "hint": ""}


def card_of(told: Mapping[str, Any]) -> ModelCard:
    """The card that `open` told."""
    return ModelCard.model_validate(told["card"])
