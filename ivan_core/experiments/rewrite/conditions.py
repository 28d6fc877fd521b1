"""What a row of a rewording may have to be, and the order of its rows.

`model`, `of` and `side` say of whom a condition speaks: which reward model, which change of the
text (the rewording where none is named) and which reply. Rows that a number counted are found by
the same numbers: past the same gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, model_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.engine.opened import named_runs
from ivan_core.experiments.columns.conditions import OFFERS as SEARCHES, TextHas, UserColumnIn
from ivan_core.experiments.compare.verdicts import REWARDS as VERDICTS
from ivan_core.experiments.labels.conditions import LABELS, label_name
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, open_rewrite
from ivan_core.experiments.rewrite.units import variants_of
from ivan_core.experiments.rewrite.views import VARIANTS as NAMES
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Condition,
    Floats,
    Ints,
    Language,
    Listing,
    Model,
    Name,
    Names,
    Offer,
    Order,
    Picks,
    Range,
    fixed,
    span,
)
from ivan_core.lists.pairs import OF_PAIRS, OFFERS
from ivan_core.metrics.intervals import with_minus
from ivan_core.metrics.robustness.changes import REWARDS, REWORDED
from ivan_core.metrics.robustness.labels import DIRECTIONS, SAME
from ivan_core.metrics.robustness.sentences import FLIP_WORDS

if TYPE_CHECKING:
    import pandas as pd

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
NAMES_OF: Mapping[str, str] = {str(name): words for name, words in NAMES.items()}
_CELL_ENDS = 4
Change = Literal["", "second", "surface"]
Side = Literal["", "chosen", "rejected"]


@dataclass(frozen=True, eq=False)
class Reworded:
    """What the conditions read: a run, and its numbers past a gate."""

    results: RewriteResults
    numbers: Numbers


def _feature(key: str) -> str:
    if key not in REWRITE_FEATURES:
        raise ValueError("no such label")
    return key


def _cell(text: str) -> str:
    if _ends(text) is None:
        raise ValueError("no cell")
    return text


MEANING = "meaning"
"""The measure of conditions on whether the rewording kept the meaning."""


class StateIs(Condition):
    """What came of a row."""

    query: ClassVar[str] = "state"
    measure: ClassVar[str] = MEANING
    parameters: ClassVar[tuple[str, ...]] = ("state",)
    state: Literal["kept", "left", "unrated", "failed"]

    def words(self, names: Names) -> str:
        return STATES[self.state]

    def holds(self, listing: Listing) -> Bools:
        own: Reworded = listing.results
        return np.isin(listing.rows, in_state(own.results, own.numbers, self.state))


class ReasonIs(Condition):
    """Why a side has no rewording."""

    query: ClassVar[str] = "reason"
    measure: ClassVar[str] = MEANING
    parameters: ClassVar[tuple[str, ...]] = ("reason",)
    reason: Model

    def words(self, names: Names) -> str:
        return f"refused: {self.reason}"

    def holds(self, listing: Listing) -> Bools:
        own = _reworded(listing)
        refused = own["chosen_reason"].eq(self.reason) | own["rejected_reason"].eq(self.reason)
        return np.isin(listing.rows, _rows(own[refused.fillna(False).astype(bool)]))


class _OfModel(Condition):
    """A condition on how a reward model's margin changed, where it has one before and after."""

    measure: ClassVar[str] = VERDICTS
    needs: ClassVar[str] = MEANING
    identity: ClassVar[tuple[str, ...]] = ("model", "of")
    model: Model
    of: Change = ""

    @property
    def about(self) -> str:
        """The change of the text, where it is not the rewording, in words."""
        return f" ({NAMES_OF[self.of]})" if self.of else ""

    def check(self, listing: Listing) -> None:
        _check_model(listing, self.model)

    def known(self, listing: Listing) -> Bools:
        return np.isin(listing.rows, _rows(self.changes(listing)))

    def changes(self, listing: Listing) -> pd.DataFrame:
        """The changes of the model's numbers, row by row."""
        own: Reworded = listing.results
        self.check(listing)
        return own.numbers.changes(self.model, self.of or REWORDED)


class FlipIs(_OfModel):
    """The model's verdict turned."""

    query: ClassVar[str] = "flip"
    chip: ClassVar[str] = "flip"
    parameters: ClassVar[tuple[str, ...]] = ("model", "of", "flip")
    flip: Literal["any", "misaligned", "aligned"]

    def words(self, names: Names) -> str:
        return f"{names.get(self.model, self.model)}: {FLIPS[self.flip]}{self.about}"

    def holds(self, listing: Listing) -> Bools:
        moved = self.changes(listing)
        agreed, agrees = moved["verdict_before"].eq("agree"), moved["verdict_after"].eq("agree")
        lost, gained = agreed & ~agrees, ~agreed & agrees
        mask = {"misaligned": lost, "aligned": gained, "any": lost | gained}[self.flip]
        return np.isin(listing.rows, _rows(moved[mask]))


