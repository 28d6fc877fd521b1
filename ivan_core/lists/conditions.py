"""Which rows of a comparison are shown, and in which order: a filter that lives in a URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self, get_args

from pydantic import model_validator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import Frozen
from ivan_core.experiments.compare.conditions import AnyCondition, Condition, Sort
from ivan_core.lists.url import BETWEEN, read, written

MOST_CONDITIONS = 24
_LONGEST_VALUE = 60_000
CONDITIONS: tuple[type[AnyCondition], ...] = get_args(AnyCondition)
_KINDS = {kind.query: kind for kind in CONDITIONS}
_PLACES: dict[type[Condition], int] = {kind: place for place, kind in enumerate(CONDITIONS)}
SORT = "sort"
QUERY_KEYS = (*_KINDS, SORT)
"""The URL's parameters that belong to a filter."""


class RowFilter(Frozen):
    """Conditions that all must hold (by kind, then in the order given), and an order of rows."""

    conditions: tuple[AnyCondition, ...] = ()
    sort: Sort = Sort()

    @model_validator(mode="after")
    def _tidy(self) -> Self:
        """One condition a key, the last one given, in the order that a URL keeps."""
        latest = {condition.key: condition for condition in self.conditions}
        if len(latest) > MOST_CONDITIONS:
            raise ValueError(f"has more than {MOST_CONDITIONS} conditions")
        tidy = tuple(sorted(latest.values(), key=lambda condition: _PLACES[type(condition)]))
        object.__setattr__(self, "conditions", tidy)
        return self

    def with_(self, condition: AnyCondition) -> RowFilter:
        """The filter with one more condition; one with the same key gives way.

        Raises:
            BadInput: there are too many.
        """
        keys = {held.key for held in (*self.conditions, condition)}
        if len(keys) > MOST_CONDITIONS:
            raise BadInput(
                f"More than {MOST_CONDITIONS} conditions do not fit in a link.", "Remove some."
            )
        return RowFilter(conditions=(*self.conditions, condition), sort=self.sort)

    def sorted_by(self, sort: Sort) -> RowFilter:
        return RowFilter(conditions=self.conditions, sort=sort)

    def sorted_by_head(self, column: str, models: Sequence[str]) -> RowFilter:
        """Sorted by a column of the table, `row_id` or a model's margin; once more turns it round.

        The same filter where the rows cannot be sorted by that column.
        """
        if column == "row_id":
            return self.sorted_by(Sort(by="row", descending=self.sort == Sort()))
        if column not in models:
            return self
        most = Sort(by="margin", of=column, descending=True)
        return self.sorted_by(Sort(by="margin", of=column) if self.sort == most else most)

    def to_query(self) -> dict[str, str]:
        """The filter as parameters of a URL; an empty filter has none."""
        found: dict[str, list[str]] = {}
        for condition in self.conditions:
            found.setdefault(condition.query, []).append(written(condition))
        query = {name: BETWEEN.join(items) for name, items in found.items()}
        if self.sort != Sort():
            query[SORT] = written(self.sort)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, Any]) -> tuple[RowFilter, list[str]]:
        """The filter of a URL, and what in it was not understood; other parameters do not count."""
        conditions: dict[str, AnyCondition] = {}
        sort = Sort()
        ignored: list[str] = []
        for name in QUERY_KEYS:
            value = query.get(name)
            if value is None:
                continue
            if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
                ignored.append(_named(name, value))
                continue
            for item in value.split(BETWEEN):
                try:
                    if name == SORT:
                        sort = read(Sort, item)
                        continue
                    condition = read(_KINDS[name], item)
                except ValueError:  # pydantic's ValidationError is one
                    ignored.append(_named(name, item))
                    continue
                if len(conditions) >= MOST_CONDITIONS and condition.key not in conditions:
                    ignored.append(_named(name, item))
                else:
                    conditions[condition.key] = condition
        return cls(conditions=tuple(conditions.values()), sort=sort), ignored


def without(row_filter: RowFilter, key: str) -> RowFilter:
    """The filter without the condition of a chip."""
    kept = tuple(condition for condition in row_filter.conditions if condition.key != key)
    return RowFilter(conditions=kept, sort=row_filter.sort)


def _named(name: str, value: object) -> str:
    text = " ".join(str(value).split())
    return f"{name}={text[:60]}{'…' if len(text) > 60 else ''}"
