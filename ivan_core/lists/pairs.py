"""Conditions on the pairs of a dataset themselves, whichever run lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.reading import PLACES
from ivan_core.domain.errors import BadInput
from ivan_core.lists.conditions import (
    BY_HAND,
    LENGTHS,
    Bools,
    Choice,
    Condition,
    Ints,
    Listing,
    Model,
    Name,
    Names,
    Offer,
    Picks,
    Range,
    fixed,
    span,
)
from ivan_core.metrics.agreement import ALL_SUBSETS, subset_label
from ivan_core.metrics.columns import column_groups
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.annotations.notes import Reviews

_MOST_OFFERED = 50
_LONGER = {"chosen": 1, "rejected": -1, "neither": 0}
"""The sign of chosen minus rejected characters."""
_LONGER_WORDS = {
    "chosen": "the longer reply was chosen",
    "rejected": "the shorter reply was chosen",
    "neither": "both replies are equally long",
}


class SubsetIs(Condition):
    """The subset, named as the bars name it."""

    query: ClassVar[str] = "subset"
    label: Name

    def words(self, names: Names) -> str:
        return f"subset: {self.label}"

    def holds(self, listing: Listing) -> Bools:
        if self.label == ALL_SUBSETS:
            return np.ones(len(listing.rows), dtype=bool)
        codes, labels = _subsets(listing.dataset.folder)
        place = labels.index(self.label) if self.label in labels else -1
        return np.asarray(codes[listing.rows] == place)


class ColumnIs(Condition):
    """A value, or a group of values as the bars name it, of a column the dataset brings along."""

    query: ClassVar[str] = "is"
    identity: ClassVar[tuple[str, ...]] = ("column",)
    column: Model
    value: Name

    def words(self, names: Names) -> str:
        return f"{self.column}: {self.value}"

    def check(self, listing: Listing) -> None:
        if self.column not in own_columns(listing.dataset):
            raise BadInput(f"The dataset brings no column {self.column[:60]}.")

    def holds(self, listing: Listing) -> Bools:
        """Whether a row is in the group of values that the bars name so, or has that value."""
        self.check(listing)
        codes, names = _grouped(listing, self.column)
        if self.value in names:
            return np.asarray(codes == names.index(self.value))
        values = own_column(listing.dataset, self.column)
        return np.asarray(values.reindex(listing.rows).map(str) == self.value)


class ColumnIn(Range):
    """From one number to another in a column of numbers that the dataset brings along."""

    query: ClassVar[str] = "within"
    identity: ClassVar[tuple[str, ...]] = ("column",)
    column: Model

    def words(self, names: Names) -> str:
        return f"{self.column}: {span(self.low, self.high)}"

    def check(self, listing: Listing) -> None:
        if self.column not in number_columns(listing.dataset):
            raise BadInput(f"The dataset brings no column of numbers {self.column[:60]}.")

    def holds(self, listing: Listing) -> Bools:
        self.check(listing)
        values = own_column(listing.dataset, self.column).reindex(listing.rows)
        return self.takes(values.to_numpy(np.float64, na_value=np.nan))


class LongerIs(Condition):
    """Which of the two replies has more characters."""

    query: ClassVar[str] = "longer"
    measure: ClassVar[str] = LENGTHS
    longer: Literal["chosen", "rejected", "neither"]

    def words(self, names: Names) -> str:
        return _LONGER_WORDS[self.longer]

    def holds(self, listing: Listing) -> Bools:
        signs = np.sign(lengths_apart(listing.dataset.folder)[listing.rows])
        return np.asarray(signs == _LONGER[self.longer])


class Starred(Condition):
    """Somebody starred the row."""

    query: ClassVar[str] = "starred"
    measure: ClassVar[str] = BY_HAND
    starred: Literal["yes"] = "yes"

    def words(self, names: Names) -> str:
        return "starred"

    def holds(self, listing: Listing) -> Bools:
        return _marked(listing, lambda said: said.starred_rows(listing.dataset.fingerprint))


class Noted(Condition):
    """Somebody wrote a note on the row."""

    query: ClassVar[str] = "noted"
    measure: ClassVar[str] = BY_HAND
    noted: Literal["yes"] = "yes"

    def words(self, names: Names) -> str:
        return "has a note"

    def holds(self, listing: Listing) -> Bools:
        return _marked(listing, lambda said: said.noted_rows(listing.dataset.fingerprint))


OF_PAIRS: tuple[type[Condition], ...] = (SubsetIs, ColumnIs, ColumnIn, LongerIs, Starred, Noted)


def _subset_names(listing: Listing, _: Picks) -> Mapping[str, str]:
    codes, names = _subsets(listing.dataset.folder)
    there = np.unique(codes[listing.rows])
    return {names[code]: names[code] for code in there[:_MOST_OFFERED]}


def _column_values(listing: Listing, picks: Picks) -> Mapping[str, str]:
    name = picks.get("column")
    if not name:
        return {}
    _, names = _grouped(listing, name)
    return {str(value): str(value) for value in names[:_MOST_OFFERED]}


OFFERS = (
    Offer("Starred", Starred, of_run=False),
    Offer("With a note", Noted, of_run=False),
    Offer(
        "Subset",
        SubsetIs,
        (Choice("label", "Subset", _subset_names),),
        of_run=False,
        there=lambda listing: len(_subset_names(listing, {})) > 1,
    ),
    Offer(
        "Length of the replies",
        LongerIs,
        (Choice("longer", "Which", fixed(_LONGER_WORDS)),),
        of_run=False,
    ),
    Offer(
        "A column of the dataset",
        ColumnIs,
        (
            Choice("column", "Column", lambda listing, _: {n: n for n in _own(listing)}),
            Choice("value", "Value", _column_values),
        ),
        of_run=False,
        there=lambda listing: bool(_own(listing)),
    ),
    Offer(
        "A number of the dataset",
        ColumnIn,
        (
            Choice("column", "Column", lambda listing, _: {n: n for n in _numbers(listing)}),
            Choice("low", "From"),
            Choice("high", "Up to"),
        ),
        of_run=False,
        there=lambda listing: bool(_numbers(listing)),
    ),
)


def _own(listing: Listing) -> tuple[str, ...]:
    return own_columns(listing.dataset)[:_MOST_OFFERED]


def has_several_replies(dataset: PreparedDataset) -> bool:
    """Whether its pairs say of which row they are, and where they stand among its replies."""
    return set(PLACES) <= dataset.own_columns.keys()


def _numbers(listing: Listing) -> tuple[str, ...]:
    return number_columns(listing.dataset)[:_MOST_OFFERED]


def number_columns(dataset: PreparedDataset) -> tuple[str, ...]:
    """Those of `own_columns` that hold numbers."""
    kinds = dataset.own_columns
    return tuple(name for name in own_columns(dataset) if kinds[name] in (int, float))


def own_columns(dataset: PreparedDataset) -> tuple[str, ...]:
    """The columns that a dataset brings along, beside those that every dataset has.

    Without those that only say where a pair stands among others of its prompt.
    """
    return tuple(name for name in dataset.own_columns if name not in PLACES)


def own_column(dataset: PreparedDataset, name: str) -> Any:
    """The values of one of them, a series by row id."""
    return dataset.numbers(["row_id", name]).set_index("row_id")[name]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Row ids that are told from others by their digest, so that what was made of them is found."""

    ids: Ints = field(compare=False)
    digest: bytes


