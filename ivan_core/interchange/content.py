"""What a file for others is made of: pairs in order, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from ivan_core.domain.pairs import SIDES, Pair, Side

Label = str | int | float | bool | None


class Text(str):
    """The type of what stands beside a reply and is a whole text, not a label."""


TAKEN = frozenset(
    ("prompt", "chosen", "rejected", "completion", "label", "margin", "messages", "text", "system")
)
"""Names of columns that formats, or who reads them, give a meaning."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """Who or what prefers a reply of each pair, beside the choice that the data records.

    `told` says in one line what it prefers. `unit` is a typical margin of a reward model.
    """

    name: str
    told: str
    kind: Literal["reward_model", "principle"]
    unit: float | None = None

    @property
    def column(self) -> str:
        """What its preferences are called beside a pair."""
        return f"margin ({self.name})"


def reward_model(name: str, unit: float | None) -> Annotator:
    """A reward model, which prefers the reply that it gives more; `unit` is a typical margin."""
    told = f"The reply that the reward model {name} gives more"
    return Annotator(name, told, "reward_model", unit)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of one pair.

    `toward` says how far each annotator prefers the chosen reply: negative for the rejected one, 0
    for neither, None where it says nothing. `of_sides` holds labels of the chosen and the rejected
    reply.
    """

    toward: tuple[float | None, ...] = ()
    of_sides: Mapping[str, tuple[Label, Label]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What a run knows of its pairs; `rows` gives it for some of them, in the order asked for."""

    annotators: tuple[Annotator, ...] = ()
    of_sides: Mapping[str, type] = field(default_factory=dict)
    rows: Callable[[Sequence[int]], Iterator[Beside]] = lambda rows: (Beside() for _ in rows)


@dataclass(frozen=True, slots=True)
class Row:
    """One pair with its texts, and what stands beside them.

    `dropped` is why it is in no file, whatever the format; empty where it may be. `counted` are
    words that a summary counts.
    """

    pair: Pair
    labels: Mapping[str, Label]
    beside: Beside = Beside()
    dropped: str = ""
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, before a format leaves out what it has no place for.

    `name` names the dataset for others, never by a path; `told` says whence the `count` pairs are,
    and `made` of when they are (seconds since 1970). `chosen_by` is what was chosen, in words.
    `labels` are the types of what stands beside each pair, the same in every row. `seed` draws
    which reply stands first. `rows` reads the pairs anew, one at a time.
    """

    name: str
    told: str
    made: float
    chosen_by: str
    count: int
    labels: Mapping[str, type]
    rows: Callable[[], Iterator[Row]]
    annotators: tuple[Annotator, ...] = ()
    of_sides: Mapping[str, type] = field(default_factory=dict)
    seed: int = 0

    @property
    def models(self) -> list[int]:
        """The places of the reward models among the annotators."""
        return [at for at, one in enumerate(self.annotators) if one.kind == "reward_model"]

    @property
    def columns(self) -> dict[str, type]:
        """All that stands beside each pair: labels, margins of models, labels of both replies."""
        margins = {self.annotators[at].column: float for at in self.models}
        sides = {f"{key} ({side})": kind for key, kind in self.of_sides.items() for side in SIDES}
        return {**self.labels, **margins, **sides}

    def values(self, row: Row) -> dict[str, Label]:
        """The same columns of one row."""
        margins = {self.annotators[at].column: row.beside.toward[at] for at in self.models}
        sides = {
            f"{key} ({side})": value
            for key in self.of_sides
            for side, value in zip(SIDES, row.beside.of_sides[key], strict=True)
        }
        return {**row.labels, **margins, **sides}

    def first_side(self, row_id: int) -> Side:
        """Which reply stands first where the order may tell nothing: by chance, and always so."""
        drawn = sha256(f"{self.seed}:{row_id}".encode()).digest()[0]
        return "chosen" if drawn % 2 else "rejected"

    @property
    def order_told(self) -> str:
        """How the two replies of a pair are ordered where they stand as a and b."""
        return f"Which reply is a and which is b was drawn for each pair (seed {self.seed})."


def flipped(row: Row) -> Row:
    """The same with the other reply preferred."""
    beside = Beside(
        tuple(None if one is None else -one for one in row.beside.toward),
        {key: (other, one) for key, (one, other) in row.beside.of_sides.items()},
        row.beside.tags,
    )
    of = row.pair
    pair = Pair(of.row_id, of.rejected, of.chosen, of.subset, of.tied)
    return replace(row, pair=pair, beside=beside)


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """What has a value."""
    return {name: value for name, value in values.items() if value is not None}
