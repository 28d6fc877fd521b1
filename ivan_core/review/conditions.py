"""What reviewers said of a pair, as a condition on the rows of any run on these pairs."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np

from ivan_core.domain.reviews import NO_DIFFERENCE
from ivan_core.engine.opinions import Stamp, opinions_at, used_opinions
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Condition,
    Ints,
    Language,
    Listing,
    Names,
    Offer,
    fixed,
)

_SAID = {
    "chosen": "reviewers choose the chosen reply too",
    "rejected": "reviewers choose the other reply",
    "alike": "reviewers see no difference",
    "differ": "reviewers differ with each other",
}


class ReviewersSay(Condition):
    """What all reviewers of a pair chose, or that they did not choose alike.

    Only opinions that enter rates count, and of them those that are not "can't tell".
    """

    query: ClassVar[str] = "reviewers"
    said: Literal["chosen", "rejected", "alike", "differ"]

    def words(self, names: Names) -> str:
        return _SAID[self.said]

    def holds(self, listing: Listing) -> Bools:
        return np.isin(listing.rows, _rows(used_opinions(listing.dataset).stamp)[self.said])

    def known(self, listing: Listing) -> Bools:
        """Whether somebody chose; that they differ is told of rows that two or more judged."""
        found = _rows(used_opinions(listing.dataset).stamp)
        return np.isin(listing.rows, found["many" if self.said == "differ" else "any"])


@lru_cache(maxsize=8)
def _rows(stamp: Stamp) -> dict[str, Ints]:
    """The rows by what their reviewers said; `any` that somebody chose on, `many` two or more."""
    said: dict[int, list[str]] = {}
    for own in opinions_at(stamp).choices.values():
        for row, choice in own.items():
            if choice is not None:
                said.setdefault(row, []).append(choice)
    names = {"chosen": "chosen", "rejected": "rejected", NO_DIFFERENCE: "alike"}
    found: dict[str, list[int]] = {name: [] for name in (*_SAID, "any", "many")}
    for row, choices in sorted(said.items()):
        found["any"].append(row)
        if len(choices) > 1:
            found["many"].append(row)
        found[names[choices[0]] if len({*choices}) == 1 else "differ"].append(row)
    return {name: np.asarray(rows, np.int64) for name, rows in found.items()}


def _judged(listing: Listing) -> bool:
    return bool(used_opinions(listing.dataset).choices)


LANGUAGE = Language(
    "people",
    (ReviewersSay,),
    offers=(
        Offer(
            "What reviewers said",
            ReviewersSay,
            (Choice("said", "What", fixed(_SAID)),),
            of_run=False,
            there=_judged,
        ),
    ),
)
