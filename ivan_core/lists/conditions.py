"""What a row or a text may have to be, and the filter that such conditions make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import Frozen
from ivan_core.lists.parts import parts

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Names = Mapping[str, str]
"""What user columns and runs are called, by id."""
MOST_CONDITIONS = 24
LENGTHS = "lengths"
BY_HAND = "by hand"
"""The measure of conditions that somebody's marks on single rows meet."""


def _storable(text: str) -> str:
    text.encode()  # half a surrogate pair is no text and fits in no URL; UnicodeError says so
    return text


Name = Annotated[str, StringConstraints(max_length=500), AfterValidator(_storable)]
Model = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_storable)]
Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What can be listed of a run: `rows` holds the row id of each place.

    The places are pairs, or texts where `rejected` says which of them are rejected replies.
    `results` is what the run's own conditions read.
    """

    run_id: str
    dataset: PreparedDataset
    rows: Ints
    results: Any
    rejected: Bools | None = None

    @property
    def texts(self) -> Ints:
        """The number of each text, twice its row and one more for the rejected reply."""
        return self.rows * 2 if self.rejected is None else self.rows * 2 + self.rejected


class Item(Frozen):
    """A condition or an order, as a part of a URL."""

    query: ClassVar[str]
    """The name of the URL's parameter that holds items of this kind, each as one text."""
    parameters: ClassVar[tuple[str, ...]] = ()
    """The fields that are parameters of their own, where the address holds one such item."""

    @classmethod
    def given(cls, query: Mapping[str, str]) -> dict[str, str] | None:
        """The fields of the item in a URL with such parameters; None where it holds none."""
        found = {name: query[name] for name in cls.parameters if name in query}
        needed = (name for name, field in cls.model_fields.items() if field.is_required())
        return found if found and all(name in found for name in needed) else None


class Condition(Item):
    """One thing a row must be. Two conditions with the same key cannot hold at once."""

    identity: ClassVar[tuple[str, ...]] = ()
    """Fields that tell two conditions of a kind apart: one that shares them replaces the other."""
    chip: ClassVar[str] = ""
    """What the chip of the condition is called in the page, where it is not called by its key."""
    measure: ClassVar[str] = ""
    """What it asks that a chart may draw, such as rewards: the rates of that follow from it."""
    needs: ClassVar[str] = ""
    """A measure by which rows come to have what it asks for: its rates follow from it too."""
    waits: ClassVar[bool] = False
    """Whether it waits for a worker, whom pages start for conditions of their own run alone."""

    @property
    def key(self) -> str:
        return parts([self.query, *(getattr(self, name) for name in self.identity)])

    def words(self, names: Names) -> str:
        """The condition on a chip; plain text that may hold words of data: escape it."""
        raise NotImplementedError

    def check(self, listing: Listing) -> None:
        """Refuse, with BadInput, what names a model, column or run that there is not."""

    def holds(self, listing: Listing) -> Bools:
        """At which places it holds; False where that is not known.

        Raises:
            BadInput: it names what there is not, or not yet.
        """
        raise NotImplementedError

    def known(self, listing: Listing) -> Bools | None:
        """At which places it is known whether it holds; None for all of them."""
        return None

    @property
    def ranked(self) -> str:
        """How it ranks its rows, in words; empty where it does not."""
        return ""

    def ranks(self, listing: Listing) -> Floats | None:
        """What its rows are listed by where no order is asked for, the smallest first; else None.

        A number for each place, NaN where there is none. Raises BadInput as `holds`.
        """
        return None


class Range(Condition):
    """From `low` to `high`; one of the ends may be open."""

    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("needs a lower or an upper end")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("ends before it begins")
        return self

    def takes(self, values: Floats) -> Bools:
        """Whether values are there and lie between the ends, both of them included."""
        inside = ~np.isnan(values)
        if self.low is not None:
            inside &= values >= self.low
        if self.high is not None:
            inside &= values <= self.high
        return inside


def span(low: float | None, high: float | None) -> str:
    """A range in words."""
    from_end, to_end = (
        "" if end is None else f"{end:.4g}".replace("-", "−") for end in (low, high)
    )
    if low is None:
        return f"below {to_end}"
    if high is None:
        return f"from {from_end}"
    return from_end if low == high else f"{from_end} to {to_end}"


class Order(Item):
    """The order in which rows are listed. An order of default fields is that of the dataset."""

    def words(self, names: Names) -> str:
        """The order in words."""
        raise NotImplementedError

    def check(self, listing: Listing) -> None:
        """Refuse, with BadInput, what names a model or column that there is not."""

    def arranged(self, listing: Listing, places: Ints) -> Ints:
        """The order of some places of a listing."""
        raise NotImplementedError

    def by_head(self, column: str, models: Sequence[str]) -> Order:
        """The order that a click on the head of a table's column asks for; itself if none."""
        raise NotImplementedError


