"""Rewrite: reword pairs slightly, and measure what moves although the meaning did not.

Also the numbers of a run so far, for the page while it is at work.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.domain.labels import REWRITE_FEATURES, Label
from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine.work import BEGUN, Begun, begin
from ivan_core.experiments.rewrite.rows import (
    STYLE_OF,
    KeptRewording,
    move_of,
    read_labels,
    reason_words,
)
from ivan_core.experiments.rewrite.steps import CARDS, CHANGED, Steps, Tools
from ivan_core.experiments.rewrite.units import (
    Stage,
    Unit,
    Variant,
    chunk_of,
    plan_units,
    variants_of,
)
from ivan_core.models.names import is_rules
from ivan_core.runs.context import Parts, RunContext

ORDER = "order"
"""Key of the part that says whether each chunk goes through all steps before the next."""
DEMO = "demo"
"""Key of the part that names the models for which the demo server answered."""
RULES_AND_LEXICON = (
    "ivan/rules changes the very words that ivan/lexicon reads: what it labels here is no evidence "
    "of how a change of words moves labels."
)

PROMPTS_STAND = (
    "A prompt that no rule of ivan/rules fits stands as it was; a text counts as reworded if its "
    "last reply is."
)


@dataclass(frozen=True)
class Reworded:
    """All that a finished run knows; its files are written from it and from its parts."""

    begun: Begun
    units: tuple[Unit, ...]
    facts: dict[str, object]


def run_rewrite(context: RunContext, spec: RewriteSpec, tools: Tools) -> Reworded:
    """Do what is left of a run. Calling it again after a kill goes on where it stopped.

    Raises:
        IvanError: the data, the rewriter, a model or the labeler cannot be had.
    """
    begun = begin(context, spec, lambda _: chunk_of(spec))
    dataset, choice = begun.dataset, begun.choice
    notes = [*begun.notes, *notes_of(spec), *_kept_notes(context.parts)]
    context.note(notes)
    if ORDER not in context.parts:
        context.parts.append(ORDER, [tools.together])
    units = units_of(context.parts, spec, choice.row_ids)
    tally = Tally(spec, units, len(choice.row_ids))
    done = 0
    for unit in units:
        if unit.key in context.parts:
            tally.add(unit, context.parts.rows(unit.key))
            done += unit.weight
    context.plan(total=sum(unit.weight for unit in units), done=done)
    context.tell(tally.facts)
    steps = Steps(context, spec, tools, dataset, units, notes)
    for unit in units:
        if unit.key in context.parts:
            continue
        rows, computed = steps.do(unit, done)
        context.parts.append(unit.key, rows)
        tally.add(unit, rows)
        done += unit.weight
        context.tell(tally.facts)
        context.finished(done, computed, [])
    return Reworded(begun, tuple(units), tally.facts)


def units_of(parts: Parts, spec: RewriteSpec, row_ids: Sequence[int]) -> list[Unit]:
    """The units of a run that has begun, finished or not, in the order in which they are done."""
    chunk, together = parts.rows(BEGUN)[0]["chunk"], parts.rows(ORDER)[0]
    return plan_units(spec, row_ids, chunk, together)


def _kept_notes(parts: Parts) -> Sequence[str]:
    """What earlier workers found out about those who answered."""
    keys = [key for kind in CARDS if (key := f"{CHANGED}|{kind}") in parts]
    found = [str(told) for key in keys for told in parts.rows(key)]
    if DEMO in parts:
        named = " and ".join(parts.rows(DEMO))
        found = [
            f"IVAN's demo server answered for {named}: by rules, whatever the name says.",
            *found,
        ]
    return found


def notes_of(spec: RewriteSpec) -> Sequence[str]:
    """What a reader of the run should know of who works on it."""
    if not is_rules(spec.rewriter):
        return []
    notes = [PROMPTS_STAND] if spec.scope == "shared" else []
    return [*notes, RULES_AND_LEXICON] if is_rules(spec.labeler) else notes


MOST_POINTS = 200
"""Points of a curve that are told, at most."""


class _Mean:
    """A mean of numbers that come one by one."""

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float) -> None:
        self._sum, self._count = self._sum + value, self._count + 1

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


class _Moves:
    """What one reworded variant did to the rewards of one model, pair by pair."""

    def __init__(self) -> None:
        self.pairs = self.agreed = self.became_misaligned = self.became_aligned = 0
        self._changes = (_Mean(), _Mean())
        self._size = _Mean()

    def add(self, before: Sequence[float | None], after: Sequence[float | None]) -> None:
        for side in (0, 1):
            one, other = before[side], after[side]
            if one is not None and other is not None:
                self._changes[side].add(other - one)
                self._size.add(abs(other - one))
        (c, r), (new_c, new_r) = before, after
        if c is None or r is None or new_c is None or new_r is None:
            return
        self.pairs += 1
        self.agreed += c > r
        self.became_misaligned += c > r and not new_c > new_r
        self.became_aligned += not c > r and new_c > new_r

    @property
    def flips(self) -> int:
        return self.became_misaligned + self.became_aligned

    @property
    def mean_size(self) -> float | None:
        """The mean size of a change, both sides together."""
        return self._size.value

    def as_dict(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "agreed": self.agreed,
            "became_misaligned": self.became_misaligned,
            "became_aligned": self.became_aligned,
            "chosen_change": self._changes[0].value,
            "rejected_change": self._changes[1].value,
            "size": self.mean_size,
        }


class Tally:
    """Counts over the finished units, which come in seeded order."""

    def __init__(self, spec: RewriteSpec, units: Sequence[Unit], pairs: int) -> None:
        self._pairs = pairs
        self._spec = spec
        self._done: Counter[Stage] = Counter()
        self._pieces: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._refused: dict[str, Counter[str]] = {}
        made = [variant for variant in variants_of(spec) if variant != "original"]
        self._moves = {model: {variant: _Moves() for variant in made} for model in spec.models}
        self._similar = {variant: _Mean() for variant in made}
        self._labels = {key: Counter[str]() for key in REWRITE_FEATURES}
        self._again = {key: Counter[str]() for key in REWRITE_FEATURES}
        self._first: dict[tuple[int, str], dict[str, Label]] = {}
        self._points: dict[str, list[list[float | None]]] = {model: [] for model in spec.models}
        steps = max((unit.step for unit in units if unit.stage == "scores"), default=0) + 1
        self._every = math.ceil(steps / MOST_POINTS)

    def add(self, unit: Unit, rows: Sequence[Sequence[Any]]) -> None:
        """Count a finished unit by its rows."""
        if not unit.model or unit.model == next(iter(self._moves)):
            self._done[unit.stage] += len(unit.row_ids)
        if unit.stage == "rewordings":
            self._add_rewordings(rows)
        elif unit.stage == "scores":
            self._add_scores(unit, rows)
        elif unit.stage == "similar":
            for _, variant, *values in rows:
                for value in values:
                    if value is not None:
                        self._similar[variant].add(value)
        else:
            self._add_labels(rows, again=unit.stage == "again")

    def _add_rewordings(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            one = KeptRewording.from_list(row)
            self._pieces[one.style] += 1
            if one.rewording.text is not None:
                self._accepted[one.style] += 1
            else:
                reasons = self._refused.setdefault(one.style, Counter())
                reasons[reason_words(one.rewording.refusals[-1], self._spec)] += 1

    def _add_scores(self, unit: Unit, rows: Sequence[Sequence[Any]]) -> None:
        rewards: dict[int, dict[Variant, Sequence[float | None]]] = {}
        for row_id, variant, chosen, rejected, *_ in rows:
            rewards.setdefault(row_id, {})[variant] = (chosen, rejected)
        moves = self._moves[unit.model]
        for found in rewards.values():
            for variant, moved in moves.items():
                moved.add(found["original"], found[variant])
        if unit.step % self._every == 0:
            seen = moves["reworded"]
            self._points[unit.model].append([seen.pairs, seen.flips, seen.mean_size])

    def _add_labels(self, rows: Sequence[Sequence[Any]], again: bool) -> None:
        for row in rows:
            one = read_labels(row)
            place = (one.row_id, one.preference)
            if one.variant == "original" and not again:
                self._first[place] = one.labels
                continue
            before = self._first.get(place, {})
            for key, counts in (self._again if again else self._labels).items():
                counts[move_of(before.get(key), one.labels.get(key)) or "unknown"] += 1

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as JSON holds it. A variant's `similarity` is its mean."""
        return {
            "pairs": self._pairs,
            "done": dict(self._done),
            "pieces": {
                style: {
                    "asked": self._pieces[style],
                    "accepted": self._accepted[style],
                    "refused": dict(self._refused.get(style, {})),
                }
                for style in STYLE_OF.values()
                if self._pieces[style]
            },
            "similarity": {name: mean.value for name, mean in self._similar.items()},
            "models": {
                model: {
                    "variants": {name: one.as_dict() for name, one in moves.items()},
                    "points": self._points[model],
                }
                for model, moves in self._moves.items()
            },
            "labels": {key: dict(counts) for key, counts in self._labels.items() if counts},
            "labelled_again": {key: dict(counts) for key, counts in self._again.items() if counts},
        }
