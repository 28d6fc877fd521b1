"""Rewards and margins counted in bins, so that a chart of many pairs stays small."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import VERDICTS, narrow, rated, says

Floats = NDArray[np.float64]

# Rewards closer together than this part of their size are one value as far as bins can tell.
_RELATIVE_SPREAD = 1e-9


def reward_bins(table: pd.DataFrame, bins: int = 24) -> pd.DataFrame:
    """Count one model's rated pairs by chosen reward (x) and rejected reward (y), in square cells.

    Both axes share their edges, so the diagonal of the chart is the line of equal rewards. Returns
    one row per cell that holds a pair: cell (an id), x0, x1, y0, y1, count, agree, share_agree. A
    cell takes its lower edge and not its upper one, except that the last cells take both.
    """
    own = rated(narrow(table, "verdict", "chosen_reward", "rejected_reward"))
    chosen = own["chosen_reward"].to_numpy(float)
    rejected = own["rejected_reward"].to_numpy(float)
    edges = _edges(np.concatenate([chosen, rejected]), bins)
    cell = bin_of(rejected, edges) * bins + bin_of(chosen, edges)
    agree = says(own["verdict"], "agree")
    found = (
        pd.DataFrame({"cell": cell.astype("int64"), "agree": agree.astype("int64")})
        .groupby("cell")["agree"]
        .agg(count="size", agree="sum")
        .reset_index()
    )
    column, row = found["cell"].to_numpy(int) % bins, found["cell"].to_numpy(int) // bins
    found["x0"], found["x1"] = edges[column], edges[column + 1]
    found["y0"], found["y1"] = edges[row], edges[row + 1]
    found["share_agree"] = found["agree"] / found["count"]
    return found[["cell", "x0", "x1", "y0", "y1", "count", "agree", "share_agree"]]


def in_reward_cell(
    chosen: Floats, rejected: Floats, x0: float, x1: float, y0: float, y1: float
) -> NDArray[np.bool_]:
    """Whether rewards lie in the cell with these edges; all rated pairs of the model are needed.

    NaN, which stands for a pair that is not rated, lies in none.
    """
    known = ~(np.isnan(chosen) | np.isnan(rejected))
    last = _range(np.concatenate([chosen[known], rejected[known]]))[1]
    return within(chosen, x0, x1, last) & within(rejected, y0, y1, last)


def margin_histogram(table: pd.DataFrame, bins: int = 41) -> pd.DataFrame:
    """Count one model's rated pairs by margin and verdict, in bins centred on 0.

    Columns: bin, x0, x1, verdict, count, start, end (where the verdict's part of the bar begins and
    ends when stacked). With an odd number of bins the middle one holds the pairs that are close to
    a tie.
    """
    own = rated(narrow(table, "verdict", "margin"))
    margins = own["margin"].to_numpy(float)
    reach = float(np.abs(margins).max()) if margins.size else 0.0
    edges = np.linspace(-(reach or 1.0), reach or 1.0, bins + 1)
    found = (
        pd.DataFrame(
            {
                "bin": bin_of(margins, edges),
                "verdict": pd.Categorical(own["verdict"], VERDICTS, ordered=True),
            }
        )
        .groupby(["bin", "verdict"], observed=True)
        .size()
        .reset_index(name="count")
    )
    found = found.sort_values(["bin", "verdict"], ignore_index=True)
    position = found["bin"].to_numpy(int)
    found["x0"], found["x1"] = edges[position], edges[position + 1]
    found["end"] = found.groupby("bin")["count"].cumsum()
    found["start"] = found["end"] - found["count"]
    found["verdict"] = found["verdict"].astype("string")
    return found[["bin", "x0", "x1", "verdict", "count", "start", "end"]]


def _range(values: Floats) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    if high - low <= _RELATIVE_SPREAD * size:
        pad = max(0.5, 0.01 * size)
        return low - pad, high + pad
    return low, high


def _edges(values: Floats, bins: int) -> Floats:
    low, high = _range(values)
    return np.linspace(low, high, bins + 1)


def bin_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """The bin of each value: its lower edge is in it and its upper one not, except in the last."""
    found = np.searchsorted(edges, values, side="right") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)


def within(values: Floats, start: float, end: float, last: float) -> NDArray[np.bool_]:
    """Whether values lie in the bin with these edges; `last` is the upper edge of the last bin."""
    if end >= last:
        return (values >= start) & (values <= end)
    return (values >= start) & (values < end)
