"""What a row of a comparison may have to be, by the verdicts and margins of its models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from ivan_core.engine.opened import named_runs
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.conditions import (
    OFFERS as SEARCHES,
    SIDES,
    Side,
    TextHas,
    UserColumnIn,
    side_values,
)
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.tables import UNKNOWN
from ivan_core.experiments.compare.verdicts import (
    REWARDS,
    Deciding,
    JointIs,
    ModelsDiffer,
    OfModels,
    RatedBy,
    TwoPart,
    VerdictIs,
    VerdictsAre,
    has_verdict,
    scores_of,
)
from ivan_core.lists.conditions import (
    Bools,
    Choice,
    Floats,
    Ints,
    Language,
    Listing,
    Model,
    Name,
    Names,
    Number,
    Offer,
    Order,
    Picks,
    Range,
    fixed,
    span,
)
from ivan_core.lists.pairs import OFFERS, ColumnIn, ColumnIs, LongerIs, Noted, Starred, SubsetIs
from ivan_core.metrics.bins import in_reward_cell
from ivan_core.metrics.models.judged import UNRATED
from ivan_core.metrics.paired import in_margin_cell


class _FlaggedBy(OfModels):
    """What may be said of a row by one model, or by any; `preposition` stands before its name."""

    identity: ClassVar[tuple[str, ...]] = ("model",)
    preposition: ClassVar[str]
    model: Name = ""

    def words(self, names: Names) -> str:
        return f"{self.query} {self.preposition} {self.named(names)}" if self.model else self.query

    def holds(self, listing: Listing) -> Bools:
        every: Results = listing.results
        models = [scores_of(listing, self.model)] if self.model else every.aligned.models.values()
        return np.asarray(np.any([getattr(scores, self.query) for scores in models], axis=0))


class Truncated(_FlaggedBy):
    """Rated, but not read whole, by a model or by any."""

    query: ClassVar[str] = "truncated"
    preposition: ClassVar[str] = "by"


class Failed(_FlaggedBy):
    """Without rewards from a model, or from any, for a reason other than identical sides."""

    query: ClassVar[str] = "failed"
    preposition: ClassVar[str] = "with"


class Seen(OfModels):
    """Inside or outside a model's training data, where that is known."""

    query: ClassVar[str] = "seen"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model
    seen: bool

    def words(self, names: Names) -> str:
        return f"{'seen' if self.seen else 'not seen'} in training by {self.named(names)}"

    def holds(self, listing: Listing) -> Bools:
        return np.asarray(scores_of(listing, self.model).seen == int(self.seen))

    def known(self, listing: Listing) -> Bools:
        return np.asarray(scores_of(listing, self.model).seen != UNKNOWN)


class _OfMargin(Range, OfModels):
    """A range of margins of a model, which not every row has."""

    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model

    def known(self, listing: Listing) -> Bools:
        return ~np.isnan(scores_of(listing, self.model).margin)


class MarginIn(_OfMargin):
    """A margin from `low` up to, not including, `high`, in typical margins of the model."""

    query: ClassVar[str] = "margin"
    measure: ClassVar[str] = REWARDS

    def words(self, names: Names) -> str:
        return f"{self.named(names)}: margin {span(self.low, self.high)} typical margins"

    def holds(self, listing: Listing) -> Bools:
        """From the lower end up to the upper, which counts only where it is the largest margin."""
        margins = scores_of(listing, self.model).in_units
        inside = ~np.isnan(margins)
        if self.low is not None:
            inside &= margins >= self.low
        if self.high is not None:
            reach = np.nanmax(np.abs(margins), initial=0.0)
            inside &= margins <= self.high if self.high >= reach else margins < self.high
        return inside


class SureIn(_OfMargin):
    """The size of a margin from `low` to `high`, both included, in typical margins of the model."""

    query: ClassVar[str] = "sure"
    measure: ClassVar[str] = REWARDS

    def words(self, names: Names) -> str:
        return f"{self.named(names)}: sure by {span(self.low, self.high)} typical margins"

    def holds(self, listing: Listing) -> Bools:
        return self.takes(np.abs(scores_of(listing, self.model).in_units))


class _Cell(OfModels):
    x0: Number
    x1: Number
    y0: Number
    y1: Number

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """x0, x1, y0, y1."""
        return self.x0, self.x1, self.y0, self.y1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.x0 > self.x1 or self.y0 > self.y1:
            raise ValueError("ends before it begins")
        return self

    def known(self, listing: Listing) -> Bools:
        names = [name for name in ("model", "other") if name in type(self).model_fields]
        rated = [~has_verdict(listing, getattr(self, name), "unrated") for name in names]
        return np.asarray(np.all(rated, axis=0))


