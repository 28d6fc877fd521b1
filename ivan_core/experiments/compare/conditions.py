"""What a row of a comparison may have to be: each condition is one chip and one part of a URL."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ivan_core.domain.specs import Frozen
from ivan_core.lists.url import parts

RatedAs = Literal["agree", "tie", "disagree", "unrated"]
Side = Literal["any", "chosen", "rejected", "difference"]


def _storable(text: str) -> str:
    text.encode()  # half a surrogate pair is no text and fits in no URL; UnicodeError says so
    return text


Name = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Model = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_storable)]
ColumnId = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{16}\z")]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Condition(Frozen):
    """One thing a row must be. Two conditions with the same key cannot hold at once."""

    query: ClassVar[str]
    """The name of the URL's parameter."""
    identity: ClassVar[tuple[str, ...]] = ()
    """Fields that tell two conditions of a kind apart: one that shares them replaces the other."""

    @property
    def key(self) -> str:
        return parts([self.query, *(getattr(self, name) for name in self.identity)])


class VerdictIs(Condition):
    """A model's verdict."""

    query: ClassVar[str] = "verdict"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model
    verdict: RatedAs


class ModelsDiffer(Condition):
    """The models that rated the row do not all have the same verdict."""

    query: ClassVar[str] = "differ"
    differ: Literal["yes"] = "yes"


class VerdictsAre(Condition):
    """A cell of the table of two models' verdicts."""

    query: ClassVar[str] = "verdicts"
    identity: ClassVar[tuple[str, ...]] = ("model", "other")
    model: Model
    verdict: RatedAs
    other: Model
    other_verdict: RatedAs


class SubsetIs(Condition):
    """The subset, named as the bars name it."""

    query: ClassVar[str] = "subset"
    label: Name


class ColumnIs(Condition):
    """A value, or a group of values as the bars name it, of a column the dataset brings along."""

    query: ClassVar[str] = "is"
    identity: ClassVar[tuple[str, ...]] = ("column",)
    column: Model
    value: Name


class Truncated(Condition):
    """Rated, but not read whole, by a model or by any."""

    query: ClassVar[str] = "truncated"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Name = ""


class Failed(Condition):
    """Without rewards from a model, or from any, for a reason other than identical sides."""

    query: ClassVar[str] = "failed"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Name = ""


class Seen(Condition):
    """Inside or outside a model's training data, where that is known."""

    query: ClassVar[str] = "seen"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model
    seen: bool


class RatedBy(Condition):
    """A model has a verdict on the row, whichever it is."""

    query: ClassVar[str] = "rated"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model


class _Range(Condition):
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("needs a lower or an upper end")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("ends before it begins")
        return self


class MarginIn(_Range):
    """A margin from `low` up to, not including, `high`, in typical margins of the model."""

    query: ClassVar[str] = "margin"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model


class SureIn(_Range):
    """The size of a margin from `low` to `high`, both included, in typical margins of the model."""

    query: ClassVar[str] = "sure"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model


class LongerIs(Condition):
    """Which of the two replies has more characters."""

    query: ClassVar[str] = "longer"
    longer: Literal["chosen", "rejected", "neither"]


class _Cell(Condition):
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


class RewardsIn(_Cell):
    """A cell of chosen (x) and rejected (y) rewards of a model."""

    query: ClassVar[str] = "rewards"
    identity: ClassVar[tuple[str, ...]] = ("model",)
    model: Model


class MarginsIn(_Cell):
    """A cell of two models' margins, each in typical margins of its model (x the first's)."""

    query: ClassVar[str] = "margins"
    identity: ClassVar[tuple[str, ...]] = ("model", "other")
    model: Model
    other: Model


class TextHas(Condition):
    """Words that occur in the texts, upper and lower case alike."""

    query: ClassVar[str] = "find"
    identity: ClassVar[tuple[str, ...]] = ("text", "over", "side")
    text: Annotated[Model, StringConstraints(max_length=200)]
    over: Literal["reply", "text"] = "text"
    side: Literal["any", "chosen", "rejected"] = "any"


class UserColumnIn(_Range):
    """A user column from `low` to `high`, both included; equal ends ask for one value."""

    query: ClassVar[str] = "column"
    identity: ClassVar[tuple[str, ...]] = ("column", "side")
    column: ColumnId
    side: Side = "any"


class Starred(Condition):
    """Somebody starred the row."""

    query: ClassVar[str] = "starred"
    starred: Literal["yes"] = "yes"


class Noted(Condition):
    """Somebody wrote a note on the row."""

    query: ClassVar[str] = "noted"
    noted: Literal["yes"] = "yes"


class Sort(Frozen):
    """The order of rows. `of` is the model of a margin or the id of a user column.

    `sharpest` is the distance between the models' margins where their verdicts differ, `size` the
    distance of a margin from 0, `length` chosen minus rejected characters.
    """

    by: Literal["row", "sharpest", "margin", "size", "length", "column"] = "row"
    descending: bool = False
    of: Name = ""
    side: Side = "difference"

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if (self.by in ("margin", "size", "column")) != bool(self.of):
            raise ValueError("names no model or column, or names one it does not need")
        return self


AnyCondition = (
    VerdictIs
    | ModelsDiffer
    | VerdictsAre
    | SubsetIs
    | ColumnIs
    | Truncated
    | Failed
    | Seen
    | RatedBy
    | MarginIn
    | SureIn
    | LongerIs
    | RewardsIn
    | MarginsIn
    | TextHas
    | UserColumnIn
    | Starred
    | Noted
)
