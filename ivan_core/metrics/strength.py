"""Margins against how strongly a reply was preferred: does a model see what people saw?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ivan_core.metrics.agreement import by_model, rated
from ivan_core.metrics.columns import NO_VALUE, column_groups
from ivan_core.metrics.intervals import design_in, interval_text, mean_interval, number_text
from ivan_core.metrics.ranks import rank_correlation

STRENGTHS = ["model", "strength", "mean", "low", "high", "n", "effective_n"]
"""Columns of the table of margins by strength; the mean is in typical margins of the model."""


def margins_by_strength(
    table: pd.DataFrame, strength: pd.Series, units: Mapping[str, float | None], row_ids: pd.Series
) -> pd.DataFrame:
    """The mean margin of each model at each strength (STRENGTHS), the weakest first.

    `strength` is by row id; more than 12 different values become quarters of all `row_ids`. `units`
    are typical margins. The interval of a mean is Student's, as wide as repeated prompts ask.
    """
    groups = column_groups(strength, row_ids)
    rows: list[tuple[object, ...]] = []
    for model, own in by_model(table):
        own, unit = rated(own), units.get(model) or 1.0
        at = groups.codes.index.get_indexer(own["row_id"])
        codes = groups.codes.to_numpy(np.int64)[at]
        margins = own["margin"].to_numpy(np.float64) / unit
        for place, name in enumerate(groups.names):
            inside = codes == place
            values = margins[inside]
            if not len(values) or name == NO_VALUE:
                continue
            design = design_in(own[inside], values)
            ends = mean_interval(values, design=design)
            worth = max(1, round(len(values) / design))
            rows.append((model, name, float(values.mean()), *ends, len(values), worth))
    return pd.DataFrame(rows, columns=STRENGTHS)


def strength_correlation(
    table: pd.DataFrame, strength: pd.Series, model: str
) -> tuple[float | None, int]:
    """Spearman's rank correlation of a model's margins with the strength, and of how many pairs."""
    own = rated(table[table["model"] == model])
    return rank_correlation(
        own["margin"].to_numpy(np.float64),
        strength.reindex(own["row_id"]).to_numpy(np.float64, na_value=np.nan),
    )


def strength_sentence(margins: pd.DataFrame, model: str, correlation: float | None, n: int) -> str:
    """Whether a model's margins are larger where the preference is stronger."""
    own = margins[margins["model"] == model]
    if len(own) < 2:
        return f"{model}: all pairs that it rated have one strength."
    weak, strong = own.iloc[0], own.iloc[-1]
    told = (
        f"{model} likes the chosen reply more by {_mean(weak)} where the preference is weakest"
        f" (strength {weak['strength']}), by {_mean(strong)} where it is strongest"
        f" (strength {strong['strength']}), in typical margins."
    )
    if correlation is None:
        return told
    rho = number_text(correlation, 2, signed=True)
    return f"{told} Rank correlation of margin and strength: {rho} over {n:,} pairs."


def _mean(row: pd.Series) -> str:
    """A mean with its interval and of how many pairs."""
    mean = number_text(float(row["mean"]), 2, signed=True)
    if np.isnan(row["low"]):
        return f"{mean}, n = {int(row['n']):,},"
    ends = interval_text(float(row["low"]), float(row["high"]), 2, signed=True)
    wide = ""
    if row["effective_n"] < row["n"]:
        wide = f" (prompts repeat: as if n = {int(row['effective_n']):,})"
    return f"{mean} {ends}, n = {int(row['n']):,}{wide},"
