"""The units of a rewording run: which rows take which step, in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.domain.specs import RewriteSpec
from ivan_core.models.names import is_rules, on_servers

Stage = Literal["rewordings", "scores", "similar", "labels", "again"]
STAGES: tuple[Stage, ...] = ("rewordings", "scores", "similar", "labels", "again")
Variant = Literal["original", "reworded", "second", "surface"]
LABELLED: tuple[Variant, ...] = ("original", "reworded")
"""The variants that are labelled."""
AGAIN_PAIRS = 40
"""So many pairs, at least, are labelled a second time unchanged: 80 texts, so that 50 are left
where some answers cannot be used."""
_RULES_CHUNK = 64
_SCORED_TOGETHER = 16
"""Pairs that are scored at once, at least, where models come one after the other."""
_SLOW = 10
"""A text that a language model writes or labels counts like ten that are scored."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One chunk of rows at one step: the smallest thing that is finished or not.

    `weight` is its part of the progress.
    """

    stage: Stage
    step: int
    row_ids: tuple[int, ...]
    weight: int
    model: str = ""

    @property
    def key(self) -> str:
        return "|".join((self.stage, str(self.step), *([self.model] if self.model else [])))


def variants_of(spec: RewriteSpec) -> tuple[Variant, ...]:
    """The texts of a pair that a run compares, the original first."""
    return ("original", "reworded", *(("second",) if spec.second else ()), "surface")


def chunk_of(spec: RewriteSpec) -> int:
    """Pairs in a chunk: one where a model rewords, so that little is lost when it stops."""
    return 1 if on_servers((spec.rewriter, spec.labeler)) else _RULES_CHUNK


def weight_of_pair(spec: RewriteSpec) -> int:
    """What one pair that is not labelled twice adds to the total of the progress."""
    return sum(_weight(spec, stage) * _times(spec, stage) for stage in STAGES if stage != "again")


def plan_units(spec: RewriteSpec, row_ids: Sequence[int], size: int, together: bool) -> list[Unit]:
    """Units by seed and size alone, so that a resumed run has the same ones.

    Where all models fit in memory `together` each chunk goes through all steps before the next;
    otherwise each step is finished, model by model, before the next one begins.
    """
    chunks = seeded_chunks(list(row_ids), spec.seed, size)
    units = [
        Unit(stage, step, tuple(rows), _weight(spec, stage) * len(rows), model)
        for stage in STAGES
        for model in _models(spec, stage)
        for step, rows in enumerate(_grouped(chunks, spec, stage, size, together))
    ]
    if together:
        units.sort(key=lambda unit: unit.step)  # stable: steps keep their order inside a chunk
    return units


def units_of_rows(units: Sequence[Unit]) -> dict[int, str]:
    """The key of the unit that holds the rewordings of each row."""
    return {row: unit.key for unit in units if unit.stage == "rewordings" for row in unit.row_ids}


def _models(spec: RewriteSpec, stage: Stage) -> tuple[str, ...]:
    if stage == "scores":
        return spec.models
    return () if stage in ("labels", "again") and not spec.labeler else ("",)


def _grouped(
    chunks: list[list[int]], spec: RewriteSpec, stage: Stage, size: int, together: bool
) -> list[list[int]]:
    if stage == "again":
        return chunks[: math.ceil(AGAIN_PAIRS / size)]
    if stage in ("scores", "similar") and not together:
        many = math.ceil(_SCORED_TOGETHER / size)
        return [list(chain(*chunks[at : at + many])) for at in range(0, len(chunks), many)]
    return chunks


def _times(spec: RewriteSpec, stage: Stage) -> int:
    return len(_models(spec, stage))


def _weight(spec: RewriteSpec, stage: Stage) -> int:
    """The part of one pair in the progress of one step."""
    if stage == "rewordings":
        return (2 if spec.second else 1) * (1 if is_rules(spec.rewriter) else _SLOW)
    if stage == "scores":
        return len(variants_of(spec))
    if stage == "similar":
        return len(variants_of(spec)) - 1
    texts = len(LABELLED) if stage == "labels" else 1
    return texts * (1 if is_rules(spec.labeler) else _SLOW)
