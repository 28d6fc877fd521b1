"""What rewording moves in one model, measure by measure, beside its two references."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ivan_core.metrics.intervals import Rate, interval_text, number_text
from ivan_core.metrics.robustness.changes import (
    REWORDED,
    SECOND,
    SURFACE,
    Correlation,
    MeanChange,
    Robustness,
)
from ivan_core.metrics.robustness.sentences import FLIP_WORDS, signed, signed_ends
from ivan_core.metrics.sentences import interval, percent

BESIDE = {
    REWORDED: "reworded",
    SURFACE: "punctuation alone",
    SECOND: "from one rewording to the other",
}
"""The columns: the rewording, and what it is set beside."""
_UNKNOWN = "–"


def measures(found: Mapping[str, Robustness | None]) -> list[dict[str, str]]:
    """One row a measure, with a cell for each change in `found`, whose keys are those of `BESIDE`.

    The second rewording is to be measured from the first one: the spread of two rewordings.
    """
    there = {name: one for name, one in found.items() if one is not None}
    rows = [
        ("pairs", {name: f"{one.n:,}" for name, one in there.items()}),
        *_means("reward of the chosen reply", {k: v.chosen for k, v in there.items()}, there),
        *_means("reward of the rejected reply", {k: v.rejected for k, v in there.items()}, there),
        *_means("margin", {k: v.margin for k, v in there.items()}, there),
        (f"verdict {FLIP_WORDS['misaligned']}", {k: _lost(v) for k, v in there.items()}),
        (f"verdict {FLIP_WORDS['aligned']}", {k: _gained(v) for k, v in there.items()}),
        (
            "correlation of the chosen reply's rewards",
            {k: _correlation(v.chosen_correlation) for k, v in there.items()},
        ),
        (
            "correlation of the rejected reply's rewards",
            {k: _correlation(v.rejected_correlation) for k, v in there.items()},
        ),
    ]
    return [
        {"measure": what, **{BESIDE[name]: cells[name] for name in BESIDE if name in cells}}
        for what, cells in rows
    ]


def _means(
    what: str, changes: Mapping[str, MeanChange | None], found: Mapping[str, Robustness]
) -> list[tuple[str, dict[str, str]]]:
    """A mean change in typical margins, and in the units that the model itself has."""
    scaled, raw = {}, {}
    for name, change in changes.items():
        unit = found[name].unit
        known = change is not None and unit
        scaled[name] = _mean(change.in_units(unit)) if known and change and unit else _UNKNOWN
        raw[name] = _raw(change) if change is not None else _UNKNOWN
    return [(f"{what}, in typical margins", scaled), (f"{what}, in its own units", raw)]


def _mean(change: MeanChange) -> str:
    ends = "" if isnan(change.low) else f" {signed_ends(change.low, change.high)}"
    return f"{signed(change.mean)}{ends}"


def _raw(change: MeanChange) -> str:
    ends = "" if isnan(change.low) else f" [{_digits(change.low)}, {_digits(change.high)}]"
    return f"{_digits(change.mean)}{ends}"


def _digits(value: float) -> str:
    """Three digits that count, for units whose size nobody knows beforehand."""
    text = f"{value:+.3g}"
    return "0" if value == 0 else text.replace("-", "−")


def _lost(one: Robustness) -> str:
    return _share(one.flips.misaligned_at_risk if one.flips else None)


def _gained(one: Robustness) -> str:
    return _share(one.flips.aligned_at_risk if one.flips else None)


def _share(rate: Rate | None) -> str:
    """A share of the pairs that could flip that way."""
    if rate is None:
        return _UNKNOWN
    return f"{percent(rate.rate, rate.n)} {interval(rate)}, {rate.count:,} of {rate.n:,}"


def _correlation(found: Correlation | None) -> str:
    if found is None:
        return _UNKNOWN
    return f"{number_text(found.r, 3)} {interval_text(found.low, found.high, 3)}"
