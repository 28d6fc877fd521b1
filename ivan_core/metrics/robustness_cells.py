"""Pairs counted by how alike their rewording is and how far it moved the margin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.robustness import flipped

Floats = NDArray[np.float64]

CELLS = ["cell", "x0", "x1", "y0", "y1", "count", "flipped", "share_flipped"]
ACROSS, UP = 16, 14
_LEAST_WIDTH = 0.02


def change_cells(moved: pd.DataFrame, unit: float) -> pd.DataFrame:
    """Count pairs by similarity (x) and absolute change of the margin in typical margins (y).

    `moved` is one model's table of `metrics.robustness.changes`; the similarity is that of the less
    similar side. Returns a row per cell that holds a pair: cell (an id), x0, x1, y0, y1, count,
    flipped, share_flipped. A cell takes its lower edges and not its upper ones, the last ones both.
    """
    alike, change = _values(moved, unit)
    across, up = _edges(alike, change)
    cell = _bin_of(change, up) * ACROSS + _bin_of(alike, across)
    found = (
        pd.DataFrame({"cell": cell, "flipped": flipped(moved).astype("int64")})
        .groupby("cell")["flipped"]
        .agg(count="size", flipped="sum")
        .reset_index()
    )
    x, y = found["cell"].to_numpy(int) % ACROSS, found["cell"].to_numpy(int) // ACROSS
    found["x0"], found["x1"] = across[x], across[x + 1]
    found["y0"], found["y1"] = up[y], up[y + 1]
    found["share_flipped"] = found["flipped"] / found["count"]
    return found[CELLS]


def _values(moved: pd.DataFrame, unit: float) -> tuple[Floats, Floats]:
    change = (moved["margin_after"] - moved["margin_before"]).abs().to_numpy(float)
    return moved["similarity"].to_numpy(float), change / (unit or 1.0)


def _edges(alike: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Similarities from the lowest up to 1, changes from none to the largest."""
    highest = max(1.0, float(alike.max())) if len(alike) else 1.0
    lowest = min(float(alike.min()), highest - _LEAST_WIDTH) if len(alike) else 0.0
    most = float(change.max()) if len(change) else 0.0
    return np.linspace(lowest, highest, ACROSS + 1), np.linspace(0.0, most or 1.0, UP + 1)


def _bin_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    found = np.searchsorted(edges, values, side="right") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)
