"""Rows that share a prompt, kept by the size of their group so that each size is one operation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """`codes` has a number from 0 on for each row, equal for rows of one group."""

    codes: Ints

    @staticmethod
    def of(named: Ints | None, n: int) -> Groups:
        """The groups of n rows from numbers in any order; each row alone where none are known."""
        if named is None:
            return Groups(np.arange(n, dtype=np.int64))
        return Groups(np.unique(named, return_inverse=True)[1].astype(np.int64).reshape(n))

    @cached_property
    def count(self) -> int:
        return int(self.codes.max(initial=-1)) + 1

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each group."""
        return np.bincount(self.codes, minlength=self.count)

    @cached_property
    def _order(self) -> Ints:
        return np.argsort(self.codes, kind="stable").astype(np.int64)

    @cached_property
    def blocks(self) -> tuple[Ints, ...]:
        """The rows (groups, size) of the groups of each size above 1."""
        starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)
        found = ((size, np.flatnonzero(self.sizes == size)) for size in np.unique(self.sizes))
        return tuple(
            self._order[starts[at][:, None] + np.arange(size)] for size, at in found if size > 1
        )

    def sums(self, values: Floats) -> Floats:
        """Sums over each group: (groups,) of one value a row, (groups, k) of k."""
        if values.ndim == 1:
            return self._sum(values)
        if not values.shape[1]:
            return np.zeros((self.count, 0))
        return np.stack([self._sum(column) for column in values.T], axis=1)

    def _sum(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.codes, values, self.count), dtype=np.float64)

    def of_rows(self, rows: NDArray[np.bool_]) -> int:
        """How many groups have one of these rows."""
        return int(np.count_nonzero(np.bincount(self.codes[rows], minlength=self.count)))
