"""Two models on the same pairs: where their verdicts part, and whether the difference is clear.

Agreement counts a tie as not siding with the choice, so a pair is discordant if exactly one of the
two models agrees. Margins stand in typical margins of their own model, the only unit in which two
models compare.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import VERDICTS, rated, typical_margin
from ivan_core.metrics.paired_shares import Difference, difference_of_counts
from ivan_core.metrics.prompts import PROMPT, design_in

Floats = NDArray[np.float64]

FURTHEST = 4.0
"""Margins beyond this many typical margins are counted in the outermost bins."""


def shared_rows(
    table: pd.DataFrame, first: str, second: str, units: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """The pairs that both models rated, one row a pair, in the order of row ids.

    Columns: row_id, subset, first_verdict, second_verdict, first_margin, second_margin (in typical
    margins of each model), first_seen and second_seen (whether each was trained on the pair,
    missing where nobody says), seen (either is known to have been), and the group of the prompt if
    prompts repeat. `units` are the typical margins by model; without them each is that of the
    model's rated rows in `table`, so give the run's own when the table is a filtered one.
    """
    ours, theirs = _one_model(table, first, units), _one_model(table, second, units)
    row_ids, at_first, at_second = np.intersect1d(
        ours["row_id"].to_numpy(), theirs["row_id"].to_numpy(), return_indices=True
    )
    ours, theirs = ours.iloc[at_first], theirs.iloc[at_second]
    prompts = {PROMPT: ours[PROMPT].to_numpy()} if PROMPT in ours.columns else {}
    return pd.DataFrame(
        {
            "row_id": row_ids,
            "subset": ours["subset"].to_numpy(),
            "first_verdict": ours["verdict"].to_numpy(),
            "second_verdict": theirs["verdict"].to_numpy(),
            "first_margin": ours["margin"].to_numpy(float),
            "second_margin": theirs["margin"].to_numpy(float),
            "first_seen": ours["seen"].array,
            "second_seen": theirs["seen"].array,
            "seen": ours["seen"].to_numpy(bool, na_value=False)
            | theirs["seen"].to_numpy(bool, na_value=False),
            **prompts,
        }
    )


def verdict_table(shared: pd.DataFrame) -> pd.DataFrame:
    """Count the pairs by the verdicts of both models; ties keep their own row and column.

    Always nine rows: first, second (verdicts), count, share, n. Shares are missing if n is 0.
    """
    code = 3 * _codes(shared["first_verdict"]) + _codes(shared["second_verdict"])
    counts = np.bincount(code, minlength=9)
    n = len(shared)
    return pd.DataFrame(
        {
            "first": np.repeat(VERDICTS, 3),
            "second": np.tile(VERDICTS, 3),
            "count": counts,
            "share": counts / n if n else np.full(9, np.nan),
            "n": n,
        }
    )


def paired_difference(shared: pd.DataFrame) -> Difference | None:
    """The difference of agreements with its interval and test; None if no pair is shared."""
    ours = shared["first_verdict"].eq("agree").to_numpy(bool)
    theirs = shared["second_verdict"].eq("agree").to_numpy(bool)
    both, first_only = int((ours & theirs).sum()), int((ours & ~theirs).sum())
    second_only, neither = int((~ours & theirs).sum()), int((~ours & ~theirs).sum())
    design = design_in(shared, ours.astype(np.float64) - theirs)
    return difference_of_counts(both, first_only, second_only, neither, design=design)


def margin_cells(shared: pd.DataFrame, bins: int = 24) -> pd.DataFrame:
    """Count the pairs by the first model's margin (x) and the second's (y), in square cells.

    Returns one row per cell that holds a pair: cell (an id), x0, x1, y0, y1, count, same (pairs
    with the same verdict of both models), share_same. Both axes share their edges, which mirror
    each other around 0; `bins` is even, so that 0 is an edge and every cell lies in one quadrant. A
    cell takes its lower edge and not its upper one, except that the last cells take both. Margins
    beyond 4 typical margins count in the outermost cells.

    Raises:
        ValueError: `bins` is odd or not positive.
    """
    if bins < 2 or bins % 2:
        raise ValueError(f"An edge at 0 needs an even number of bins, not {bins}.")
    x, y, reach = _cut(
        shared["first_margin"].to_numpy(float), shared["second_margin"].to_numpy(float)
    )
    positive = np.linspace(0.0, reach, bins // 2 + 1)
    edges = np.concatenate([-positive[:0:-1], positive])
    cell = _bin_of(y, edges) * bins + _bin_of(x, edges)
    same = shared["first_verdict"].eq(shared["second_verdict"]).to_numpy(bool)
    counts = np.bincount(cell, minlength=bins**2)
    alike = np.bincount(cell[same], minlength=bins**2)
    found = np.flatnonzero(counts)
    column, row = found % bins, found // bins
    return pd.DataFrame(
        {
            "cell": found,
            "x0": edges[column],
            "x1": edges[column + 1],
            "y0": edges[row],
            "y1": edges[row + 1],
            "count": counts[found],
            "same": alike[found],
            "share_same": alike[found] / counts[found],
        }
    )


def in_margin_cell(
    first: Floats, second: Floats, x0: float, x1: float, y0: float, y1: float
) -> NDArray[np.bool_]:
    """Whether margins lie in the cell with these edges; all pairs of both models are needed.

    NaN, which stands for a pair that a model has not rated, lies in none.
    """
    x, y, reach = _cut(first, second)
    return _within(x, x0, x1, reach) & _within(y, y0, y1, reach)


def _one_model(table: pd.DataFrame, model: str, units: Mapping[str, float] | None) -> pd.DataFrame:
    own = rated(table[table["model"].eq(model).to_numpy(bool, na_value=False)])
    unit = units.get(model) if units else typical_margin(own["margin"])
    names = ["row_id", "subset", "verdict", *([PROMPT] if PROMPT in own.columns else [])]
    return own[names].assign(
        margin=own["margin"].to_numpy(float) / (unit or 1.0),
        seen=own["seen"].astype("boolean"),
    )


def _codes(verdicts: pd.Series) -> NDArray[np.int64]:
    return np.asarray(pd.Categorical(verdicts, VERDICTS).codes, dtype=np.int64)


def _cut(first: Floats, second: Floats) -> tuple[Floats, Floats, float]:
    """Both margins, cut at the furthest bins, and the outermost edge."""
    both = ~(np.isnan(first) | np.isnan(second))
    margins = np.concatenate([first[both], second[both]])
    reach = min(float(np.abs(margins).max(initial=0.0)), FURTHEST) or 1.0
    x, y = (np.where(both, np.clip(m, -reach, reach), np.nan) for m in (first, second))
    return x, y, reach


def _bin_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    found = np.searchsorted(edges, values, side="right") - 1
    return np.clip(found, 0, len(edges) - 2).astype(np.int64)


def _within(values: Floats, start: float, end: float, last: float) -> NDArray[np.bool_]:
    upper = values <= end if end >= last else values < end
    return (values >= start) & upper
