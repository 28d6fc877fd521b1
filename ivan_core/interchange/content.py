"""What a file for others is made of: pairs in order, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ivan_core.domain.pairs import Pair

Label = str | int | float | bool | None
TAKEN = frozenset(
    ("prompt", "chosen", "rejected", "completion", "label", "margin", "messages", "text", "system")
)
"""Names of columns that formats, or who reads them, give a meaning."""


@dataclass(frozen=True, slots=True)
class Row:
    """One pair with its texts, and what stands beside them, in the order of the columns."""

    pair: Pair
    labels: Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, before a format leaves out what it has no place for.

    `name` names the dataset for others, never by a path; `among` counts its pairs. `labels` are the
    types of what stands beside each pair, the same in every row. `rows` reads the `count` pairs
    anew, one at a time.
    """

    name: str
    among: int
    count: int
    labels: Mapping[str, type]
    rows: Callable[[], Iterator[Row]]
