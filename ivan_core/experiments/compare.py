"""Compare: score both sides of every pair with every model, chunk by chunk, and keep what comes of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.rows import RowChoice, choose_rows, seeded_chunks
from ivan_core.domain.models import ModelCard, RewardModel
from ivan_core.domain.pairs import IDENTICAL, Pair
from ivan_core.domain.rewards import Reward, margin, verdict
from ivan_core.domain.runs import LivePoint
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare_table import ScoredRow
from ivan_core.runs.context import RunContext

_PROBE_TEXTS = 24


@dataclass(frozen=True)
class Models:
    """How the steps get at reward models, without knowing where they come from."""

    load: Callable[[str, str], RewardModel]
    """`load(name, revision)`; an empty revision means the one the name asks for, resolved now."""
    together: bool
    """Whether all fit in memory at once, so that they can take turns on each chunk."""
    slow: bool
    """Whether a chunk should be small, because a pair takes long."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One chunk of rows for one model: the smallest thing that is finished or not."""

    model: str
    step: int
    row_ids: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"scores|{self.step}|{self.model}"


@dataclass(frozen=True)
class Compared:
    """All that a finished comparison knows; its files are written from it."""

    dataset: PreparedDataset
    choice: RowChoice
    cards: list[ModelCard]


def run_compare(context: RunContext, spec: CompareSpec, models: Models) -> Compared:
    """Do what is left of a comparison. Calling it again after a kill goes on where it stopped.

    Raises:
        IvanError: the data or a model cannot be had.
    """
    context.doing("Reading the dataset")
    dataset = prepare(
        context.data_dir, spec.dataset, lambda rows: context.doing(f"Reading the dataset: {rows:,} pairs")
    )  # fmt: skip
    choice = choose_rows(spec, dataset)
    context.note(_notes(dataset, choice))
    units = plan_units(spec, choice.row_ids, models)
    done = 0
    for unit in units:
        if unit.key in context.parts:
            context.publish([live_point(unit, _rows(context, unit.key))])
            done += len(unit.row_ids)
    context.plan(total=len(choice.row_ids) * len(spec.models), done=done)
    loaded: dict[str, _Loaded] = {}
    for unit in units:
        if unit.key in context.parts:
            continue
        if unit.model not in loaded:
            if not models.together:
                loaded.clear()
            context.doing(f"Loading {unit.model}")
            loaded[unit.model] = _Loaded(context, models, unit.model)
        context.doing(f"Scoring with {unit.model}")
        pairs = list(dataset.pairs(unit.row_ids))
        rows, computed = loaded[unit.model].score(pairs, done)
        context.parts.append(unit.key, [row.as_list() for row in rows])
        done += len(unit.row_ids)
        context.finished(done, computed, [live_point(unit, rows)])
    return Compared(dataset, choice, [_card(context, name) for name in spec.models])


def plan_units(spec: CompareSpec, row_ids: list[int], models: Models) -> list[Unit]:
    """Chunks by seed and size alone, so that a resumed run has the same ones.

    Models that fit in memory together take turns on each chunk; others come one after the other.
    """
    largest = 32 if models.slow else 256
    size = min(largest, max(16, math.ceil(len(row_ids) / 12)))
    chunks = seeded_chunks(row_ids, spec.seed, size)
    units = [
        Unit(model, step, tuple(chunk))
        for step, chunk in enumerate(chunks)
        for model in spec.models
    ]
    if not models.together:
        units.sort(key=lambda unit: spec.models.index(unit.model))
    return units


class _Loaded:
    """A model at work in this run: revision and token budget are those the run began with."""

    def __init__(self, context: RunContext, models: Models, name: str) -> None:
        self._context = context
        began = time.perf_counter()
        kept = context.parts.rows(f"card|{name}")[0] if f"card|{name}" in context.parts else None
        self._model = models.load(name, kept["revision"] if kept else "")
        self.card = self._model.card
        if kept is None:
            context.parts.append(f"card|{name}", [self.card.model_dump(mode="json")])
        self._tuned = False
        self._name = name
        self._startup = time.perf_counter() - began
        self._texts, self._seconds = 0, 0.0

    def score(self, pairs: Sequence[Pair], done: int) -> tuple[list[ScoredRow], int]:
        """Rows for these pairs, and how many texts the model had to read for them."""
        texts = {
            side.hash: side for pair in pairs if not pair.identical for side in (pair.chosen, pair.rejected)
        }  # fmt: skip
        cache = self._context.cache
        rewards = cache.get_many(self.card.cache_identity, texts)
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

            scored = dict(
                zip((t.hash for t in missing), self._model.score(missing, progress), strict=True)
            )
            self._remember_speed(len(missing), time.perf_counter() - started)
            cache.put_many(self.card.cache_identity, scored)
            rewards.update(scored)
        return [_scored(pair, rewards) for pair in pairs], len(missing)

    def _remember_speed(self, texts: int, seconds: float) -> None:
        """Keep the speed of this model on this machine, for the estimates of later plans."""
        self._texts, self._seconds = self._texts + texts, self._seconds + seconds
        facts = {"texts_per_second": self._texts / max(self._seconds, 1e-6), "startup": self._startup,
                 "cache_identity": self.card.cache_identity}  # fmt: skip
        self._context.cache.remember(f"model|{self._name}", facts)

    def _tune(self, texts: list[Dialogue]) -> None:
        """Fix the token budget for the whole run, by the measurement that its first worker made."""
        if self._tuned:
            return
        self._tuned = True
        key = f"tokens|{self.card.id}"
        known = self._context.parts.rows(key)[0] if key in self._context.parts else None
        began = time.perf_counter()
        budget = self._model.tune(texts[:_PROBE_TEXTS], known)
        self._startup += time.perf_counter() - began
        if known is None:
            self._context.parts.append(key, [budget])


def _scored(pair: Pair, rewards: dict[str, Reward]) -> ScoredRow:
    if pair.identical:
        nothing = Reward(None)
        return ScoredRow(pair.row_id, nothing, nothing, IDENTICAL)
    chosen, rejected = rewards[pair.chosen.hash], rewards[pair.rejected.hash]
    reasons = [f"{side}: {reward.failure}" for side, reward in (("chosen", chosen), ("rejected", rejected))
               if reward.failure]  # fmt: skip
    return ScoredRow(pair.row_id, chosen, rejected, "; ".join(reasons) or None)


def live_point(unit: Unit, rows: Sequence[ScoredRow]) -> LivePoint:
    """What a chunk adds to the running numbers."""
    verdicts = [verdict(row.chosen, row.rejected) for row in rows]
    margins = [m for row in rows if (m := margin(row.chosen, row.rejected)) is not None]
    return LivePoint(
        unit.model, unit.step, verdicts.count("agree"), verdicts.count("tie"), verdicts.count("disagree"),
        verdicts.count(None), math.fsum(margins), math.fsum(m * m for m in margins),
    )  # fmt: skip


def _rows(context: RunContext, key: str) -> list[ScoredRow]:
    return [ScoredRow.from_list(row) for row in context.parts.rows(key)]


def _card(context: RunContext, name: str) -> ModelCard:
    content: dict[str, Any] = context.parts.rows(f"card|{name}")[0]
    return ModelCard.model_validate(content)


def _notes(dataset: PreparedDataset, choice: RowChoice) -> list[str]:
    notes = list(choice.notes)
    bad = dataset.about["bad_lines"]
    if bad:
        lines = ", ".join(str(line) for line, _ in dataset.about["bad_lines_named"][:10])
        notes.append(f"{bad} damaged or incomplete lines of the file were left out (line {lines}).")
    return notes
