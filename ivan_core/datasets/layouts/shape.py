"""What every layout reads a row into: replies to a prompt, and which of them are better."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from ivan_core.datasets.layouts.messages import Messages, NotAPair, message_of, named
from ivan_core.datasets.lines import Line
from ivan_core.domain.transcripts import Dialogue

Row = Mapping[str, Any]


class Item(NamedTuple):
    """One row of a source.

    `replies`: two or more, each the whole dialogue that it ends, since sides may part before.
    `better`: the places of those that are right or preferred; none where the row prefers none.
    `no_labels`: the columns that are a part of the dialogues, or say which reply is better.
    `subset`: None where the column of subsets says it.
    `strength`: how strong the preference is as published, without a sign; one for all pairs of the
    row, or from `scores`, one a reply, the difference.
    `models`: who wrote each reply, where that is known.
    `left_out`: why replies that the row has besides are not among these, one a reply.
    """

    replies: tuple[Dialogue, ...]
    better: tuple[int, ...]
    no_labels: frozenset[str]
    subset: str | None = None
    strength: float | None = None
    scores: tuple[float, ...] = ()
    models: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """A way in which rows of preferences are published.

    `name` is what a person types to ask for it; `title` is what its makers call it.
    `needs` are the columns without which no row has it.
    `also`: columns that it reads besides, where they are there.
    `fits` looks at a row that has them; where several layouts fit, a person has to say which.
    `read` makes the item of a row, or raises NotAPair with the reason.
    `gather` makes rows of several lines, for layouts with one reply a line.
    `many`: rows may have more than two replies.
    `refused`: why no row of this layout holds a pair.
    `said`: what a reader has to know of how it was read.
    `nested`: the columns with lists or objects, which a table of texts holds as JSON.
    `asked_only`: it is taken where a person asks for it, and never found.
    `unpaired`: what pairs of this layout come of, for a source in which there are none.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    fits: Callable[[Row], bool]
    read: Callable[[Row], Item]
    gather: Callable[[Iterable[Line]], Iterator[Line]] | None = None
    many: bool = False
    also: tuple[str, ...] = ()
    refused: str = ""
    said: str = ""
    nested: tuple[str, ...] = ()
    asked_only: bool = False
    unpaired: str = ""

    def needs_met_by(self, row: Row) -> bool:
        """Whether a row has the columns of this layout, whatever they hold."""
        return all(name in row for name in self.needs)

    def unfolded(self, row: Row) -> dict[str, Any]:
        """A row of texts with the lists and objects of this layout that stand in it as JSON."""
        return {**row, **{name: unfolded(row[name]) for name in self.nested if name in row}}


def unfolded(cell: object) -> object:
    """The list or object that stands in a cell as JSON; the cell where there is none."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def asked(prompt: str) -> Messages:
    """A prompt that is the one turn of a person."""
    return (("Human", prompt),)


def answered(prompt: Messages, replies: Sequence[str]) -> tuple[Dialogue, ...]:
    """The dialogues in which each reply follows the prompt."""
    return tuple(Dialogue.of_messages((*prompt, ("Assistant", reply))) for reply in replies)


def two_replies(row: Row, prompt: str, one: str, other: str) -> tuple[Dialogue, ...]:
    """The dialogues of two replies to a prompt of one turn, by their columns. Raises NotAPair."""
    return answered(asked(text(row, prompt)), [text(row, one), text(row, other)])


def text(row: Row, column: str) -> str:
    """A column that holds a text. Raises NotAPair where it does not; an empty text is one."""
    value = row.get(column)
    if not isinstance(value, str):
        raise NotAPair(f"no text under {column}")
    return value


def texts(row: Row, column: str) -> list[str]:
    """A column that holds a list of texts. Raises NotAPair where it does not."""
    value = row.get(column)
    if not is_texts(value):
        raise NotAPair(f"{column} holds no list of texts")
    return list(value)


def messages(row: Row, column: str) -> Messages:
    """A column that holds the messages of a chat. Raises NotAPair where it does not."""
    value = row.get(column)
    if not is_messages(value):
        raise NotAPair(f"{column} holds no messages")
    return tuple(message_of(message, column) for message in value)


def number(row: Row, column: str) -> float:
    """A column that holds a number. Raises NotAPair where it does not."""
    found = number_in(row.get(column))
    if found is None:
        raise NotAPair(f"{column} holds no number")
    return found


def number_in(value: object) -> float | None:
    """A value as a finite number, which a CSV file has as text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def one_of(row: Row, column: str, known: Mapping[str, int | None]) -> int | None:
    """What a word or number in a column stands for. Raises NotAPair for those not known."""
    value = row.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = str(value) if isinstance(value, str | int) else ""
    if word not in known:
        raise NotAPair(f"{column} is {named(value)}, not one of {', '.join(known)}")
    return known[word]


def preferred(row: Row, column: str, known: Mapping[str, int | None]) -> tuple[int, ...]:
    """The place of the reply that a verdict prefers; none where it stands for None, a tie."""
    better = one_of(row, column, known)
    return () if better is None else (better,)


def best(scores: Sequence[float]) -> tuple[int, ...]:
    """The places of the highest scores; none where all are equal."""
    top = max(scores, default=0.0)
    found = tuple(place for place, one in enumerate(scores) if one == top)
    return found if len(found) < len(scores) else ()


def label(row: Row, *columns: str) -> str:
    """The first of some columns that holds a name."""
    for column in columns:
        if isinstance(value := row.get(column), str) and value:
            return value
    return ""


def are_objects(value: object, *keys: str) -> TypeGuard[Sequence[Row]]:
    """Whether a value is a list of objects that all have these keys."""
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and one.keys() >= set(keys) for one in value
    )


def is_texts(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def is_messages(value: object) -> TypeGuard[Sequence[Row]]:
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and ("role" in one or "from" in one) for one in value
    )


def has_texts(*columns: str) -> Callable[[Row], bool]:
    """Whether all of these columns hold texts."""
    return lambda row: all(isinstance(row.get(column), str) for column in columns)