class CellIs(_OfModel):
    """A cell of the similarity with the original and the size of the change of the margin."""

    query: ClassVar[str] = "cell"
    chip: ClassVar[str] = "cell"
    parameters: ClassVar[tuple[str, ...]] = ("model", "cell")
    cell: Annotated[Name, AfterValidator(_cell)]

    @property
    def ends(self) -> tuple[float, float, float, float]:
        """The edges of the cell: similarity from and to, change from and to."""
        return _ends(self.cell) or (0.0, 0.0, 0.0, 0.0)

    def words(self, names: Names) -> str:
        x0, x1, y0, y1 = self.ends
        model = names.get(self.model, self.model)
        change = f"{with_minus(y0, '.2f')} to {with_minus(y1, '.2f')}"
        return f"{model}: similarity {x0:.3f} to {x1:.3f}, change {change}"

    def holds(self, listing: Listing) -> Bools:
        own: Reworded = listing.results
        moved = self.changes(listing)
        unit = own.numbers.units[self.model] or 1.0
        x0, x1, y0, y1 = self.ends
        change = (moved["margin_after"] - moved["margin_before"]).abs() / unit
        inside = _between(moved["similarity"], x0, x1) & _between(change, y0, y1)
        return np.isin(listing.rows, _rows(moved[inside]))


class LabelMoves(Condition):
    """What became of a label when the text was reworded."""

    query: ClassVar[str] = "move"
    measure: ClassVar[str] = LABELS
    needs: ClassVar[str] = MEANING
    identity: ClassVar[tuple[str, ...]] = ("label", "side")
    chip: ClassVar[str] = "label"
    parameters: ClassVar[tuple[str, ...]] = ("label", "move", "side")
    label: Annotated[Name, AfterValidator(_feature)]
    move: Literal["flipped", "lost", "gained", "same"]
    side: Side = ""

    def words(self, names: Names) -> str:
        where = f" in the {self.side} reply" if self.side else ""
        return f"{label_name(self.label)}: {MOVES[self.move]}{where}"

    def holds(self, listing: Listing) -> Bools:
        own = self._own(listing)
        if self.move == "flipped":
            return np.isin(listing.rows, _rows(own[own["flip"].ne(SAME)]))
        wanted = {**DIRECTIONS, "same": SAME}[self.move]
        return np.isin(listing.rows, _rows(own[own["flip"].eq(wanted)]))

    def known(self, listing: Listing) -> Bools:
        return np.isin(listing.rows, _rows(self._own(listing)))

    def _own(self, listing: Listing) -> pd.DataFrame:
        reworded: Reworded = listing.results
        flips = reworded.numbers.label_flips
        own = flips[flips["feature"].eq(self.label)]
        return own[own["preference"].eq(self.side)] if self.side else own


class SimilarityIn(Range):
    """How similar the rewording is to its original, of the less similar side."""

    query: ClassVar[str] = "similarity"
    measure: ClassVar[str] = MEANING

    def words(self, names: Names) -> str:
        return f"similarity {span(self.low, self.high)}"

    def holds(self, listing: Listing) -> Bools:
        return self.takes(_similarity(listing))

    def known(self, listing: Listing) -> Bools:
        return ~np.isnan(_similarity(listing))


class RowOrder(Order):
    """The order of the rows of a rewording; of rows without the number asked for, they are last."""

    query: ClassVar[str] = "order"
    parameters: ClassVar[tuple[str, ...]] = ("order", "model", "of", "side")
    order: Literal["", "change", "reward", "unlike"] = ""
    model: Name = ""
    of: Change = ""
    side: Side = ""

    @classmethod
    def given(cls, query: Mapping[str, str]) -> dict[str, str] | None:
        return super().given(query) if "order" in query else None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What an order needs is there, and what says nothing in it is not."""
        by_model = self.order in ("change", "reward")
        if by_model and not self.model:
            raise ValueError("names no model")
        if self.order == "reward" and not self.side:
            raise ValueError("names no side")
        for name, needed in (
            ("model", by_model),
            ("of", self.order != ""),
            ("side", self.order == "reward"),
        ):
            if not needed:
                object.__setattr__(self, name, "")
        return self

    def words(self, names: Names) -> str:
        of = f", {NAMES_OF[self.of]}" if self.of else ""
        who = f"{names.get(self.model, self.model)}{of}: " if self.model else ""
        if self.order == "reward":
            return f"{who}largest change of the reward of the {self.side} reply first"
        return f"{who}{ORDERS[self.order]}"

    def check(self, listing: Listing) -> None:
        if self.model:
            _check_model(listing, self.model)

    def by_head(self, column: str, models: Sequence[str]) -> RowOrder:
        """By similarity or the change of a model's margin; once more puts the rows back."""
        if column == "row_id":
            return RowOrder()
        if column == "similarity":
            wanted = RowOrder(order="unlike")
        elif column in models:
            wanted = RowOrder(order="change", model=column)
        else:
            return self
        return RowOrder() if wanted == self else wanted

    def arranged(self, listing: Listing, places: Ints) -> Ints:
        if not self.order or not len(places):
            return np.arange(len(places))
        own: Reworded = listing.results
        variant = self.of or REWORDED
        if self.order == "unlike":
            alike = own.results.similarities
            alike = alike[alike["variant"].eq(variant)].set_index("row_id")
            values = alike[["chosen_similarity", "rejected_similarity"]].min(axis=1)
        else:
            self.check(listing)
            moved = own.numbers.changes(self.model, variant).set_index("row_id")
            margin = moved["margin_after"] - moved["margin_before"]
            values = -(margin if self.order == "change" else moved[f"{self.side}_change"]).abs()
        rows = listing.rows[places]
        return np.lexsort([rows, values.reindex(rows).to_numpy(float)])  # NaN sorts last


def listing(results: RewriteResults, past: Numbers) -> Listing:
    """The rows of a rewording, whose numbers are those past a gate."""
    rows = np.asarray(results.row_ids, dtype=np.int64)
    return Listing(results.run.id, results.dataset, rows, Reworded(results, past))


def _of_run(run_id: str) -> Listing:
    results = open_rewrite(run_id)
    return listing(results, numbers(results, Gate()))


def _models(listing: Listing, _: Picks) -> dict[str, str]:
    own: Reworded = listing.results
    return {model: model for model in own.results.models}


def _changes_of(listing: Listing, _: Picks) -> dict[str, str]:
    own: Reworded = listing.results
    there = [str(one) for one in variants_of(own.results.spec) if one not in ("original", REWORDED)]
    return {"": NAMES_OF[REWORDED], **{one: NAMES_OF[one] for one in there}} if there else {}


_MODEL, _OF = Choice("model", "Model", _models), Choice("of", "Change of the text", _changes_of)
LANGUAGE = Language(
    "rewrite",
    (StateIs, ReasonIs, FlipIs, CellIs, LabelMoves, SimilarityIn, *OF_PAIRS, TextHas, UserColumnIn),
    RowOrder,
    _of_run,
    named_runs("rewrite"),
    (
        Offer("Flip when reworded", FlipIs, (_MODEL, Choice("flip", "Which", fixed(FLIPS)), _OF)),
        Offer(
            "Similarity of the rewording",
            SimilarityIn,
            (Choice("low", "Cosine from"), Choice("high", "Up to")),
        ),
        Offer(
            "Label moved by rewording",
            LabelMoves,
            (
                Choice("label", "Label", fixed({one: label_name(one) for one in REWRITE_FEATURES})),
                Choice("move", "How", fixed(MOVES)),
                Choice(
                    "side",
                    "Of which reply",
                    fixed(
                        {"": "either", "chosen": "the chosen one", "rejected": "the rejected one"}
                    ),
                ),
            ),
        ),
        *OFFERS,
        *SEARCHES,
    ),
)


def cell_of(x0: float, x1: float, y0: float, y1: float) -> str:
    """The edges of a cell as a parameter of a URL; floats are kept to their last bit."""
    return "_".join(repr(float(end)) for end in (x0, x1, y0, y1))


def in_state(results: RewriteResults, numbers: Numbers, state: str) -> Ints:
    """Rows by what came of them, as the headline counts it: every row of a run is in one state."""
    alike = results.similarities
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


def _check_model(listing: Listing, model: str) -> None:
    own: Reworded = listing.results
    if model not in own.results.models:
        raise BadInput(
            f"Run {listing.run_id} has no model {model}.",
            f"It has {', '.join(own.results.models)}.",
        )


def _reworded(listing: Listing) -> pd.DataFrame:
    """How alike the rewordings are to their originals, or why there is none, row by row."""
    own: Reworded = listing.results
    alike = own.results.similarities
    return alike[alike["variant"].eq(REWORDED)]


def _similarity(listing: Listing) -> Floats:
    own = _reworded(listing).set_index("row_id")
    values = own[["chosen_similarity", "rejected_similarity"]].min(axis=1)
    found: Floats = values.reindex(listing.rows).to_numpy(float, na_value=np.nan)
    return found


def _between(values: pd.Series, start: float, end: float) -> pd.Series:
    """Values in a cell that takes its lower edge, and its upper one where it is the last."""
    last = values.eq(end) & (end >= float(values.max() if len(values) else end))
    return values.ge(start) & (values.lt(end) | last)


def _rows(table: pd.DataFrame) -> Ints:
    return np.unique(table["row_id"].to_numpy(np.int64))


def _ends(text: str) -> tuple[float, float, float, float] | None:
    parts = text.split("_")
    if len(parts) != _CELL_ENDS or len(text) > 120:
        return None
    try:
        x0, x1, y0, y1 = (float(part) for part in parts)
    except ValueError:
        return None
    return (x0, x1, y0, y1) if x0 <= x1 and y0 <= y1 else None
