"""Compare: score both sides of every pair with every model, chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

from ivan_core.domain.models import ModelCard, margin, verdict
from ivan_core.domain.pairs import Pair
from ivan_core.domain.runs import LivePoint
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.begin import Begun, begin, chunk_size
from ivan_core.experiments.compare.scoring import ModelAtWork, Models
from ivan_core.experiments.compare.units import ScoredRow, Unit, plan_units
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