def _grouped(listing: Listing, name: str) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """The group of each listed row by a column of the dataset, as its place among their names."""
    digest = blake2b(np.ascontiguousarray(listing.rows).data).digest()
    return _groups_of(listing.dataset.folder, name, _Rows(listing.rows, digest))


@lru_cache(maxsize=8)
def _groups_of(folder: Path, name: str, rows: _Rows) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    import pandas as pd

    groups = column_groups(
        own_column(PreparedDataset(folder), name), pd.Series(np.unique(rows.ids))
    )
    codes = groups.codes.reindex(rows.ids).to_numpy(np.int64)
    codes.flags.writeable = False
    return codes, groups.names


@lru_cache(maxsize=8)
def _subsets(folder: Path) -> tuple[Ints, tuple[str, ...]]:
    """The place of each row's subset among the names, which are those of the bars."""
    import pandas as pd

    values = PreparedDataset(folder).numbers(["subset"])["subset"]
    codes, named = pd.factorize(values, use_na_sentinel=False)
    labels = [subset_label(value) for value in named]
    names = tuple(dict.fromkeys(labels))
    places = np.array([names.index(label) for label in labels], np.int64)
    return (places[codes] if len(places) else codes), names


@lru_cache(maxsize=8)
def lengths_apart(folder: Path) -> Ints:
    """The characters of the chosen reply less those of the rejected one, by row."""
    numbers = PreparedDataset(folder).numbers(["chosen_length", "rejected_length"])
    chosen, rejected = (numbers[name].to_numpy(np.int64) for name in numbers)
    apart: Ints = chosen - rejected
    apart.flags.writeable = False
    return apart


def _marked(listing: Listing, rows: Callable[[Reviews], list[int]]) -> Bools:
    from ivan_core.annotations.notes import Reviews  # its database library is not needed before

    return np.isin(listing.rows, np.asarray(rows(Reviews(data_dir())), dtype=np.int64))
