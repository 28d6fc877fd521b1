"""Does the reward move as the imprint says where a rewording moves a label?

One row a text: the reward of the reworded text less that of the original, in typical margins, on
the changes of labels (reworded less original), the change of log length and a constant, which is
rewording itself. Both texts of a pair are one group: they are left out together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivan_core.metrics.imprint.groups import Floats, Groups, Ints
from ivan_core.metrics.imprint.least_squares import NOTHING, Design, Estimate, independent
from ivan_core.metrics.imprint.rows import LENGTH

ITSELF = "rewording"
"""The name of the constant: what a rewording moves where no label and no length changes."""
LEAST_CHANGED = 15


@dataclass(frozen=True, slots=True)
class Move:
    """How a reward moves with one change, in typical margins.

    `changed` of `texts` texts changed in it; where there is no number `why` says so.
    """

    feature: str
    found: Estimate
    changed: int
    texts: int
    why: str = ""


def moves(
    features: tuple[str, ...], changes: Floats, length: Floats, moved: Floats, pairs: Ints
) -> tuple[Move, ...]:
    """The moves of all features, of length and of rewording itself.

    `changes` (n, k) are labels of the reworded text less those of the original, `length` (n) the
    change of ln characters, `moved` (n) that of the reward in typical margins, and `pairs` (n) has
    a number for each text, the same for both of a pair.
    """
    n = len(moved)
    groups = Groups.of(pairs, n)
    values = np.column_stack([changes, length, np.ones(n)])
    names = (*features, LENGTH, ITSELF)
    left_out: dict[str, str] = {}
    wanted: list[int] = []
    for place, name in enumerate(names):
        changed = values[:, place] != 0
        count = int(changed.sum())
        if place < len(features) and count < LEAST_CHANGED:
            left_out[name] = f"too few: {count} of at least {LEAST_CHANGED}"
        elif place < len(features) and groups.of_rows(changed) < 2:
            left_out[name] = f"all {count} texts that changed are of one pair"
        else:
            wanted.append(place)
    kept, dropped = independent(values[:, wanted])
    for place, by in dropped.items():
        told = f"cannot be told apart from {names[wanted[by]]}"
        left_out[names[wanted[place]]] = "never changes" if place == by else told
    columns = [wanted[place] for place in kept]
    fit = None
    if columns and groups.count > len(columns):
        fit = Design.of(values[:, columns], groups).fit(moved)
    return tuple(
        Move(
            name,
            fit.estimate(columns.index(place)) if fit and place in columns else NOTHING,
            int(np.count_nonzero(values[:, place])),
            n,
            left_out.get(name, "" if fit else "too few pairs"),
        )
        for place, name in enumerate(names)
    )
