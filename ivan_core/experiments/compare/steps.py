"""Compare: score both sides of every pair with every model, chunk by chunk."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from ivan_core.datasets.prepared import HashedRow, Place, PreparedDataset
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.runs import LivePoint
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.work import Begun, begin, chunk_size
from ivan_core.experiments.compare.scoring import Models, Scoring
from ivan_core.experiments.compare.units import (
    ScoredRow,
    Unit,
    Wanted,
    batch_key,
    kept_card,
    kept_difference,
    plan_units,
    read_alone,
)
from ivan_core.metrics.trust import BATCH_ROWS, BatchDifference
from ivan_core.runs.context import RunContext


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
    begun = begin(context, spec, lambda rows: chunk_size(rows, models.chunk))
    dataset, choice = begun.dataset, begun.choice
    context.note([*begun.notes, *models.notes])
    units = plan_units(spec, choice.row_ids, begun.chunk, models.together)
    kept = [unit for unit in units if unit.key in context.parts]
    live = LiveOrder(units)
    points: list[LivePoint] = []
    failures: dict[str, list[ScoredRow]] = {name: [] for name in spec.models}
    for unit in kept:
        rows = [ScoredRow(*row) for row in context.parts.rows(unit.key)]
        points += live.add(unit, rows)
        failures[unit.model] += (row for row in rows if row.failure is not None)
    context.publish(points)
    done = sum(len(unit.row_ids) for unit in kept)
    context.plan(total=len(choice.row_ids) * len(spec.models), done=done)
    probes = _probes(begun, units)
    scoring = Scoring(context, models, probes)
    try:
        # Models that share the memory take turns; the others are loaded one after the other.
        for names in [spec.models] if models.together else [(name,) for name in spec.models]:
            group = [one for one in units if one.model in names and one.key not in context.parts]
            unchecked = {name: probes for name in names if batch_key(name) not in context.parts}
            if group or unchecked:
                for name in names:
                    scoring.ready(name)
                comparing = _Comparing(context, dataset, group, live, done)
                failed = {name: _failed(dataset, failures[name]) for name in names}
                scoring.do(comparing.wanted(), comparing.keep, done, failed, unchecked)
                done = comparing.done
            scoring.release()
    finally:
        scoring.release()
    cards = [_card(context, name, units) for name in spec.models]
    batches = {name: kept_difference(context, name) for name in spec.models}
    return Compared(begun, cards, batches)


def _card(context: RunContext, name: str, units: Sequence[Unit]) -> ModelCard:
    """The card of a model, which says how texts were read and how many were not read so."""
    card = kept_card(context, name)
    alone = read_alone(context, (unit for unit in units if unit.model == name))
    return card.model_copy(update={"way": f"{card.way} {alone}".strip()})


class _Comparing:
    """The units of a group of models: what is wanted for each, and how it is kept."""

    def __init__(
        self,
        context: RunContext,
        dataset: PreparedDataset,
        units: Sequence[Unit],
        live: LiveOrder,
        done: int,
    ) -> None:
        self._context, self._dataset, self._live = context, dataset, live
        self._units = {unit.key: unit for unit in units}
        self._rows: dict[str, list[HashedRow]] = {}
        self.done = done

    def wanted(self) -> Iterator[Wanted]:
        """The texts of each unit; they are read when they are asked for."""
        for unit in self._units.values():
            rows = self._rows[unit.key] = self._dataset.hashed_rows(unit.row_ids)
            places: dict[str, Place] = {}
            for row_id, chosen, rejected, unrated in rows:
                if not unrated:
                    places[chosen] = row_id, 0
                    places[rejected] = row_id, 1
            read = partial(self._dataset.hashed_texts, places)
            label = f"chunk {unit.step + 1} of {self._live.steps} with {unit.model}"
            yield Wanted(unit.key, unit.model, places, read, len(unit.row_ids), label)

    def keep(self, key: str, rewards: Mapping[str, Reward], computed: int) -> None:
        """Keep a unit's rows and tell of them; called in the writer's thread."""
        unit = self._units[key]
        rows = [ScoredRow.of(row, rewards) for row in self._rows.pop(key)]
        self._context.parts.append(unit.key, rows)
        self.done += len(unit.row_ids)
        self._context.finished(self.done, computed, self._live.add(unit, rows))


def _probes(begun: Begun, units: Sequence[Unit]) -> list[Dialogue]:
    """Both sides of the first pairs in seeded order that are scored, at most 16."""
    rows = (row for unit in units if unit.model == units[0].model for row in unit.row_ids)
    pairs = (begun.dataset.pair(row) for row in rows)
    first = islice((pair for pair in pairs if not pair.unrated), BATCH_ROWS)
    return [side for pair in first for side in (pair.chosen, pair.rejected)]


def _failed(dataset: PreparedDataset, rows: Sequence[ScoredRow]) -> dict[str, Reward]:
    """What a model could not score of the rows that are kept, by text: it is not tried again."""
    found: dict[str, Reward] = {}
    for row, pair in zip(rows, dataset.hashed_rows([row.row_id for row in rows]), strict=True):
        if not pair.unrated:
            sides = zip((pair.chosen, pair.rejected), row.failed_sides(), strict=True)
            found |= {text_hash: reward for text_hash, reward in sides if reward.value is None}
    return found


class LiveOrder:
    """Tells live points in seeded order, whatever is finished first.

    Chunks of short texts are quick: told as they come, the first of many would be no random sample.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._due: dict[str, deque[str]] = {}
        self._held: dict[str, LivePoint] = {}
        for unit in units:
            self._due.setdefault(unit.model, deque()).append(unit.key)
        self.steps = max(map(len, self._due.values()), default=0)

    def add(self, unit: Unit, rows: Sequence[ScoredRow]) -> list[LivePoint]:
        """The points that may be told now that a unit is finished."""
        self._held[unit.key] = live_point(unit, rows)
        due, points = self._due[unit.model], []
        while due and due[0] in self._held:
            points.append(self._held.pop(due.popleft()))
        return points


def live_point(unit: Unit, rows: Sequence[ScoredRow]) -> LivePoint:
    """What a chunk adds to the running numbers."""
    margins = [margin for row in rows if (margin := row.margin) is not None]
    agree, tie = sum(m > 0 for m in margins), margins.count(0.0)
    return LivePoint(
        unit.model,
        unit.step,
        agree=agree,
        tie=tie,
        disagree=len(margins) - agree - tie,
        unrated=len(rows) - len(margins),
        margin_sum=math.fsum(margins),
        margin_squares=math.fsum(m * m for m in margins),
    )
