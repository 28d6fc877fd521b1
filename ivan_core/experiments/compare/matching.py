"""The rows of a comparison that a filter lets through, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.columns import kind as columns
from ivan_core.experiments.compare.arrays import UNRATED, Aligned, Bools, Floats, ModelScores
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
    Side,
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
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import RowFilter, without
from ivan_core.metrics.agreement import ALL_SUBSETS, VERDICTS
from ivan_core.metrics.bins import in_reward_cell
from ivan_core.metrics.columns import column_groups
from ivan_core.metrics.paired import in_margin_cell
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.annotations.notes import Reviews

_CODES = {**{verdict: code for code, verdict in enumerate(VERDICTS)}, "unrated": UNRATED}
_LONGER = {"chosen": 1, "rejected": -1, "neither": 0}
"""The sign of chosen minus rejected characters."""


def matching_rows(results: Results, row_filter: RowFilter) -> list[int]:
    """The ids of the rows for which every condition holds, in the filter's order.

    Raises:
        BadInput: a condition names a model, column or search that the run does not have (yet).
    """
    aligned = results.aligned
    kept = np.ones(len(aligned.row_ids), dtype=bool)
    for condition in row_filter.conditions:
        kept &= _holds(results, condition)
    places = np.flatnonzero(kept)
    order = _order(results, row_filter.sort, places)
    found: list[int] = aligned.row_ids[places[order]].tolist()
    return found


def fitting(results: Results, row_filter: RowFilter) -> tuple[RowFilter, list[str]]:
    """The filter without the conditions that this run cannot judge, and why each was left out.

    For a link that was made for another run, or before a column was deleted. A search or column
    that is still to be computed is no reason.
    """
    kept, ignored = row_filter, []
    for condition in row_filter.conditions:
        try:
            _check(results, condition)
        except BadInput as error:
            ignored.append(error.message)
            kept = without(kept, condition.key)
    try:
        _check_sort(results, kept.sort)
    except BadInput as error:
        ignored.append(error.message)
        kept = kept.sorted_by(Sort())
    return kept, ignored


def _check(results: Results, condition: AnyCondition) -> None:
    """Refuse what names a model or column that there is not."""
    for name in ("model", "other"):
        model = getattr(condition, name, "")
        if model:
            _scores(results, model)
    if isinstance(condition, ColumnIs):
        _check_own_column(results, condition.column)
    if isinstance(condition, UserColumnIn):
        columns.column(results.dataset.fingerprint, condition.column)


def _check_sort(results: Results, sort: Sort) -> None:
    if sort.by in ("margin", "size"):
        _scores(results, sort.of)
    if sort.by == "column":
        columns.column(results.dataset.fingerprint, sort.of)


def _holds(results: Results, condition: AnyCondition) -> Bools:
    aligned = results.aligned
    match condition:
        case VerdictIs():
            return _has_verdict(results, condition.model, condition.verdict)
        case ModelsDiffer():
            return aligned.differ()
        case VerdictsAre():
            first = _has_verdict(results, condition.model, condition.verdict)
            return first & _has_verdict(results, condition.other, condition.other_verdict)
        case SubsetIs():
            return _in_subset(aligned, condition.label)
        case ColumnIs():
            return _in_own_column(results, condition)
        case Truncated():
            return _any_model(results, condition.model, "truncated")
        case Failed():
            return _any_model(results, condition.model, "failed")
        case Seen():
            return np.asarray(_scores(results, condition.model).seen == int(condition.seen))
        case RatedBy():
            return np.asarray(_scores(results, condition.model).verdict != UNRATED)
        case MarginIn():
            return _margin_in(_scores(results, condition.model), condition)
        case SureIn():
            sizes = np.abs(_scores(results, condition.model).in_units)
            return _within(sizes, condition.low, condition.high)
        case LongerIs():
            return np.asarray(np.sign(aligned.length) == _LONGER[condition.longer])
        case RewardsIn():
            scores = _scores(results, condition.model)
            rated = scores.verdict != UNRATED
            chosen = np.where(rated, scores.chosen_reward, np.nan)
            return in_reward_cell(chosen, scores.rejected_reward, *condition.edges)
        case MarginsIn():
            first_margins = _scores(results, condition.model).in_units
            second_margins = _scores(results, condition.other).in_units
            return in_margin_cell(first_margins, second_margins, *condition.edges)
        case TextHas():
            return _found(results, condition)
        case UserColumnIn():
            return _in_user_column(results, condition)
        case Starred():
            return _marked(results, _reviews().starred_rows(results.dataset.fingerprint))
        case Noted():
            return _marked(results, _reviews().noted_rows(results.dataset.fingerprint))


def _reviews() -> Reviews:
    from ivan_core.annotations.notes import Reviews  # its database library is not needed before

    return Reviews(data_dir())


def _scores(results: Results, model: str) -> ModelScores:
    if model not in results.aligned.models:
        raise BadInput(
            f"Run {results.run.id} has no model {model}.", f"It has {', '.join(results.models)}."
        )
    return results.aligned.models[model]


def _has_verdict(results: Results, model: str, verdict: str) -> Bools:
    return np.asarray(_scores(results, model).verdict == _CODES[verdict])


def _any_model(results: Results, model: str, field: Literal["truncated", "failed"]) -> Bools:
    models = [_scores(results, model)] if model else list(results.aligned.models.values())
    return np.asarray(np.any([getattr(scores, field) for scores in models], axis=0))


def _in_subset(aligned: Aligned, label: str) -> Bools:
    if label == ALL_SUBSETS:
        return np.ones(len(aligned.row_ids), dtype=bool)
    place = aligned.subsets.index(label) if label in aligned.subsets else -1
    return np.asarray(aligned.subset == place)


def _margin_in(scores: ModelScores, condition: MarginIn) -> Bools:
    """From the lower end up to the upper, which counts only where it is the largest margin."""
    margins = scores.in_units
    inside = ~np.isnan(margins)
    if condition.low is not None:
        inside &= margins >= condition.low
    if condition.high is not None:
        reach = np.nanmax(np.abs(margins), initial=0.0)
        inside &= margins <= condition.high if condition.high >= reach else margins < condition.high
    return inside


def _check_own_column(results: Results, name: str) -> None:
    if name not in results.own_columns:
        raise BadInput(f"The dataset brings no column {name[:60]}.")


def _in_own_column(results: Results, condition: ColumnIs) -> Bools:
    """Whether a row is in the group of values that the bars name so, or has that very value."""
    import pandas as pd

    _check_own_column(results, condition.column)
    row_ids = results.aligned.row_ids
    values = results.own_column(condition.column)
    groups = column_groups(values, pd.Series(row_ids))
    if condition.value in groups.names:
        codes = groups.codes.reindex(row_ids).to_numpy(np.int64)
        return np.asarray(codes == groups.names.index(condition.value))
    return np.asarray(values.reindex(row_ids).map(str) == condition.value)


def _found(results: Results, condition: TextHas) -> Bools:
    spec = columns.search_spec(results.dataset.fingerprint, condition)
    if not columns.is_known(spec):
        run = columns.latest_run(spec)
        if run is None or run.state.live:
            raise BadInput(
                f"The texts have not been searched for “{condition.text}” yet.",
                "Wait for the search, or take the condition away.",
            )
        raise BadInput(
            f"The search for “{condition.text}” did not come to its end ({run.state}). "
            f"{run.problem}".strip(),
            run.hint or "Search again, or take the condition away.",
        )
    return np.asarray(_side(results, spec.id, condition.side) > 0)


def _in_user_column(results: Results, condition: UserColumnIn) -> Bools:
    """Whether the side's number, or that of either side, lies in the range."""
    sides: tuple[Side, ...] = (
        ("chosen", "rejected") if condition.side == "any" else (condition.side,)
    )
    inside = np.zeros(len(results.aligned.row_ids), dtype=bool)
    for side in sides:
        inside |= _within(_side(results, condition.column, side), condition.low, condition.high)
    return inside


