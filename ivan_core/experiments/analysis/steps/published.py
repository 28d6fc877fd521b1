"""The table `published`: each number by the published rule on these rows, by ours, and the paper's.

The paper's numbers lie beside this file, with their sources. They are of other rows, other models
and other labels, so no differences are computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.rewordings import shared_models, why_not
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults
from ivan_core.metrics.imprint.against import REGIMES, regimes
from ivan_core.metrics.imprint.preference import (
    PREFERS,
    UNLABELLED,
    Bools,
    Codes,
    prefers,
    prefers_as_published,
)
from ivan_core.metrics.imprint.published import BARS, Coefficient, angles, ordinary
from ivan_core.metrics.labels.answers import CHOICE_KEYS
from ivan_core.metrics.robustness.changes import ORIGINAL, REWORDED, changes
from ivan_core.metrics.robustness.labels import DIRECTIONS, label_flips

Record = dict[str, Any]
Found = Mapping[str, Sequence[Record]]
Floats = NDArray[np.float64]
TOLD = PREFERS[:UNLABELLED]
MOVED = ("last_response_is_coherent", "last_response_is_eloquent", "last_response_sentiment")
"""The labels whose flips were set against becoming misaligned."""
_PAPER = Path(__file__).with_name("seal.json")


@dataclass(frozen=True, slots=True)
class Ours:
    """The number of this package that answers the same question, with its interval."""

    value: float = nan
    low: float = nan
    high: float = nan


_NONE = Ours()
Row = tuple[str, Coefficient, Ours]


@dataclass(frozen=True, slots=True)
class Of:
    """Whose labels, and which models, the numbers are of; `before` is empty without one."""

    labeler: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One number of the paper; `se` is NaN where it was not saved."""

    value: float
    se: float
    source: str


@cache
def paper() -> Mapping[str, Paper]:
    """The paper's numbers by name, in its order."""
    kept = json.loads(_PAPER.read_text("utf-8"))
    return {
        one["name"]: Paper(one["value"], one.get("se", nan), kept["sources"][one["source"]])
        for one in kept["numbers"]
    }


def names() -> frozenset[str]:
    """All names that a row can have."""
    more = {f"imprint:{when},{key}" for when in ("before", "after") for key in REGRESSION_FEATURES}
    return frozenset({*paper(), *more})


def who_of(joined: Joined, before: str = "", after: str = "") -> Of | None:
    """The first labeler who tells what it prefers, and the two models that were named, else the
    first one alone, in the place of the trained one; None without such a labeler. Authored labels
    tell nothing of either reply by itself, which the published numbers take."""
    told = (
        run
        for run, own in joined.labelers.items()
        if set(CHOICE_KEYS) <= set(own.features) and not own.authored
    )
    labeler = next(told, None)
    if labeler is None or not joined.models:
        return None
    return Of(labeler, before, after or next(iter(joined.models)))


def published(
    joined: Joined,
    rewards: Mapping[str, Floats],
    of: Of,
    found: Found,
    reworded: RewriteResults | None,
) -> list[Record]:
    """All rows, the paper's numbers in its order and then those that it does not tell.

    `rewards` (n, 2) are those of the chosen and the rejected reply by model, in the order of the
    joined rows, and `found` the records of the other tables.
    """
    rows = {
        name: (theirs, ours)
        for part in (
            _verdicts(joined, of, found),
            _imprints(joined, rewards, of, found),
            _angles(joined, rewards, of, found),
            _misaligned(joined, of, found),
            _became(of, reworded),
        )
        for name, theirs, ours in part
    }
    return [
        _record(name, *rows.get(name, (Coefficient(), _NONE)))
        for name in [*paper(), *(name for name in rows if name not in paper())]
    ]


def _record(name: str, theirs: Coefficient, ours: Ours) -> Record:
    told = paper().get(name, Paper(nan, nan, ""))
    return {
        "name": name,
        "here_as_published": theirs.estimate,
        "here": ours.value,
        "paper": told.value,
        "source": told.source,
        **_bars("here_as_published", theirs.estimate, theirs.se),
        "p_bonferroni": theirs.p,
        "here_low": ours.low,
        "here_high": ours.high,
        **_bars("paper", told.value, told.se),
    }


