"""What a reward model rewards: the imprint of labels on its margins.

The change in margin, in typical margins, if the chosen reply has a feature and the other has not.
"Together" holds all else in the table equal: y = Σ β_k D_k + λ L + ε without a constant, which
equals fixed effects of pairs. "Alone" is Σ D_k y / Σ D_k², a mean over rows that one can open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate, Fit, Wald
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH, Columns, Rows, design_alone, design_of
from ivan_core.metrics.paired import SIGNIFICANT, holm

Floats = NDArray[np.float64]
View = Literal["together", "alone"]
HALF_WIDTH = 2.3
"""Differing pairs times the squared half width, over the residuals' mean square: simulated."""
SAME = "this model gives both replies the same"
SAME_OF_TWO = "both models part the replies by as much"
"""What is said of pairs in which a margin, or the difference of two, is 0 throughout."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one feature (or length, or being chosen) does to a model's margin.

    `differs` of `n` pairs differ in it, in `prompts` prompts; `p_holm` is adjusted over the
    features. Where there is no number, or no test, `why` says so.
    """

    feature: str
    found: Estimate
    p_holm: float
    n: int
    differs: int
    prompts: int
    why: str = ""


@dataclass(frozen=True, eq=False)
class Imprint:
    """The effects of all features and the control on one outcome, and the regression itself.

    `spread` is the residuals' root mean square in typical margins.
    """

    effects: tuple[Effect, ...]
    columns: Columns
    fit: Fit | None

    @property
    def spread(self) -> float | None:
        return self.fit.residual_spread if self.fit else None

    def none_differs(self, features: Sequence[str]) -> Wald | None:
        """The test that all of these features' coefficients are 0."""
        places = [place for one in features if (place := self.columns.place(one)) is not None]
        return self.fit.all_equal_to_zero(places) if self.fit else None


def together(rows: Rows, outcome: Floats, control: Control = "length", same: str = SAME) -> Imprint:
    """The imprint on an outcome (n), in its unit, with all else in the table equal.

    `same` is what a model does where the outcome is 0 in all pairs that differ in a feature.
    """
    columns, design = design_of(rows, control)
    if design is None:
        return Imprint(_effects(rows, outcome, control, {}, columns, same), columns, None)
    fit = design.fit(outcome)
    found = {name: fit.estimate(place) for place, name in enumerate(columns.names)}
    return Imprint(_effects(rows, outcome, control, found, columns, same), columns, fit)


def alone(rows: Rows, outcome: Floats, same: str = SAME) -> tuple[Effect, ...]:
    """The same of each feature, and of length, in a regression by itself."""
    columns, _ = design_of(rows, "length")
    found = {name: design_alone(rows, name).fit(outcome).estimate(0) for name in columns.names}
    return _effects(rows, outcome, "length", found, columns, same)


def pairs_for(half_width: float, spread: float) -> int:
    """Pairs that must differ in a feature for an interval of ± half_width typical margins."""
    return int(np.ceil((HALF_WIDTH * spread / half_width) ** 2))


def _effects(
    rows: Rows,
    outcome: Floats,
    control: Control,
    found: Mapping[str, Estimate],
    columns: Columns,
    same: str,
) -> tuple[Effect, ...]:
    """An effect for each feature, then for the columns of the control."""
    effects: list[Effect] = []
    beside = {"length": (LENGTH,), "none": (), "chosen": (LENGTH, CHOSEN)}[control]
    for name in (*rows.features, *beside):
        differing = rows.differing(name)
        count, why = int(differing.sum()), columns.left_out.get(name, "")
        estimate = found.get(name, NOTHING)
        if name in found and not outcome[differing].any():
            why = f"{same} in all {count} pairs"
            estimate = NOTHING
        elif name not in found:
            why = why or "too few prompts"
        effects.append(
            Effect(name, estimate, nan, len(rows), count, rows.groups.of_rows(differing), why)
        )
    features = len(rows.features)
    adjusted = [*holm([one.found.p for one in effects[:features]]), *[nan] * len(beside)]
    return tuple(replace(one, p_holm=float(p)) for one, p in zip(effects, adjusted, strict=True))


CLEAR, CLEAR_FOR_ONE = "clear", "clear for this labeler"
AS_PEOPLE = "as people label"


def clearness(
    by_labeler: Sequence[Mapping[str, Effect]], as_people: Sequence[Mapping[str, Effect]] = ()
) -> list[dict[str, str]]:
    """How clear each feature's effect is, labeler by labeler: `CLEAR`, `CLEAR_FOR_ONE` or empty.

    Clear is Holm's p below 0.05 and the same sign with every labeler at hand that has the feature,
    at least two; of one labeler alone it is clear for that labeler. People are one more labeler:
    `as_people` holds, for each of the others, its effects as people label.
    """
    found: list[dict[str, str]] = []
    for place, own in enumerate(by_labeler):
        beside = (*by_labeler, *as_people[place : place + 1])
        words: dict[str, str] = {}
        for name in own:
            with_it = [one[name] for one in beside if name in one and not one[name].why]
            signs = {one.found.estimate > 0 for one in with_it}
            sure = bool(with_it) and all(one.p_holm < SIGNIFICANT for one in with_it)
            told = (CLEAR if len(with_it) > 1 else CLEAR_FOR_ONE) if len(signs) == 1 else ""
            words[name] = told if sure and not own[name].why else ""
        found.append(words)
    return found