def _within(values: Floats, low: float | None, high: float | None) -> Bools:
    """Whether values are there and lie between the ends, both of them included."""
    inside = ~np.isnan(values)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    return inside


def _side(results: Results, column_id: str, side: Side) -> Floats:
    """A user column's numbers for the rows of the run; of both sides the larger."""
    column = columns.column(results.dataset.fingerprint, column_id)
    rows = results.aligned.row_ids
    if side == "any":
        return np.fmax(column.chosen[rows], column.rejected[rows])
    if side == "difference":
        return column.chosen[rows] - column.rejected[rows]
    return column.chosen[rows] if side == "chosen" else column.rejected[rows]


def _marked(results: Results, rows: list[int]) -> Bools:
    return np.isin(results.aligned.row_ids, np.asarray(rows, dtype=np.int64))


def _order(results: Results, sort: Sort, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of places: rows without a value come last, equal ones in the dataset's order."""
    if sort.by == "row":
        return np.arange(len(places))[:: -1 if sort.descending else 1]
    values = _sort_values(results, sort)[places]
    return np.argsort(-values if sort.descending else values, kind="stable")


def _sort_values(results: Results, sort: Sort) -> Floats:
    aligned = results.aligned
    match sort.by:
        case "sharpest":
            return aligned.apart()
        case "margin":
            return _scores(results, sort.of).margin
        case "size":
            return np.abs(_scores(results, sort.of).margin)
        case "column":
            return _side(results, sort.of, sort.side)
    return aligned.length.astype(np.float64)
