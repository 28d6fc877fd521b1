"""The order of the rows of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.conditions import SIDES, Side, side_values
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import Floats, Ints, Listing, Name, Names, Order


class Sort(Order):
    """The order of rows. `of` is the model of a margin or the id of a user column.

    `sharpest` is the distance between the models' margins where their verdicts differ, `size` the
    distance of a margin from 0, `length` chosen minus rejected characters.
    """

    query: ClassVar[str] = "sort"
    by: Literal["row", "sharpest", "margin", "size", "length", "column"] = "row"
    descending: bool = False
    of: Name = ""
    side: Side = "difference"

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if (self.by in ("margin", "size", "column")) != bool(self.of):
            raise ValueError("names no model or column, or names one it does not need")
        return self

    def words(self, names: Names) -> str:
        name = names.get(self.of, f"column {self.of[:6]}")
        words = {
            "row": "row",
            "sharpest": "disagreement between the models",
            "margin": f"margin of {self.of}",
            "size": f"size of the margin of {self.of}",
            "length": "length of chosen minus rejected",
            "column": f"{name} ({SIDES[self.side]})",
        }[self.by]
        return f"{words}, {'largest' if self.descending else 'smallest'} first"

    def check(self, listing: Listing) -> None:
        if self.by in ("margin", "size"):
            self._margin(listing)
        if self.by == "column":
            columns.column(listing.dataset.fingerprint, self.of)

    def arranged(self, listing: Listing, places: Ints) -> Ints:
        """Rows without a value come last, equal ones in the dataset's order."""
        if self.by == "row":
            return np.arange(len(places))[:: -1 if self.descending else 1]
        values = self._values(listing)[places]
        return np.argsort(-values if self.descending else values, kind="stable")

    def by_head(self, column: str, models: Sequence[str]) -> Sort:
        """By `row_id` or a model's margin; once more turns the order round."""
        if column == "row_id":
            return Sort(by="row", descending=self == Sort())
        if column not in models:
            return self
        most = Sort(by="margin", of=column, descending=True)
        return Sort(by="margin", of=column) if self == most else most

    def _values(self, listing: Listing) -> Floats:
        results: Results = listing.results
        match self.by:
            case "sharpest":
                return results.aligned.apart()
            case "margin":
                return self._margin(listing)
            case "size":
                return np.abs(self._margin(listing))
            case "column":
                return side_values(listing, self.of, self.side)
        return results.aligned.length.astype(np.float64)

    def _margin(self, listing: Listing) -> Floats:
        results: Results = listing.results
        if self.of not in results.aligned.models:
            raise BadInput(
                f"Run {results.run.id} has no model {self.of}.",
                f"It has {', '.join(results.models)}.",
            )
        return results.aligned.models[self.of].margin
