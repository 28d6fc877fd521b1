"""What a regression explains, pair by pair, and one effect of it as a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.experiments.analysis.joined import Joined, Labelled
from ivan_core.metrics.imprint.effects import Effect
from ivan_core.metrics.imprint.least_squares import Estimate
from ivan_core.metrics.imprint.preference import Bools
from ivan_core.metrics.imprint.rows import Rows

Record = dict[str, Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_SAME = 1e-4
"""Typical margins. Rewards are rounded to 32 bits: where no pair differs by more, none does."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a regression explains: a model's margins, or one model's less another's, in typical
    margins (n), on the pairs that enter it with one labeler.

    `before` is the model whose margins are taken away, or empty; `inside` are the pairs among all.
    """

    model: str
    before: str
    labeler: Labelled
    inside: Bools
    rows: Rows
    y: Floats
    folds: Ints
    prompts: Ints

    @property
    def named(self) -> Record:
        return {"model": self.model, "before": self.before, "labeler": self.labeler.run_id}


def outcomes(
    joined: Joined, labeler: str, before: str = "", after: str = "", *, differences: bool = True
) -> list[Outcome]:
    """Each model, then any two: the first less the second, or the one after less that before.

    Without `differences` each model alone. Those on the same pairs share their rows, so that what
    is made of these is made once.
    """
    names = list(joined.models)
    turned = {frozenset((before, after)): (after, before)} if before and after else {}
    two_by_two = combinations(names, 2) if differences else ()
    pairs = [turned.get(frozenset(two), two) for two in two_by_two]
    shared: dict[bytes, Rows] = {}
    found: list[Outcome] = []
    for model, less in [*((name, "") for name in names), *pairs]:
        inside = joined.enters([model, *([less] if less else [])], labeler)
        key = inside.tobytes()
        if key not in shared:
            shared[key] = joined.rows(inside, labeler)
        y = joined.models[model].in_units[inside]
        if less:
            y = y - joined.models[less].in_units[inside]
            if np.abs(y).max(initial=0.0) < _SAME:
                y = np.zeros_like(y)
        own, folds, prompts = joined.labelers[labeler], joined.folds[inside], joined.prompts[inside]
        found.append(Outcome(model, less, own, inside, shared[key], y, folds, prompts))
    return found


def on_same_rows(found: Iterable[Outcome]) -> list[list[Outcome]]:
    """The outcomes of single models, those with the same rows together."""
    by_rows: dict[int, list[Outcome]] = {}
    for outcome in found:
        if not outcome.before:
            by_rows.setdefault(id(outcome.rows), []).append(outcome)
    return list(by_rows.values())


def effect_record(one: Effect) -> Record:
    """One effect by the columns of the imprint."""
    return {
        "feature": one.feature,
        **estimate_record(one.found),
        "p_holm": one.p_holm,
        "n": one.n,
        "differs": one.differs,
        "prompts": one.prompts,
        "why": one.why,
    }


def estimate_record(found: Estimate) -> Record:
    return {
        "estimate": found.estimate,
        "se": found.se,
        "low": found.low,
        "high": found.high,
        "p": found.p,
    }
