"""A filter as the parameters of a URL, and back: what cannot be read is named, and never raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ivan_core.lists.conditions import MOST_CONDITIONS, Condition, Filter, Item, Language, Order
from ivan_core.lists.others import Elsewhere, elsewhere_read, elsewhere_written
from ivan_core.lists.parts import BETWEEN, read, written

_LONGEST_VALUE = 60_000
_LONGEST_PARAMETER = 500


def parameters(language: Language) -> tuple[str, ...]:
    """The URL's parameters that belong to a filter."""
    names: dict[str, None] = {}
    for kind in _kinds(language):
        names |= dict.fromkeys(kind.parameters or (kind.query,))
    return (*names, Elsewhere.query)


def read_filter(language: Language, query: Mapping[str, Any]) -> tuple[Filter, list[str]]:
    """The filter of a URL, and what in it was not understood; other parameters do not count."""
    wanted, ignored = _read(language, query)
    asked = [name for name in _own_parameters(language) if query.get(name)]
    if asked:
        kept = query_of(wanted)
        ignored = [*(name for name in asked if name not in kept), *ignored]
    return wanted, ignored


def query_of(wanted: Filter) -> dict[str, str]:
    """The filter as parameters of a URL; an empty filter has none.

    A condition that finds its parameters taken, as a second flip does, stands among those that
    speak of other runs.
    """
    query: dict[str, str] = {}
    so_far = Filter(wanted.language)
    if wanted.sort is not None and wanted.sorts:
        own = {wanted.sort.query: written(wanted.sort)}
        query |= as_parameters(wanted.sort) if wanted.sort.parameters else own
        so_far = so_far.sorted_by(wanted.sort)
    for one in wanted.conditions:
        so_far = so_far.add(one)
        if one.parameters:
            wider = query | as_parameters(one)
            back, _ = _read(wanted.language, wider)
            if {*back.conditions} == {*so_far.conditions} and back.sort == so_far.sort:
                query = wider
                continue
        plain = not one.parameters and not isinstance(one, Elsewhere)
        name = one.query if plain else Elsewhere.query
        text = written(one) if plain else elsewhere_written(one, wanted.language)
        query[name] = f"{query[name]}{BETWEEN}{text}" if name in query else text
    return query


def as_parameters(item: Item) -> dict[str, str]:
    """The fields of an item that are parameters of their own, those that say something."""
    values = {name: getattr(item, name) for name in item.parameters}
    return {name: str(value) for name, value in values.items() if value != ""}


def _read(language: Language, query: Mapping[str, Any]) -> tuple[Filter, list[str]]:
    found: dict[str, Condition] = {}
    sort: Order | None = None
    ignored: list[str] = []
    for name, item, text in _items(language, query, ignored):
        if isinstance(item, Order):
            sort = item
        elif isinstance(item, Condition):
            if len(found) >= MOST_CONDITIONS and item.key not in found:
                ignored.append(_named(name, text))
            else:
                found[item.key] = item
    return Filter(language, tuple(found.values()), sort), ignored


def _items(
    language: Language, query: Mapping[str, Any], ignored: list[str]
) -> Iterator[tuple[str, Item, str]]:
    """The items of a URL with their parameters and texts; what is none is named in `ignored`."""
    own = {
        name: query[name]
        for name in _own_parameters(language)
        if isinstance(query.get(name), str) and 0 < len(query[name]) <= _LONGEST_PARAMETER
    }
    for kind in _kinds(language):
        if kind.parameters:
            item = _whole(kind, own)
            if item is not None:
                yield kind.query, item, ""
            continue
        for text in _texts(kind.query, query, ignored):
            try:
                yield kind.query, read(kind, text), text
            except ValueError:  # pydantic's ValidationError is one
                ignored.append(_named(kind.query, text))
    for text in _texts(Elsewhere.query, query, ignored):
        try:
            yield Elsewhere.query, elsewhere_read(text, language), text
        except ValueError:
            ignored.append(_named(Elsewhere.query, text))


def _whole(kind: type[Item], own: Mapping[str, str]) -> Item | None:
    """The item of some parameters, without fields that make no sense; None if it is not whole."""
    given = kind.given(own)
    while given:
        try:
            return kind(**given)
        except ValidationError as error:
            odd = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
            if not odd or any(kind.model_fields[name].is_required() for name in odd):
                return None
            given = {name: text for name, text in given.items() if name not in odd}
    return None


def _texts(name: str, query: Mapping[str, Any], ignored: list[str]) -> list[str]:
    value = query.get(name)
    if value is None:
        return []
    if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
        ignored.append(_named(name, value))
        return []
    return value.split(BETWEEN)


def _kinds(language: Language) -> tuple[type[Item], ...]:
    return language.conditions if language.order is None else (*language.conditions, language.order)


def _own_parameters(language: Language) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for kind in _kinds(language) for name in kind.parameters))


def _named(name: str, value: object) -> str:
    text = " ".join(str(value).split())
    return f"{name}={text[:60]}{'…' if len(text) > 60 else ''}"
