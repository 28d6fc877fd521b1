"""What two labels together add, beyond what each of them does by itself.

To the columns of the imprint comes one more: whether the chosen reply has both labels, less whether
the rejected one has. With a number for both replies (sentiment) it is the product of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.effects import SAME
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate, independent, least_squares
from ivan_core.metrics.imprint.rows import LEAST_DIFFERING, Rows, columns_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Together:
    """By how much more the margin grows with both labels than the two add up to.

    `differs` of `n` pairs differ in having both, in `prompts` prompts. Where there is no number,
    `why` says so; a feature in it is named by its key.
    """

    found: Estimate
    n: int
    differs: int
    prompts: int
    why: str = ""


def both(chosen: Floats, rejected: Floats) -> Floats:
    """The column (n) of two labels (n, 2) of both replies: x_ca x_cb - x_ra x_rb."""
    return np.asarray(chosen.prod(axis=1) - rejected.prod(axis=1))


def interaction(
    rows: Rows, features: tuple[str, str], column: Floats, outcome: Floats, control: Control
) -> Together:
    """What two features of `rows` add together to an outcome (n), of the column that `both` gives.

    It is one number that was asked for, so its p is not adjusted. Interval as of the imprint.
    """
    differing = column != 0
    count, prompts = int(differing.sum()), rows.groups.of_rows(differing)
    columns = columns_of(rows, control)
    found, why = NOTHING, _missing(columns.left_out, features, count, prompts)
    if not why:
        values = np.column_stack([columns.values, column])
        _, dropped = independent(values)
        if dropped:
            why = f"cannot be told apart from {columns.names[dropped[len(columns.names)]]}"
        elif rows.groups.count <= values.shape[1]:
            why = "too few prompts"
        elif not outcome[differing].any():
            why = f"{SAME} in all {count} pairs"
        else:
            found = least_squares(values, outcome, rows.groups).estimate(values.shape[1] - 1)
    return Together(found, len(rows), count, prompts, why)


def _missing(
    left_out: Mapping[str, str], features: tuple[str, str], count: int, prompts: int
) -> str:
    """Why there is no such column; empty if there is one."""
    for name in features:
        if name in left_out:
            return f"{name}: {left_out[name]}"
    if count < LEAST_DIFFERING:
        return f"too few: {count} of at least {LEAST_DIFFERING}"
    if prompts < 2:
        return f"all {count} pairs that differ share one prompt"
    return ""
