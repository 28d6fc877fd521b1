"""A filter in words: one removable chip a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivan_core.experiments.compare.conditions import (
    AnyCondition,
    ColumnIs,
    Failed,
    LongerIs,
    MarginIn,
    MarginsIn,
    ModelsDiffer,
    Noted,
    RatedBy,
    RewardsIn,
    Seen,
    Sort,
    Starred,
    SubsetIs,
    SureIn,
    TextHas,
    Truncated,
    UserColumnIn,
    VerdictIs,
    VerdictsAre,
)
from ivan_core.lists.conditions import RowFilter

_SIDES = {
    "any": "either side", "chosen": "chosen", "rejected": "rejected",
    "difference": "chosen minus rejected",
}  # fmt: skip
_LONGER = {
    "chosen": "the longer reply was chosen", "rejected": "the shorter reply was chosen",
    "neither": "both replies are equally long",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words. The label is plain text that may hold words of data: escape it."""

    key: str
    label: str


def chips(row_filter: RowFilter, columns: Mapping[str, str] | None = None) -> list[Chip]:
    """The conditions in words, in order; `columns` are the names of user columns by id."""
    return [
        Chip(condition.key, label(condition, columns or {})) for condition in row_filter.conditions
    ]


def label(condition: AnyCondition, columns: Mapping[str, str]) -> str:
    """One condition in words."""
    match condition:
        case VerdictIs():
            return f"{condition.model}: {_rated(condition.verdict)}"
        case ModelsDiffer():
            return "models disagree"
        case VerdictsAre():
            return (
                f"{condition.model}: {_rated(condition.verdict)}, "
                f"{condition.other}: {_rated(condition.other_verdict)}"
            )
        case SubsetIs():
            return f"subset: {condition.label}"
        case ColumnIs():
            return f"{condition.column}: {condition.value}"
        case Truncated():
            return "truncated" + (f" by {condition.model}" if condition.model else "")
        case Failed():
            return "failed" + (f" with {condition.model}" if condition.model else "")
        case Seen():
            return f"{'seen' if condition.seen else 'not seen'} in training by {condition.model}"
        case RatedBy():
            return f"rated by {condition.model}"
        case MarginIn():
            span = _span(condition.low, condition.high)
            return f"{condition.model}: margin {span} typical margins"
        case SureIn():
            span = _span(condition.low, condition.high)
            return f"{condition.model}: sure by {span} typical margins"
        case LongerIs():
            return _LONGER[condition.longer]
        case RewardsIn():
            return (
                f"{condition.model}: chosen reward {_span(condition.x0, condition.x1)}, "
                f"rejected {_span(condition.y0, condition.y1)}"
            )
        case MarginsIn():
            return (
                f"margin of {condition.model} {_span(condition.x0, condition.x1)}, "
                f"of {condition.other} {_span(condition.y0, condition.y1)} typical margins"
            )
        case TextHas():
            where = "reply" if condition.over == "reply" else "text"
            side = "either" if condition.side == "any" else condition.side
            return f"{side} {where} has \u201c{condition.text}\u201d"
        case UserColumnIn():
            name = columns.get(condition.column, f"column {condition.column[:6]}")
            span = _span(condition.low, condition.high)
            return f"{name} ({_SIDES[condition.side]}): {span}"
        case Starred():
            return "starred"
        case Noted():
            return "has a note"


def sort_label(sort: Sort, columns: Mapping[str, str] | None = None) -> str:
    """The order of rows in words."""
    name = (columns or {}).get(sort.of, f"column {sort.of[:6]}")
    words = {
        "row": "row",
        "sharpest": "disagreement between the models",
        "margin": f"margin of {sort.of}",
        "size": f"size of the margin of {sort.of}",
        "length": "length of chosen minus rejected",
        "column": f"{name} ({_SIDES[sort.side]})",
    }[sort.by]
    return f"{words}, {'largest' if sort.descending else 'smallest'} first"


def _rated(verdict: str) -> str:
    return "not rated" if verdict == "unrated" else verdict


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"below {high:.4g}"
    if high is None:
        return f"from {low:.4g}"
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
