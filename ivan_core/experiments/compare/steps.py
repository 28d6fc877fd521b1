"""Compare: score both sides of every pair with every model, chunk by chunk.

Rewards come from the score cache where it has them, else from a reward model at work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward, RewardModel, margin, verdict
from ivan_core.domain.pairs import Pair
from ivan_core.domain.runs import LivePoint
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.work import Begun, begin, chunk_size
from ivan_core.experiments.compare.units import ScoredRow, Unit, plan_units
from ivan_core.metrics.trust import BATCH_ROWS, BatchDifference, batch_difference
from ivan_core.runs.context import RunContext
from ivan_core.settings import machine_load

_PROBE_TEXTS = 24


@dataclass(frozen=True)
class Compared:
    """All that a finished comparison knows; its files are written from it."""

    begun: Begun
    cards: list[ModelCard]
    batches: dict[str, BatchDifference | None]


def run_compare(context: RunContext, spec: CompareSpec, models: Models) -> Compared:
    """Do what is left of a comparison. Calling it again after a kill goes on where it stopped.

    Raises:
        IvanError: the data or a model cannot be had.
    """
    begun = begin(context, spec, lambda rows: chunk_size(rows, models.slow))
    dataset, choice = begun.dataset, begun.choice
    context.note(begun.notes)
    units = plan_units(spec, choice.row_ids, begun.chunk, models.together)
    kept = [unit for unit in units if unit.key in context.parts]
    context.publish([live_point(unit, _rows(context, unit.key)) for unit in kept])
    done = sum(len(unit.row_ids) for unit in kept)
    context.plan(total=len(choice.row_ids) * len(spec.models), done=done)
    loaded: dict[str, ModelAtWork] = {}
    for unit in units:
        if unit.key in context.parts:
            continue
        if unit.model not in loaded:
            if not models.together:
                loaded.clear()
            models.claim()
            context.doing(f"Loading {unit.model}")
            loaded[unit.model] = ModelAtWork(context, models, unit.model)
        context.doing(f"Scoring with {unit.model}")
        pairs = list(dataset.pairs(unit.row_ids))
        rows, computed = loaded[unit.model].score(pairs, done)
        context.parts.append(unit.key, [row.as_list() for row in rows])
        done += len(unit.row_ids)
        context.finished(done, computed, [live_point(unit, rows)])
    cards = [_card(context, name) for name in spec.models]
    probes = _probes(begun, units)
    batches = {name: _batches(context, models, loaded, name, probes) for name in spec.models}
    return Compared(begun, cards, batches)


def _probes(begun: Begun, units: Sequence[Unit]) -> list[Pair]:
    """The first pairs in seeded order that are scored, at most 16."""
    rows = (row for unit in units if unit.model == units[0].model for row in unit.row_ids)
    pairs = (begun.dataset.pair(row) for row in rows)
    return list(islice((pair for pair in pairs if not pair.unrated), BATCH_ROWS))


def _batches(
    context: RunContext,
    models: Models,
    loaded: dict[str, ModelAtWork],
    name: str,
    probes: Sequence[Pair],
) -> BatchDifference | None:
    """Whether a model's scores depend on the batch: measured with the run, kept with it."""
    key = f"batch|{name}"
    if key not in context.parts:
        context.doing(f"Checking {name} alone against in a batch")
        if name not in loaded:
            if not models.together:
                loaded.clear()
            models.claim()
            loaded[name] = ModelAtWork(context, models, name)
        found = loaded[name].check_batches(probes)
        context.parts.append(key, [astuple(found) if found else None])
    kept = context.parts.rows(key)[0]
    return BatchDifference(*kept) if kept else None


def live_point(unit: Unit, rows: Sequence[ScoredRow]) -> LivePoint:
    """What a chunk adds to the running numbers."""
    verdicts = [verdict(row.chosen, row.rejected) for row in rows]
    margins = [m for row in rows if (m := margin(row.chosen, row.rejected)) is not None]
    return LivePoint(
        unit.model,
        unit.step,
        agree=verdicts.count("agree"),
        tie=verdicts.count("tie"),
        disagree=verdicts.count("disagree"),
        unrated=verdicts.count(None),
        margin_sum=math.fsum(margins),
        margin_squares=math.fsum(m * m for m in margins),
    )


def _rows(context: RunContext, key: str) -> list[ScoredRow]:
    return [ScoredRow.from_list(row) for row in context.parts.rows(key)]


def _card(context: RunContext, name: str) -> ModelCard:
    content: dict[str, Any] = context.parts.rows(f"card|{name}")[0]
    return ModelCard.model_validate(content)


@dataclass(frozen=True)
class Models:
    """How the steps get at reward models, without knowing where they come from."""

    claim: Callable[[], None]
    """Wait for the right to load models; called before each load."""
    load: Callable[[str, str], RewardModel]
    """`load(name, revision)`; an empty revision means the one the name asks for, resolved now."""
    together: bool
    """Whether all fit in memory at once, so that they can take turns on each chunk.

    They then share one token budget too, because they may share the encoder that it is for.
    """
    slow: bool
    """Whether a chunk should be small, because a pair takes long."""