class RewardsIn(_Cell):
    """A cell of chosen (x) and rejected (y) rewards of a model."""

    query: ClassVar[str] = "rewards"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model

    def words(self, names: Names) -> str:
        return (
            f"{self.named(names)}: chosen reward {span(self.x0, self.x1)}, "
            f"rejected {span(self.y0, self.y1)}"
        )

    def holds(self, listing: Listing) -> Bools:
        scores = scores_of(listing, self.model)
        chosen = np.where(scores.verdict != UNRATED, scores.chosen_reward, np.nan)
        return in_reward_cell(chosen, scores.rejected_reward, *self.edges)


class MarginsIn(_Cell):
    """A cell of two models' margins, each in typical margins of its model (x the first's)."""

    query: ClassVar[str] = "margins"
    measure: ClassVar[str] = REWARDS
    identity: ClassVar[tuple[str, ...]] = ("model", "other")
    model: Model
    other: Model

    def words(self, names: Names) -> str:
        return (
            f"margin of {self.named(names)} {span(self.x0, self.x1)}, "
            f"of {names.get(self.other, self.other)} {span(self.y0, self.y1)} typical margins"
        )

    def holds(self, listing: Listing) -> Bools:
        first, second = (scores_of(listing, name).in_units for name in (self.model, self.other))
        return in_margin_cell(first, second, *self.edges)


class Sort(Order):
    """The order of rows. `of` is the model of a margin or the id of a user column.

    `sharpest` is the distance between the models' margins where their verdicts differ, `split` the
    share of two models that have different verdicts, `size` the distance of a margin from 0,
    `length` chosen minus rejected characters.
    """

    query: ClassVar[str] = "sort"
    by: Literal["row", "sharpest", "split", "margin", "size", "length", "column"] = "row"
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
            "split": "how evenly the models part",
            "margin": f"margin of {self.of}",
            "size": f"size of the margin of {self.of}",
            "length": "length of chosen minus rejected",
            "column": f"{name} ({SIDES[self.side]})",
        }[self.by]
        return f"{words}, {'largest' if self.descending else 'smallest'} first"

    def check(self, listing: Listing) -> None:
        if self.by in ("margin", "size"):
            scores_of(listing, self.of)
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
            case "split":
                return np.where(results.many.split > 0, results.many.split, np.nan)
            case "margin":
                return scores_of(listing, self.of).margin
            case "size":
                return np.abs(scores_of(listing, self.of).margin)
            case "column":
                return side_values(listing, self.of, self.side)
        return results.aligned.length.astype(np.float64)


def listing(results: Results) -> Listing:
    """The rows of a comparison."""
    return Listing(results.run.id, results.dataset, results.aligned.row_ids, results)


def _models(listing: Listing, _: Picks) -> dict[str, str]:
    results: Results = listing.results
    return {model: model for model in results.models}


_MODEL = Choice("model", "Model", _models)
_RATED = {"agree": "agrees with the choice", "disagree": "disagrees", "tie": "a tie"}
LANGUAGE = Language(
    "compare",
    (
        VerdictIs,
        ModelsDiffer,
        VerdictsAre,
        TwoPart,
        JointIs,
        SubsetIs,
        ColumnIs,
        ColumnIn,
        Truncated,
        Failed,
        Seen,
        RatedBy,
        Deciding,
        MarginIn,
        SureIn,
        LongerIs,
        RewardsIn,
        MarginsIn,
        TextHas,
        UserColumnIn,
        Starred,
        Noted,
    ),
    Sort,
    lambda run_id: listing(open_results(run_id)),
    named_runs("compare"),
    (
        Offer(
            "Verdict",
            VerdictIs,
            (_MODEL, Choice("verdict", "Verdict", fixed({**_RATED, "unrated": "not rated"}))),
        ),
        Offer(
            "Margin",
            MarginIn,
            (_MODEL, Choice("low", "Typical margins from"), Choice("high", "Up to")),
        ),
        Offer("Models disagree", ModelsDiffer),
        Offer(
            "Best right against best wrong reply",
            Deciding,
            (_MODEL,),
            there=lambda listing: listing.results.best_of_n is not None,
        ),
        *OFFERS,
        *SEARCHES,
    ),
)
