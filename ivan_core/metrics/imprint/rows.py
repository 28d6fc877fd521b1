"""The pairs that enter a number, and which columns of theirs can be told apart.

A feature with fewer than ten pairs that differ in it is no column, nor is one that differs within
the pairs of one prompt alone: leaving that prompt out would leave nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.controls import CONTROLS as CONTROLS, Control as Control
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import Design, independent

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_Kept = TypeVar("_Kept")

LEAST_DIFFERING = 10
LENGTH, CHOSEN = "log_length", "chosen"


@dataclass(frozen=True, eq=False)
class Rows:
    """Pairs in the order of their row ids: one place a pair in each array.

    `differences` (n, k) are label of chosen minus label of rejected for each of `features`:
    -1, 0 or 1, of sentiment -2 to 2. `length` (n) is ln of the chosen reply's characters minus ln
    of the rejected one's. `groups` are the pairs of one prompt.
    """

    features: tuple[str, ...]
    differences: Floats
    length: Floats
    groups: Groups
    _kept: dict[object, object] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.length)

    def keep(self, name: object, make: Callable[[], _Kept]) -> _Kept:
        """What was made of these rows once, for all outcomes; the arrays must stay as they are."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast("_Kept", self._kept[name])

    def differing(self, feature: str) -> Bools:
        """Where the two replies differ in a feature, in length, or (`CHOSEN`) everywhere."""
        return np.asarray(self.column(feature) != 0)

    def column(self, name: str) -> Floats:
        """The column of a feature, of `LENGTH`, or of `CHOSEN`, which is 1 throughout."""
        if name == CHOSEN:
            return np.ones(len(self))
        if name == LENGTH:
            return self.length
        return np.asarray(self.differences[:, self.features.index(name)])


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a regression (n, p) by name, and why other features are not among them."""

    names: tuple[str, ...]
    values: Floats
    left_out: Mapping[str, str]

    def place(self, name: str) -> int | None:
        return self.names.index(name) if name in self.names else None


def columns_of(rows: Rows, control: Control, *, labels: bool = True) -> Columns:
    """The columns that rows can tell apart: features, then the control's.

    Without `labels` the control's alone.
    """
    left_out: dict[str, str] = {}
    wanted: list[str] = []
    for feature in rows.features if labels else ():
        differing = rows.differing(feature)
        count = int(differing.sum())
        if count < LEAST_DIFFERING:
            left_out[feature] = f"too few: {count} of at least {LEAST_DIFFERING}"
        elif rows.groups.of_rows(differing) < 2:
            left_out[feature] = f"all {count} pairs that differ share one prompt"
        else:
            wanted.append(feature)
    if control != "none":
        wanted.append(LENGTH)
    if control == "chosen":
        wanted.append(CHOSEN)
    values = np.stack([rows.column(name) for name in wanted], axis=1) if wanted else None
    if values is None:
        return Columns((), np.zeros((len(rows), 0)), left_out)
    kept, dropped = independent(values)
    for place, by in dropped.items():
        name, other = wanted[place], wanted[by]
        left_out[name] = "never differs" if place == by else f"cannot be told apart from {other}"
    return Columns(tuple(wanted[place] for place in kept), values[:, kept], left_out)


def design_of(rows: Rows, control: Control) -> tuple[Columns, Design | None]:
    """The columns of `columns_of` and their design, made once; None with too few prompts."""

    def make() -> tuple[Columns, Design | None]:
        columns = columns_of(rows, control)
        if not columns.names or rows.groups.count <= len(columns.names):
            return columns, None
        return columns, Design.of(columns.values, rows.groups)

    return rows.keep(("design", control), make)


def design_alone(rows: Rows, name: str) -> Design:
    """The design of one column by itself, made once."""

    def make() -> Design:
        return Design.of(rows.column(name)[:, None], rows.groups)

    return rows.keep(("alone", name), make)
