"""What a click on a chart of a comparison asks for: exactly the rows that the mark counts.

A point is what the chart says of the clicked mark; of one that names no mark nothing is asked.
Where figures leave out pairs that a model was trained on, so do the rows; where a mark counts
pairs whatever their verdict, rows without one are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from ivan_core.datasets.reading import STRENGTH
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.experiments.columns.conditions import Side, UserColumnIn
from ivan_core.experiments.compare.conditions import MarginIn, MarginsIn, RewardsIn, Seen, SureIn
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.sentences import TwoModels
from ivan_core.experiments.compare.verdicts import (
    Deciding,
    JointIs,
    RatedBy,
    TwoPart,
    VerdictIs,
    VerdictsAre,
)
from ivan_core.lists.conditions import Condition
from ivan_core.lists.pairs import ColumnIs, LongerIs, SubsetIs
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.models.grid import LONGER, SHORTER
from ivan_core.metrics.models.joint import VOTE

if TYPE_CHECKING:
    import pandas as pd

Point = Mapping[str, Any]
Asked = tuple[Condition, ...]


def of_bar(results: Results, point: Point, column: str = "") -> Asked:
    """A part of a bar by subset, or by a column of the dataset."""
    model, group, verdict = point.get("model"), point.get("subset"), point.get("verdict")
    if not model or not verdict:
        return ()
    inside: Asked = ()
    if group and group != ALL_SUBSETS:
        inside = (ColumnIs(column=column, value=group) if column else SubsetIs(label=group),)
    return (*inside, VerdictIs(model=model, verdict=verdict), *_counted(results, model))


def of_agreement_cell(results: Results, point: Point, column: str = "") -> Asked:
    """The pairs of a cell of agreement on which its model goes against the choice."""
    model, group = point.get("model"), point.get("subset")
    if not model or not group:
        return ()
    inside: Asked = ()
    if group != ALL_SUBSETS:
        inside = (ColumnIs(column=column, value=group) if column else SubsetIs(label=group),)
    if model in results.models:
        return (*inside, VerdictIs(model=model, verdict="disagree"), *_counted(results, model))
    by: Literal["vote", "mean"] = "vote" if model == VOTE else "mean"
    left_out = results.many.judged.by_all()[1]
    compared = _compared(results, results.models, left_out)
    return (*inside, JointIs(by=by, verdict="disagree"), *compared)


def of_alike(results: Results, point: Point) -> Asked:
    """The pairs on which the two models of a cell part."""
    first, second = point.get("first"), point.get("second")
    if not first or not second:
        return ()
    return (
        TwoPart(model=first, other=second),
        *_compared(results, (first, second), results.many.left_out(first, second)),
    )


def of_best(results: Results, point: Point) -> Asked:
    """The prompts of a bar for which a wrong reply is rewarded most: of each the deciding pair."""
    model, group = point.get("model"), point.get("subset")
    if not model or not group:
        return ()
    inside: Asked = () if group == ALL_SUBSETS else (SubsetIs(label=group),)
    return (*inside, Deciding(model=model), VerdictIs(model=model, verdict="disagree"))


def of_strength(results: Results, point: Point) -> Asked:
    """The pairs of one strength that a model rated."""
    model, strength = point.get("model"), point.get("strength")
    if not model or not strength:
        return ()
    own = ColumnIs(column=STRENGTH, value=strength)
    return (own, *_rated(results, model), *_counted(results, model))


def of_length(results: Results, point: Point) -> Asked:
    """A bar by which reply is longer."""
    model, longer = point.get("model"), point.get("longer")
    if not model or not longer:
        return ()
    return (LongerIs(longer=longer), *_rated(results, model), *_counted(results, model))


def of_length_cell(results: Results, point: Point) -> Asked:
    """A cell by which reply is longer; the headline of a model has all pairs that it rests on."""
    model, longer = point.get("model"), {LONGER: "chosen", SHORTER: "rejected"}
    if not model:
        return ()
    if point.get("subset") in longer:
        return of_length(results, {"model": model, "longer": longer[point["subset"]]})
    return (RatedBy(model=model), *_counted(results, model))


def of_larger(results: Results, point: Point, spec: ColumnSpec, bars: pd.DataFrame) -> Asked:
    """A bar by the side on which a user column is larger."""
    model = point.get("model")
    found = bars[(bars["larger"] == point.get("larger")) & (bars["model"] == model)]
    if not model or found.empty:
        return ()
    inside = _between(spec, "difference", found.iloc[0])
    return (*inside, *_rated(results, model), *_counted(results, model)) if inside else ()


def of_value(point: Point, spec: ColumnSpec, bins: pd.DataFrame) -> Asked:
    """A value, or bin of values, of a user column on one side; it counts every row."""
    side = point.get("side")
    found = bins[(bins["bin"] == point.get("bin")) & (bins["side"] == side)]
    return () if found.empty else _between(spec, cast("Side", side), found.iloc[0])


def of_rewards(results: Results, point: Point, model: str, cells: pd.DataFrame) -> Asked:
    """A cell of a model's rewards."""
    counted = _counted(results, model)
    found = _edges(point, cells, bool(counted))
    return (RewardsIn(model=model, **found), *counted) if found else ()