def _bars(name: str, value: float, se: float) -> Record:
    return {f"{name}_low": value - BARS * se, f"{name}_high": value + BARS * se}


def _rule(joined: Joined, labeler: str) -> tuple[Codes, Codes]:
    """What the labels prefer, by the published rule and by ours."""
    own = joined.labelers[labeler]
    places = [own.features.index(key) for key in CHOICE_KEYS]
    sides = own.chosen[:, places], own.rejected[:, places]
    return prefers_as_published(*sides), prefers(*sides)


def _verdicts(joined: Joined, of: Of, found: Found) -> Iterator[Row]:
    """Agreement, what the labels prefer, regimes, and how often a model goes against the choice."""
    theirs, ours = _rule(joined, of.labeler)
    against = {
        (row["model"], row["labeler_prefers"]): Ours(row["rate"], row["low"], row["high"])
        for row in found["misaligned"]
        if row["labeler"] == of.labeler
    }
    for name, model in (("before", of.before), ("after", of.after)):
        if model:
            margin = joined.models[model].margin
            one = against[model, "all"]
            agree = Ours(1 - one.value, 1 - one.high, 1 - one.low)
            yield f"agreement:{name}", _mean(margin > 0, ~np.isnan(margin)), agree
    for place, word in enumerate(TOLD):
        counts = [float((codes == place).sum()) for codes in (theirs, ours)]
        yield f"labeler:{word}", Coefficient(counts[0]), Ours(counts[1])
    after = joined.models[of.after].margin
    if of.before:
        was = joined.models[of.before].margin
        told = [regimes(was, after, codes, joined.prompts) for codes in (theirs, ours)]
        for regime in REGIMES:
            for word in TOLD:
                counts = [float(one.count(regime, word)) for one in told]
                name = f"regime:{regime},labeler:{word}"
                yield name, Coefficient(counts[0]), Ours(counts[1])
    rated = ~np.isnan(after)
    for place, word in enumerate(TOLD):
        name, one = f"misaligned:after,labeler:{word}", against[of.after, word]
        yield name, _mean(after <= 0, rated & (theirs == place)), one
        yield f"{name},ties:agree", _mean(after < 0, rated & (ours == place)), one


def _mean(values: Floats | Bools, rows: Bools) -> Coefficient:
    return Coefficient(float(values[rows].mean())) if rows.any() else Coefficient()


def _imprints(joined: Joined, rewards: Mapping[str, Floats], of: Of, found: Found) -> Iterator[Row]:
    """Rewards of all texts on their labels and the row id."""
    own = joined.labelers[of.labeler]
    for when, model in (("before", of.before), ("after", of.after)):
        if not model:
            continue
        inside = joined.enters([model], of.labeler)
        labels = np.concatenate([own.chosen[inside], own.rejected[inside]])
        row_ids = np.tile(joined.row_ids[inside].astype(np.float64), 2)
        columns = np.column_stack([labels, row_ids])
        outcome = np.concatenate([rewards[model][inside, 0], rewards[model][inside, 1]])
        told = ordinary(columns, outcome, range(labels.shape[1]))
        ours = _effects(found, of, model, "")
        for place, key in enumerate(own.features):
            yield f"imprint:{when},{key}", told[place], ours.get(key, _NONE)


def _effects(found: Found, of: Of, model: str, before: str) -> dict[str, Ours]:
    """The imprint with all else in the table equal, beside length, by feature."""
    wanted = {
        "model": model,
        "before": before,
        "labeler": of.labeler,
        "view": "together",
        "control": "length",
    }
    return {
        row["feature"]: Ours(row["estimate"], row["low"], row["high"])
        for row in found["imprint"]
        if all(row[name] == value for name, value in wanted.items())
    }


def _both_sides(joined: Joined, of: Of, inside: Bools) -> tuple[Floats, list[str]]:
    """The labels of both replies, with the names of their columns."""
    own = joined.labelers[of.labeler]
    columns = np.concatenate([own.chosen[inside], own.rejected[inside]], axis=1)
    return columns, [f"{side}:{key}" for side in SIDES for key in own.features]


