"""What the charts of sureness show, in words for those who do not see them."""

from __future__ import annotations

import pandas as pd

from ivan_core.metrics.reliability import Reliability
from ivan_core.metrics.sentences import interval_ends, percent


def reliability_description(found: Reliability, model: str) -> str:
    fitted = found.bins[found.bins["scale"] == "fitted"]
    if fitted.empty:
        return f"Reliability of {model}: no usable scale for the pairs rated."
    told = "; ".join(
        f"{point.sure:.0%} sure, {percent(point.rate, point.n)}"
        f" {interval_ends(point.low, point.high, point.n)} of {point.n:,}"
        for point in fitted.itertuples()
    )
    return (
        f"How sure {model} is against how often it sides with the choice, with a temperature of"
        f" {found.temperature:.3g}: {told}."
    )


def curves_description(curves: pd.DataFrame) -> str:
    if curves.empty:
        return "Agreement among the pairs the models are surest of; no pair is rated yet."
    parts = []
    for model, own in curves[curves["marked"].astype(bool)].groupby("model", sort=False):
        told = ", ".join(
            f"{percent(point.rate, point.n)} on the surest {point.coverage:.0%}"
            for point in own.itertuples()
        )
        parts.append(f"{model}: {told}")
    return f"Agreement among the pairs each model is surest of. {'; '.join(parts)}."