def of_margin(results: Results, point: Point, model: str, bins: pd.DataFrame) -> Asked:
    """The pairs of one verdict in a bin of margins."""
    found, verdict = bins[bins["bin"] == point.get("bin")], point.get("verdict")
    if found.empty or not verdict:
        return ()
    unit, counted = results.typical_margins[model] or 1.0, _counted(results, model)
    low, high = (float(found.iloc[0][end]) / unit for end in ("x0", "x1"))
    if counted and found.iloc[0]["x1"] == bins["x1"].max():
        high = _past(high)
    return (
        MarginIn(model=model, low=low, high=high),
        VerdictIs(model=model, verdict=verdict),
        *counted,
    )


def of_sure(results: Results, point: Point, model: str, bins: pd.DataFrame) -> Asked:
    """A bin of the sizes of a model's margins."""
    found = bins[bins["bin"] == point.get("bin")]
    if found.empty:
        return ()
    unit = results.typical_margins[model] or 1.0
    low, high = (float(found.iloc[0][end]) / unit for end in ("margin_low", "margin_high"))
    return (SureIn(model=model, low=low, high=high), *_counted(results, model))


def of_verdicts(results: Results, point: Point, two: TwoModels) -> Asked:
    """A cell of two models' verdicts."""
    ours, theirs = point.get("first"), point.get("second")
    if not ours or not theirs:
        return ()
    inside = VerdictsAre(model=two.first, verdict=ours, other=two.second, other_verdict=theirs)
    return (inside, *_compared(results, (two.first, two.second), two.left_out))


def of_margins(results: Results, point: Point, two: TwoModels, cells: pd.DataFrame) -> Asked:
    """A cell of two models' margins."""
    found = _edges(point, cells, two.left_out > 0)
    if not found:
        return ()
    return (
        MarginsIn(model=two.first, other=two.second, **found),
        *_compared(results, (two.first, two.second), two.left_out),
    )


def _counted(results: Results, model: str) -> Asked:
    """That rows are among those on which the figures of a model rest."""
    training = results.training.get(model)
    return (Seen(model=model, seen=False),) if training and training.on_some else ()


def _compared(results: Results, models: Sequence[str], left_out: int) -> Asked:
    """That rows are among those on which models are compared."""
    if not left_out:
        return ()
    return tuple(Seen(model=model, seen=False) for model in models if results.training[model].seen)


def _rated(results: Results, model: str) -> Asked:
    """That rows have a verdict of the model, where some have none."""
    training = results.training.get(model)
    every = training is not None and training.rated == len(results.row_ids)
    return () if every else (RatedBy(model=model),)


def _edges(point: Point, cells: pd.DataFrame, left_out: bool) -> dict[str, float]:
    """The edges of a cell; empty where there is no such cell.

    The last cells take their upper edges too. Where rows are left out of the count, others may
    lie further out, so that the edge is no longer the last one of all rows.
    """
    found = cells[cells["cell"] == point.get("cell")]
    if found.empty:
        return {}
    edges = {name: float(found.iloc[0][name]) for name in ("x0", "x1", "y0", "y1")}
    last = float(cells[["x1", "y1"]].to_numpy(float).max())
    if left_out:
        for end in ("x1", "y1"):
            edges[end] = _past(edges[end]) if edges[end] == last else edges[end]
    return edges


def _past(edge: float) -> float:
    """The next number after an edge, so that a range that ends before it takes the edge in."""
    return float(np.nextafter(edge, np.inf))


def _between(spec: ColumnSpec, side: Side, row: pd.Series) -> Asked:
    """The rows between the ends of what was clicked; an end too large for a number is none."""
    low, high = (float(row[end]) if isfinite(row[end]) else None for end in ("low", "high"))
    if low is None and high is None:
        return ()
    return (UserColumnIn(column=spec.id, side=side, low=low, high=high),)