def _angles(joined: Joined, rewards: Mapping[str, Floats], of: Of, found: Found) -> Iterator[Row]:
    """The angle between the two models' pairs of rewards; beside it the margin shift."""
    if not of.before:
        return
    models = [of.before, of.after]
    rated, (theirs, _) = joined.rated_by(models), _rule(joined, of.labeler)
    theta = angles(rewards[of.before], rewards[of.after])
    was, now = (joined.models[one].margin for one in models)
    which = regimes(was, now, theirs, joined.prompts)
    parts = {"all": rated}
    parts |= {f"regime:{name}": which.rows(name) for name in REGIMES}
    parts |= {f"labeler:{name}": rated & (theirs == place) for place, name in enumerate(TOLD)}
    shifts = {
        ":".join(filter(None, (row["by"], row["value"]))): Ours(
            row["mean"], row["low"], row["high"]
        )
        for row in found.get("shift", ())
        if row["labeler"] == of.labeler
    }
    for name, rows in parts.items():
        yield f"theta:mean,{name}", _mean(theta, rows), shifts.get(name, _NONE)
    inside = joined.enters(models, of.labeler)
    columns, names = _both_sides(joined, of, inside)
    told = ordinary(columns, theta[inside], range(columns.shape[1]))
    ours = _effects(found, of, of.after, of.before)
    for place, name in enumerate(names):
        side, _, key = name.partition(":")
        one = ours.get(key, _NONE)
        turned = one if side == SIDES[0] else Ours(-one.value, -one.high, -one.low)
        yield f"theta,{name}", told[place], turned


def _misaligned(joined: Joined, of: Of, found: Found) -> Iterator[Row]:
    """A linear probability of going against the choice; beside it the average effects of ours."""
    inside = joined.enters([of.after], of.labeler)
    columns, names = _both_sides(joined, of, inside)
    against = (joined.models[of.after].margin[inside] <= 0).astype(np.float64)
    told = ordinary(columns, against, range(columns.shape[1]))
    ours = {
        row["column"]: Ours(row["points"], row["low"], row["high"])
        for row in found["why"]
        if (row["model"], row["labeler"]) == (of.after, of.labeler)
    }
    for place, name in enumerate(names):
        yield f"misaligned:after,{name}", told[place], ours.get(name, _NONE)


def _became(of: Of, reworded: RewriteResults | None) -> Iterator[Row]:
    """A linear probability of becoming misaligned over all pairs; ours is of those at risk."""
    if reworded is None or why_not(reworded.spec.rewriter, reworded.spec.labeler):
        return
    model = shared_models(reworded.models, [of.after]).get(of.after)
    if model is None:
        return
    moved = changes(reworded.table, model, REWORDED).set_index("row_id")
    was, now = (moved[f"verdict_{when}"].eq("agree") for when in ("before", "after"))
    own = reworded.labels[~reworded.labels["again"]]
    before, after = (own[own["variant"].eq(one)] for one in (ORIGINAL, REWORDED))
    flips = label_flips(before, after, MOVED)
    if flips.empty:
        return
    cells = flips.pivot_table("flip", "row_id", ["preference", "feature"])
    cells = cells.reindex(columns=[(side, key) for key in MOVED for side in SIDES]).dropna()
    rows = np.intersect1d(cells.index.to_numpy(), moved.index.to_numpy())
    names = [
        (f"became-misaligned,{side}:{key},flip:{name}", (side, key, name), flip)
        for key in MOVED
        for side in SIDES
        for name, flip in DIRECTIONS.items()
    ]
    columns = [cells.loc[rows, (side, key)] == flip for _, (side, key, _), flip in names]
    x = np.column_stack(columns).astype(np.float64)
    lost = (was & ~now).loc[rows].to_numpy(np.float64)
    told = ordinary(x, lost, range(x.shape[1]))
    risks = {
        (row["preference"], row["feature"], row["direction"]): Ours(
            row["difference"], row["low"], row["high"]
        )
        for row in numbers(reworded, Gate()).risks(model).to_dict("records")
    }
    for place, (name, cell, _) in enumerate(names):
        yield name, told[place], risks.get(cell, _NONE)
