"""Which rows of a rewording are shown: conditions that live in a URL, each with words for a chip.

A row is shown if all conditions hold. `model`, `of` and `side` say of whom `flip`, `cell` and
`order` speak: which reward model, which change of the text (the rewording where none is named) and
which reply. Rows that a number counted are found by the same numbers: past the same gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.rewrite.numbers import Numbers
from ivan_core.experiments.rewrite.views import VARIANTS as NAMES
from ivan_core.metrics.robustness import REWARDS, REWORDED, SECOND, SURFACE
from ivan_core.metrics.robustness_labels import DIRECTIONS, SAME
from ivan_core.metrics.robustness_sentences import FLIP_WORDS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ivan_core.experiments.rewrite.results import RewriteResults

FLIPS = {"any": "flips either way", **FLIP_WORDS}
STATES = {
    "kept": "meaning kept",
    "left": "reworded, but meaning not kept",
    "unrated": "reworded, but not rated",
    "failed": "not reworded",
}
MOVES = {"flipped": "flipped", "lost": "lost", "gained": "gained", "same": "stayed"}
ORDERS = {
    "": "in the order of the dataset",
    "change": "largest change of the margin first",
    "reward": "largest change of the reward first",
    "unlike": "least similar first",
}
_CELL_ENDS = 4


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Conditions on the rows of a run; an empty one asks for nothing."""

    state: str = ""
    reason: str = ""
    model: str = ""
    of: str = ""
    flip: str = ""
    cell: str = ""
    label: str = ""
    move: str = ""
    side: str = ""
    order: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The conditions as parameters of a URL."""
        return {name: text for name, text in asdict(self).items() if text}

    @property
    def variant(self) -> str:
        """The change of the text that the filter speaks of."""
        return self.of or REWORDED

    @property
    def ends(self) -> tuple[float, float, float, float] | None:
        """The edges of a cell: similarity from and to, change from and to."""
        return _ends(self.cell)

    def by_head(self, column: str, models: tuple[str, ...]) -> PairFilter:
        """In the order of a column of the table; once more puts the rows back in their order.

        The same filter where the rows cannot be sorted by that column.
        """
        if column == "row_id":
            return _whole(replace(self, order=""))
        if column == "similarity":
            wanted = _whole(replace(self, order="unlike"))
        elif column in models and self.model in ("", column):
            wanted = replace(self, model=column, order="change")
        else:
            return self
        return _whole(replace(self, order="")) if wanted == self else wanted

    def without(self, name: str) -> PairFilter:
        """The filter less one condition, and less what makes no sense alone."""
        gone = {"label": ("label", "move", "side")}.get(name, (name,))
        return _whole(replace(self, **dict.fromkeys(gone, "")))


PARAMETERS = tuple(one.name for one in fields(PairFilter))
"""The parameters of a URL that belong to the filter."""


def cell_of(x0: float, x1: float, y0: float, y1: float) -> str:
    """The edges of a cell as a parameter of a URL; floats are kept to their last bit."""
    return "_".join(repr(float(end)) for end in (x0, x1, y0, y1))


def read_filter(
    query: Mapping[str, str], models: tuple[str, ...]
) -> tuple[PairFilter, tuple[str, ...]]:
    """The filter of a URL, and the names of parameters in it that make no sense."""
    asked = {name: query[name] for name in PARAMETERS if query.get(name)}
    known = {name: text for name, text in asked.items() if _known(name, text, models)}
    found = _whole(PairFilter(**known))
    return found, tuple(name for name in asked if not getattr(found, name))


def chips(wanted: PairFilter) -> list[tuple[str, str]]:
    """Each condition with its words; the name is that of what a chip takes away."""
    held: list[tuple[str, str]] = []
    of = "" if wanted.variant == REWORDED else f" ({NAMES_OF[wanted.variant]})"
    if wanted.state:
        held.append(("state", STATES[wanted.state]))
    if wanted.reason:
        held.append(("reason", f"refused: {wanted.reason}"))
    if wanted.flip:
        held.append(("flip", f"{wanted.model}: {FLIPS[wanted.flip]}{of}"))
    if wanted.ends:
        x0, x1, y0, y1 = wanted.ends
        told = f"similarity {x0:.3f} to {x1:.3f}, change {y0:.2f} to {y1:.2f}"
        held.append(("cell", f"{wanted.model}: {told}"))
    if wanted.label:
        where = f" in the {wanted.side} reply" if wanted.side else ""
        held.append(("label", f"{label_name(wanted.label)}: {MOVES[wanted.move]}{where}"))
    if wanted.order:
        held.append(("order", _order_words(wanted)))
    return held


NAMES_OF: Mapping[str, str] = {str(name): words for name, words in NAMES.items()}


def matching(results: RewriteResults, numbers: Numbers, wanted: PairFilter) -> list[int]:
    """Row ids of the rows that meet all conditions, in the order of the filter."""
    found = np.asarray(results.row_ids, dtype=np.int64)
    for rows in _conditions(results, numbers, wanted):
        found = found[np.isin(found, rows)]
    return _ordered(results, numbers, wanted, found)


def _conditions(
    results: RewriteResults, numbers: Numbers, wanted: PairFilter
) -> list[NDArray[np.int64]]:
    held: list[NDArray[np.int64]] = []
    if wanted.state:
        held.append(in_state(results, numbers, wanted.state))
    if wanted.reason:
        alike = results.likeness
        refused = alike["chosen_reason"].eq(wanted.reason) | alike["rejected_reason"].eq(
            wanted.reason
        )
        own = alike["variant"].eq(REWORDED) & refused.fillna(False).astype(bool)
        held.append(_rows(alike[own]))
    if wanted.flip:
        moved = numbers.changes(wanted.model, wanted.variant)
        agreed, agrees = moved["verdict_before"].eq("agree"), moved["verdict_after"].eq("agree")
        lost, gained = agreed & ~agrees, ~agreed & agrees
        mask = {"misaligned": lost, "aligned": gained, "any": lost | gained}[wanted.flip]
        held.append(_rows(moved[mask]))
    if wanted.ends:
        moved = numbers.changes(wanted.model)
        unit = numbers.units[wanted.model] or 1.0
        x0, x1, y0, y1 = wanted.ends
        change = (moved["margin_after"] - moved["margin_before"]).abs() / unit
        held.append(_rows(moved[_between(moved["similarity"], x0, x1) & _between(change, y0, y1)]))
    if wanted.label:
        held.append(_rows(_with_label(numbers.label_flips, wanted)))
    return held


def in_state(results: RewriteResults, numbers: Numbers, state: str) -> NDArray[np.int64]:
    """Rows by what came of them: every row of a run is in one state.

    Reworded and rated, the meaning kept or not, as the headline counts it; reworded, but rated by
    no model; or not reworded.
    """
    alike = results.likeness
    own = alike[alike["variant"].eq(REWORDED)]
    whole = own["chosen_reason"].isna() & own["rejected_reason"].isna()
    if state == "failed":
        return _rows(own[~whole])
    there, rated = _rows(own[whole]), _rows(_rated(results.table))
    if state == "unrated":
        return there[np.isin(there, rated, invert=True)]
    there = there[np.isin(there, rated)]
    return there[np.isin(there, _rows(_rated(numbers.table)), invert=state == "left")]


def _rated(table: pd.DataFrame) -> pd.DataFrame:
    known = table[list(REWARDS)].notna().all(axis=1)
    return table[table["variant"].eq(REWORDED) & known]


def _with_label(flips: pd.DataFrame, wanted: PairFilter) -> pd.DataFrame:
    own = flips[flips["feature"].eq(wanted.label)]
    if wanted.side:
        own = own[own["preference"].eq(wanted.side)]
    if wanted.move == "flipped":
        return own[own["flip"].ne(SAME)]
    return own[own["flip"].eq({**DIRECTIONS, "same": SAME}[wanted.move])]


def _ordered(
    results: RewriteResults, numbers: Numbers, wanted: PairFilter, found: NDArray[np.int64]
) -> list[int]:
    """The rows in the order asked for; those without the number come last."""
    if not wanted.order or not len(found):
        return [int(row) for row in found]
    if wanted.order == "unlike":
        alike = results.likeness
        own = alike[alike["variant"].eq(wanted.variant)].set_index("row_id")
        values = own[["chosen_similarity", "rejected_similarity"]].min(axis=1)
    else:
        moved = numbers.changes(wanted.model, wanted.variant).set_index("row_id")
        margin = moved["margin_after"] - moved["margin_before"]
        change = margin if wanted.order == "change" else moved[f"{wanted.side}_change"]
        values = -change.abs()
    keys = values.reindex(found).to_numpy(float)
    return [int(row) for row in found[np.lexsort([found, keys])]]  # NaN sorts last


def _between(values: pd.Series, start: float, end: float) -> pd.Series:
    """Values in a cell that takes its lower edge, and its upper one where it is the last."""
    last = values.eq(end) & (end >= float(values.max() if len(values) else end))
    return values.ge(start) & (values.lt(end) | last)


def _rows(table: pd.DataFrame) -> NDArray[np.int64]:
    return np.unique(table["row_id"].to_numpy(np.int64))


def _known(name: str, text: str, models: tuple[str, ...]) -> bool:
    choices: dict[str, tuple[str, ...]] = {
        "state": tuple(STATES), "model": models, "of": (SECOND, SURFACE), "flip": tuple(FLIPS),
        "label": REWRITE_FEATURES, "move": tuple(MOVES), "side": SIDES, "order": tuple(ORDERS),
    }  # fmt: skip
    if name == "cell":
        return _ends(text) is not None
    return len(text) <= 100 if name == "reason" else text in choices[name]


def _whole(found: PairFilter) -> PairFilter:
    """The filter less what says nothing by itself."""
    gone: set[str] = set()
    if not found.model:
        gone |= {"flip", "cell"} | ({"order"} if found.order in ("change", "reward") else set())
    if not (found.label and found.move):
        gone |= {"label", "move"}
    left = replace(found, **dict.fromkeys(gone, ""))
    if left.order == "reward" and not left.side:
        left = replace(left, order="")
    needs_model = left.flip or left.cell or left.order in ("change", "reward")
    if not needs_model:
        left = replace(left, model="")
    if not (left.flip or left.order):
        left = replace(left, of="")
    if not (left.label or left.order == "reward"):
        left = replace(left, side="")
    return left


def _ends(text: str) -> tuple[float, float, float, float] | None:
    parts = text.split("_")
    if len(parts) != _CELL_ENDS or len(text) > 120:
        return None
    try:
        x0, x1, y0, y1 = (float(part) for part in parts)
    except ValueError:
        return None
    return (x0, x1, y0, y1) if x0 <= x1 and y0 <= y1 else None


def _order_words(wanted: PairFilter) -> str:
    of = "" if wanted.variant == REWORDED else f", {NAMES_OF[wanted.variant]}"
    who = f"{wanted.model}{of}: " if wanted.model else ""
    what = ORDERS[wanted.order]
    if wanted.order == "reward":
        what = f"largest change of the reward of the {wanted.side} reply first"
    return f"{who}{what}"
