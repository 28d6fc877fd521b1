"""What was made of a source's rows, in sentences: pairs, what is odd, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.first_row import layout_of
from ivan_core.datasets.layouts.shape import Layout
from ivan_core.datasets.numbers import Numbers
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.pairs import Pair
from ivan_core.domain.words import number_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_NAMED = 5
"""Pairs or lines that are named in a sentence."""
_ODD = {
    "identical": "have the same text on both sides",
    "empty_reply": "have an empty reply",
    "duplicates": "stand there more than once",
    "tied": "are ties: the data prefers neither reply",
    "prompts_differ": "have sides that part before the last reply",
    "reversed": "give the reply that was chosen the lower score",
    "without_prompt": "have no prompt",
}
"""What is counted of pairs, by its name in the sanity report."""
_COLUMNS = {
    "identical": "identical",
    "empty_reply": "empty_reply",
    "duplicates": "duplicate_of",
    "tied": "equal_scores",
    "prompts_differ": "prompts_differ",
}
"""The columns of the numbers table that say which pairs those are."""


def told_of(dataset: PreparedDataset) -> list[str]:
    """What a person should know of the pairs of a dataset before they are used, in sentences."""
    about, there = dataset.about, dataset.row(0)
    columns = ["row_id", *(name for name in _COLUMNS.values() if name in there)]
    odd = odd_told(about["sanity"], dataset.numbers(columns))
    return [one for one in (rows_of(dataset), left_out_of(dataset), *odd) if one]


def rows_of(dataset: PreparedDataset) -> str:
    """`rows_told` of a dataset that has been read; "" where an older reading kept no count."""
    about = dataset.about
    if "rows_read" not in about:
        return ""
    return rows_told(layout_of(dataset), about["rows_read"], dataset.rows, about["rows_tied"])


def left_out_of(dataset: PreparedDataset) -> str:
    """`replies_told` of a dataset that has been read."""
    about = dataset.about
    named = about.get("replies_left_out_named", ())
    return replies_told(about.get("replies_left_out", 0), named)


def odd_among(pairs: Iterable[tuple[Pair, dict[str, Any]]]) -> list[str]:
    """What is odd in a few pairs that were read with their labels, in sentences."""
    numbers = Numbers()
    for pair, labels in pairs:
        numbers.add(pair, labels)
    if not numbers.rows:
        return []
    numbers.end_batch()
    table = numbers.table(set())
    return odd_told(numbers.report(table), table.to_pandas())


def rows_told(layout: Layout, rows: int, pairs: int, tied: int) -> str:
    """How many pairs the rows of a layout made; "" where each row is one pair and none is tied."""
    if not layout.many and not tied:
        return ""
    told = f"{number_of(rows, 'row')} made {number_of(pairs, 'pair')}"
    if tied:
        told += f"; {number_of(tied, 'row is a tie', 'rows are ties')}"
    return f"{told}."


def odd_told(sanity: Mapping[str, Any], numbers: pd.DataFrame) -> list[str]:
    """What is odd in pairs, each sentence with the first pairs that it is about.

    `numbers` has the row ids and those of the columns for it that are known.
    """
    found = []
    for name, what in _ODD.items():
        if not sanity.get(name):
            continue
        column = _COLUMNS.get(name)
        named = ""
        if column in numbers:
            those = numbers[column] >= 0 if name == "duplicates" else numbers[column].astype(bool)
            named = _named("pair", numbers.loc[those, "row_id"].tolist())
        found.append(f"{sanity[name]:,} of {sanity['pairs']:,} pairs {what}{named}.")
    return found


def replies_told(count: int, named: Iterable[Sequence[Any]]) -> str:
    """Replies that were left out of their rows, the first by line and reason; "" if none was."""
    if not count:
        return ""
    lines = [f"line {line}: {reason}" for line, reason in named][:_MOST_NAMED]
    more = "; …" if count > len(lines) else ""
    what = number_of(count, "reply is", "replies are")
    return f"{what} left out, the others of their rows stay: {'; '.join(lines)}{more}."


def _named(what: str, ids: Sequence[int]) -> str:
    told = ", ".join(f"{one:,}" for one in ids[:_MOST_NAMED])
    more = " and others" if len(ids) > _MOST_NAMED else ""
    return f" ({what if len(ids) == 1 else f'{what}s'} {told}{more})"