Picks = Mapping[str, Any]
Options = Callable[[Listing, Picks], Mapping[str, str]]
"""What can be chosen, with its words, at a listing after earlier choices; nothing: not asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of a condition, as it is asked for; with no `options` a number or a text is."""

    field: str
    title: str
    options: Options | None = None
    kind: Literal["number", "text"] = "number"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A condition that can be asked for; `of_run` where it is a run that judges it.

    It takes `least` runs on the same pairs. `there` says whether a listing has anything to ask so.
    """

    title: str
    condition: type[Condition]
    choices: tuple[Choice, ...] = ()
    of_run: bool = True
    least: int = 1
    there: Callable[[Listing], bool] = lambda _: True

    def made(self, picks: Picks) -> Condition:
        """The condition of what was chosen.

        Raises:
            BadInput: something is missing, or makes no sense.
        """
        given = {name: value for name, value in picks.items() if value not in (None, "")}
        try:
            return self.condition(**given)
        except ValidationError as error:
            said = error.errors()[0]
            field = str(said["loc"][0]) if said["loc"] else ""
            title = next((one.title for one in self.choices if one.field == field), self.title)
            reason = said["msg"].removeprefix("Value error, ")
            raise BadInput(
                f"{title}: {reason[:1].lower()}{reason[1:].rstrip('.')}.",
                "Fill in what is missing, or choose something else.",
            ) from None


def fixed(words: Mapping[str, str]) -> Options:
    """The same options everywhere."""
    return lambda _, __: words


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """The conditions and the order that the rows of one experiment can be asked for.

    `listing` opens a run by its id; it raises BadInput where there is no such run to list. `runs`
    are the finished ones on the pairs of a dataset, given by its content, with what each is called.
    """

    name: str
    conditions: tuple[type[Condition], ...]
    order: type[Order] | None = None
    listing: Callable[[str], Listing] | None = None
    runs: Callable[[str], Mapping[str, str]] = lambda _: {}
    offers: tuple[Offer, ...] = ()

    def place(self, condition: Condition) -> int:
        """Where a condition stands among others; those of other runs come last."""
        kind = type(condition)
        return self.conditions.index(kind) if kind in self.conditions else len(self.conditions)


@dataclass(frozen=True)
class Filter:
    """Conditions that all must hold (by kind, then in the order given), and an order of rows."""

    language: Language
    conditions: tuple[Condition, ...] = ()
    sort: Order | None = None

    def __post_init__(self) -> None:
        """One condition a key, the last one given, in the order that a URL keeps."""
        latest = {condition.key: condition for condition in self.conditions}
        if len(latest) > MOST_CONDITIONS:
            raise BadInput(
                f"More than {MOST_CONDITIONS} conditions do not fit in a link.", "Remove some."
            )
        tidy = tuple(sorted(latest.values(), key=self.language.place))
        object.__setattr__(self, "conditions", tidy)
        if self.sort is None and self.language.order is not None:
            object.__setattr__(self, "sort", self.language.order())

    @property
    def sorts(self) -> bool:
        """Whether the order is another one than that of the dataset."""
        return self.sort is not None and self.sort != type(self.sort)()

    @property
    def ranked(self) -> str:
        """How a condition ranks its rows, in words; empty where none does."""
        return next((one.ranked for one in self.conditions if one.ranked), "")

    def add(self, *conditions: Condition) -> Filter:
        """The filter with more conditions; those with the same keys give way.

        Raises:
            BadInput: there are too many.
        """
        return replace(self, conditions=(*self.conditions, *conditions))

    def without(self, key: str) -> Filter:
        """The filter without the condition of a chip."""
        kept = tuple(condition for condition in self.conditions if condition.key != key)
        return replace(self, conditions=kept)

    def sorted_by(self, sort: Order | None) -> Filter:
        return replace(self, sort=sort)

    def by_head(self, column: str, models: Sequence[str]) -> Filter:
        """Sorted by a clicked head; the same filter where rows cannot be sorted by it."""
        return self if self.sort is None else self.sorted_by(self.sort.by_head(column, models))

    def chips(self, names: Names | None = None) -> list[Chip]:
        """The conditions in words, in order."""
        found: dict[str, Chip] = {}
        for one in self.conditions:
            name = one.chip if one.chip and one.chip not in found else one.key
            found[name] = Chip(one.key, one.words(names or {}), name)
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words. The label is plain text that may hold words of data: escape it."""

    key: str
    label: str
    name: str


def matching(listing: Listing, wanted: Filter) -> Ints:
    """The places of a listing at which every condition holds, in the filter's order; in that of the
    first condition that ranks its rows, where the filter asks for none.

    Raises:
        BadInput: a condition names a model, column or search that the run does not have (yet).
    """
    kept = np.ones(len(listing.rows), dtype=bool)
    for condition in wanted.conditions:
        kept &= condition.holds(listing)
    places = np.flatnonzero(kept)
    for condition in wanted.conditions:
        if not wanted.sorts and (by := condition.ranks(listing)) is not None:
            return places[np.argsort(by[places], kind="stable")]
    return places if wanted.sort is None else places[wanted.sort.arranged(listing, places)]


def matching_rows(listing: Listing, wanted: Filter) -> list[int]:
    """The row ids of those places. Raises BadInput as `matching`."""
    found: list[int] = listing.rows[matching(listing, wanted)].tolist()
    return found


def fitting(listing: Listing, wanted: Filter) -> tuple[Filter, list[str]]:
    """The filter without the conditions that this run cannot judge, and why each was left out.

    For a link that was made for another run, or before a column was deleted. A search or column
    that is still to be computed is no reason.
    """
    kept, ignored = wanted, []
    for condition in wanted.conditions:
        try:
            condition.check(listing)
        except BadInput as error:
            ignored.append(error.message)
            kept = kept.without(condition.key)
    try:
        if kept.sort is not None:
            kept.sort.check(listing)
    except BadInput as error:
        ignored.append(error.message)
        kept = kept.sorted_by(None)
    return kept, ignored


def without_value(listing: Listing, conditions: Iterable[Condition]) -> list[tuple[Condition, int]]:
    """The conditions of which some places of a listing do not tell, and how many do not."""
    found = []
    for condition in conditions:
        known = condition.known(listing)
        if known is not None and not known.all():
            found.append((condition, int(np.count_nonzero(~known))))
    return found