class ModelAtWork:
    """A model at work in this run: revision and token budget are those the run began with."""

    def __init__(self, context: RunContext, models: Models, name: str) -> None:
        self._context = context
        began = time.perf_counter()
        key = f"card|{name}"
        kept = context.parts.rows(key)[0] if key in context.parts else None
        self._model = models.load(name, kept["revision"] if kept else "")
        self._identity = self._model.card.cache_identity
        # In a run a model is called what the person called it: `id@revision` may stand beside `id`.
        card = self._model.card.model_copy(update={"id": name})
        if kept is None:
            context.parts.append(key, [card.model_dump(mode="json")])
        elif ModelCard.model_validate(kept).cache_identity != card.cache_identity:
            raise BadInput(
                f"{name} is not the same as when this run began (its revision, input format, "
                "length or precision differs).",
                "Start a new run: scores of both in one table would not be comparable.",
            )
        self._tuned = False
        self._budget_key = "tokens" if models.together else f"tokens|{name}"
        self._name = name
        self._startup = self._loading = time.perf_counter() - began
        self._texts, self._seconds = 0, 0.0
        self._load = machine_load()

    def score(self, pairs: Sequence[Pair], done: int) -> tuple[list[ScoredRow], int]:
        """Rows for these pairs, and how many texts the model had to read for them."""
        texts = {
            side.hash: side
            for pair in pairs
            if not pair.unrated
            for side in (pair.chosen, pair.rejected)
        }
        cache = self._context.cache
        rewards = cache.get_many(self._identity, texts)
        missing = [text for name, text in texts.items() if name not in rewards]
        if missing:
            self._tune(missing)
            self._context.start_clock()
            started = time.perf_counter()
            read = 0

            def progress(count: int) -> None:
                nonlocal read
                read += count
                self._context.working(done + len(pairs) * read // len(missing))

            rewarded = self._model.score(missing, progress)
            scored = {
                text.hash: _finite(reward) for text, reward in zip(missing, rewarded, strict=True)
            }
            self._remember_speed(len(missing), time.perf_counter() - started)
            cache.put_many(self._identity, scored)
            rewards.update(scored)
        return [_scored(pair, rewards) for pair in pairs], len(missing)

    def check_batches(self, pairs: Sequence[Pair]) -> BatchDifference | None:
        """Score these pairs in a batch and text by text, and compare; measured once a model."""
        if not pairs:
            return None
        fact = f"batch|{self._identity}"
        known = self._context.cache.recall(fact)
        if known is None:
            texts = [side for pair in pairs for side in (pair.chosen, pair.rejected)]
            self._tune(texts)
            together = self._model.score(texts)
            alone = [self._model.score([text])[0] for text in texts]
            found = batch_difference(*_both_rated(alone, together))
            known = astuple(found) if found else None
            self._context.cache.remember(fact, known)
        return BatchDifference(*known) if known else None

    def _remember_speed(self, texts: int, seconds: float) -> None:
        """Keep the speed of this model on this machine, for the estimates of later plans."""
        self._texts, self._seconds = self._texts + texts, self._seconds + seconds
        facts = {
            "texts_per_second": self._texts / max(self._seconds, 1e-6),
            "startup": self._startup,
            "loading": self._loading,
            "load": (self._load + machine_load()) / 2,
            "cache_identity": self._identity,
        }
        self._context.cache.remember(f"model|{self._name}", facts)

    def _tune(self, texts: list[Dialogue]) -> None:
        """Fix the token budget for the whole run, by the measurement that its first worker made."""
        if self._tuned:
            return
        self._tuned = True
        parts = self._context.parts
        known = parts.rows(self._budget_key)[0] if self._budget_key in parts else None
        began = time.perf_counter()
        budget = self._model.tune(texts[:_PROBE_TEXTS], known)
        self._startup += time.perf_counter() - began
        if known is None:
            parts.append(self._budget_key, [budget])


Sides = list[tuple[float, float]]


def _both_rated(alone: Sequence[Reward], together: Sequence[Reward]) -> tuple[Sides, Sides]:
    """(chosen, rejected) rewards of the pairs that have all four; texts come by turns."""
    kept: tuple[Sides, Sides] = ([], [])
    values = [reward.value for reward in (*alone, *together)]
    half = len(alone)
    for place in range(0, half, 2):
        one, other = values[place : place + 2], values[half + place : half + place + 2]
        if None not in one and None not in other:
            kept[0].append((one[0] or 0.0, one[1] or 0.0))
            kept[1].append((other[0] or 0.0, other[1] or 0.0))
    return kept


def _finite(reward: Reward) -> Reward:
    """A reward as it may be kept: one that is no finite number is a failure."""
    return reward if reward.value is None else Reward.measured(reward.value, reward.truncated)


def _scored(pair: Pair, rewards: dict[str, Reward]) -> ScoredRow:
    if pair.unrated:
        nothing = Reward(None)
        return ScoredRow(pair.row_id, nothing, nothing, pair.unrated)
    chosen, rejected = rewards[pair.chosen.hash], rewards[pair.rejected.hash]
    sides = (("chosen", chosen), ("rejected", rejected))
    reasons = [f"{side}: {reward.failure}" for side, reward in sides if reward.failure]
    return ScoredRow(pair.row_id, chosen, rejected, "; ".join(reasons) or None)
