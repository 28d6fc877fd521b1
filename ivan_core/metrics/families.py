"""Several tests at once: what is still clear when a chart shows many differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNIFICANT = 0.05


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values adjusted for their family by Holm's step-down method; NaN is no test and stays NaN.

    The i-th smallest of m is multiplied by m - i + 1, and none is smaller than one before it: Holm
    (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted
