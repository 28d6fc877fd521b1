"""Conditions on what a worker found in the texts: searches, and columns that somebody wrote."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import StringConstraints

from ivan_core.domain.errors import BadInput
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.experiments.columns import results as columns
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Condition,
    Filter,
    Floats,
    Listing,
    Model,
    Names,
    Offer,
    Picks,
    Range,
    fixed,
    span,
)

Side = Literal["any", "chosen", "rejected", "difference"]
ColumnId = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{16}\z")]
SIDES: dict[str, str] = {
    "any": "either side",
    "chosen": "chosen",
    "rejected": "rejected",
    "difference": "chosen minus rejected",
}


_OF_TEXTS = {one: SIDES[one] for one in ("any", "chosen", "rejected")}


COLUMNS = "user columns"
"""What a condition on the values of a user column asks, and a chart of them draws."""


class TextHas(Condition):
    """Words that occur in the texts, upper and lower case alike."""

    query: ClassVar[str] = "find"
    identity: ClassVar[tuple[str, ...]] = ("text", "over", "side")
    waits: ClassVar[bool] = True
    text: Annotated[Model, StringConstraints(max_length=200)]
    over: Literal["reply", "text"] = "text"
    side: Literal["any", "chosen", "rejected"] = "any"

    def words(self, names: Names) -> str:
        where = "reply" if self.over == "reply" else "text"
        side = "either" if self.side == "any" else self.side
        return f"{side} {where} has \u201c{self.text}\u201d"

    def search(self, dataset: str) -> ColumnSpec:
        """The column that answers it in the texts of the dataset with this fingerprint."""
        return ColumnSpec(dataset=dataset, form="search", expression=self.text, over=self.over)

    def holds(self, listing: Listing) -> Bools:
        spec = self.search(listing.dataset.fingerprint)
        if not columns.is_known(spec):
            run = columns.latest_run(spec)
            if run is None or run.state.live:
                raise BadInput(
                    f"The texts have not been searched for “{self.text}” yet.",
                    "Wait for the search, or take the condition away.",
                )
            raise BadInput(
                f"The search for “{self.text}” did not come to its end ({run.state}). "
                f"{run.problem}".strip(),
                run.hint or "Search again, or take the condition away.",
            )
        return np.asarray(side_values(listing, spec.id, self.side) > 0)


class UserColumnIn(Range):
    """A user column from `low` to `high`, both included; equal ends ask for one value."""

    query: ClassVar[str] = "column"
    measure: ClassVar[str] = COLUMNS
    identity: ClassVar[tuple[str, ...]] = ("column", "side")
    column: ColumnId
    side: Side = "any"

    def words(self, names: Names) -> str:
        name = names.get(self.column, f"column {self.column[:6]}")
        return f"{name} ({SIDES[self.side]}): {span(self.low, self.high)}"

    def check(self, listing: Listing) -> None:
        columns.column(listing.dataset.fingerprint, self.column)

    def holds(self, listing: Listing) -> Bools:
        """Whether the side's number, or that of either side, lies in the range."""
        inside = np.zeros(len(listing.rows), dtype=bool)
        for values in self._values(listing):
            inside |= self.takes(values)
        return inside

    def known(self, listing: Listing) -> Bools:
        return np.asarray(np.any([~np.isnan(one) for one in self._values(listing)], axis=0))

    def _values(self, listing: Listing) -> list[Floats]:
        either = self.side == "any" and listing.rejected is None
        sides: tuple[Side, ...] = ("chosen", "rejected") if either else (self.side,)
        return [side_values(listing, self.column, side) for side in sides]


def _known(listing: Listing, _: Picks) -> dict[str, str]:
    return {spec.id: spec.label for spec in columns.known(listing.dataset.fingerprint)}


OFFERS = (
    Offer(
        "Words in the texts",
        TextHas,
        (Choice("text", "Words", kind="text"), Choice("side", "Where", fixed(_OF_TEXTS))),
        of_run=False,
    ),
    Offer(
        "A column that somebody made",
        UserColumnIn,
        (
            Choice("column", "Column", _known),
            Choice("side", "Side", fixed(SIDES)),
            Choice("low", "From"),
            Choice("high", "Up to"),
        ),
        of_run=False,
        there=lambda listing: bool(_known(listing, {})),
    ),
)


def side_values(listing: Listing, column_id: str, side: Side) -> Floats:
    """A user column's numbers at the places of a listing; of both sides the larger.

    A text has the number of its own side, where none is named.
    """
    column = columns.column(listing.dataset.fingerprint, column_id)
    chosen, rejected = column.chosen[listing.rows], column.rejected[listing.rows]
    if side == "any":
        if listing.rejected is not None:
            return np.where(listing.rejected, rejected, chosen)
        return np.fmax(chosen, rejected)
    if side == "difference":
        return chosen - rejected
    return chosen if side == "chosen" else rejected


def missing_searches(dataset: str, wanted: Filter) -> list[ColumnSpec]:
    """The searches of a filter that no worker has done yet: `start` them."""
    found = [one.search(dataset) for one in wanted.conditions if isinstance(one, TextHas)]
    return [spec for spec in found if not columns.is_known(spec)]
