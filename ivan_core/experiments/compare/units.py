"""The units of a comparison: rows a model scores together, what is wanted and kept of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.datasets.prepared import HashedRow
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.scoring import ScoredTask
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import number_of
from ivan_core.metrics.trust import BatchDifference
from ivan_core.runs.context import RunContext

CHUNK = 256
"""Pairs in a chunk at most, where nothing else is said."""
SLOW_CHUNK = 32
"""Where a pair takes seconds, as with a large model on a CPU: so that little is lost by a stop."""
GPU_CHUNK = 1_024
"""On a graphics card, whose batches hold 65,536 tokens: hh-rlhf's pairs fill five of them, where
256 pairs fill one and a quarter of another, which a card computes at half the speed."""


_ALONE = "alone|"
"""What begins the key of the part that counts the texts of a unit which were read alone."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One chunk of rows for one model: the smallest thing that is finished or not."""

    model: str
    step: int
    row_ids: tuple[int, ...]

    @property
    def key(self) -> str:
        return f"scores|{self.step}|{self.model}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts of which a model's rewards are wanted, by their hashes; `weight` in the progress.

    `read` gives the texts of some of them, in their order; only what nobody has scored is read.
    """

    key: str
    model: str
    hashes: Collection[str]
    read: Callable[[Sequence[str]], Sequence[Dialogue]]
    weight: int
    label: str = ""
    """What sentences call it: see `ScoringTask`."""


class ScoredRow(NamedTuple):
    """One pair by one model, as it is kept in the parts of a run; truncated is 1, else 0."""

    row_id: int
    chosen_reward: float | None
    rejected_reward: float | None
    chosen_truncated: int
    rejected_truncated: int
    failure: str | None

    @classmethod
    def of(cls, row: HashedRow, rewards: Mapping[str, Reward]) -> ScoredRow:
        """A pair whose texts have these rewards, or could not be scored, by their hashes."""
        if row.unrated:
            return cls(row.row_id, None, None, 0, 0, row.unrated)
        chosen, rejected = rewards[row.chosen], rewards[row.rejected]
        failure = None
        if chosen.failure or rejected.failure:
            sides = (("chosen", chosen), ("rejected", rejected))
            failure = "; ".join(f"{side}: {one.failure}" for side, one in sides if one.failure)
        return cls(
            row.row_id,
            chosen.value,
            rejected.value,
            int(chosen.truncated),
            int(rejected.truncated),
            failure,
        )

    @property
    def margin(self) -> float | None:
        """How much more the model rewards what was preferred; None if a side has no reward."""
        chosen, rejected = self.chosen_reward, self.rejected_reward
        return None if chosen is None or rejected is None else chosen - rejected

    def failed_sides(self) -> tuple[Reward, Reward]:
        """Chosen and rejected; one that could not be scored has its own part of the failure."""
        said, _, other = (self.failure or "").partition("; rejected: ")
        told = (said.removeprefix("chosen: "), (other or said).removeprefix("rejected: "))
        values = (self.chosen_reward, self.rejected_reward)
        cut = (self.chosen_truncated, self.rejected_truncated)
        chosen, rejected = (
            Reward(value, bool(one), why if value is None else None)
            for value, one, why in zip(values, cut, told, strict=True)
        )
        return chosen, rejected


def plan_units(spec: CompareSpec, row_ids: list[int], size: int, together: bool) -> list[Unit]:
    """Chunks by seed and size alone, so that a resumed run has the same ones.

    Models that fit in memory together take turns on each chunk; others come one after the other.
    """
    units = [
        Unit(model, step, tuple(chunk))
        for step, chunk in enumerate(seeded_chunks(row_ids, spec.seed, size))
        for model in spec.models
    ]
    if not together:
        units.sort(key=lambda unit: spec.models.index(unit.model))
    return units


def batch_key(name: str) -> str:
    """The key of the part that says whether a model's scores depend on the batch."""
    return f"batch|{name}"


def batch_fact(identity: str, budget: int | None) -> str:
    """Where what was measured is kept for later runs: with prompts read as this run reads them."""
    return f"batch|{identity}{'|once' if (budget or 0) < 0 else ''}"


def keep_alone(context: RunContext, scored: ScoredTask) -> None:
    """Keep how many texts of a unit were read by themselves by a model that reads prompts once."""
    alone = Counter(reward.read_alone for reward in scored.rewards if reward.read_alone)
    context.parts.append(f"{_ALONE}{scored.key}", [len(scored.rewards), dict(alone)])


def read_alone(context: RunContext, units: Iterable[Unit]) -> str:
    """How many texts of a run were read by themselves though the model reads prompts once, and why.

    Of the texts that the run had scored, in whatever worker of it: what was known before, nobody
    says how it was read. Empty where none was.
    """
    texts, found = 0, Counter[str]()
    for key in (f"{_ALONE}{unit.key}" for unit in units):
        if key in context.parts:
            count, reasons = context.parts.rows(key)
            texts, found = texts + count, found + Counter(reasons)
    if not found:
        return ""
    why = "; ".join(f"{reason}: {count:,}" for reason, count in found.most_common())
    return (
        f"Of {number_of(texts, 'text')} that this run had scored, {found.total():,}"
        f" {'was' if found.total() == 1 else 'were'} read alone ({why})."
    )


def kept_difference(context: RunContext, name: str) -> BatchDifference | None:
    """What a run keeps of whether a model's scores depend on the batch."""
    kept = context.parts.rows(batch_key(name))[0]
    return BatchDifference(*kept) if kept else None


def kept_card(context: RunContext, name: str) -> ModelCard:
    """The card of a model that scored in a run; it says how texts were read if any were."""
    parts = context.parts
    card = ModelCard.model_validate(parts.rows(f"card|{name}")[0])
    budgets = (parts.rows(key)[0] for key in (f"tokens|{name}", "tokens") if key in parts)
    return card.under(next(budgets, 0))
