"""Frozen models as short texts in a URL's parameters, and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, TypeVar

from ivan_core.domain.specs import Frozen

_ESCAPES = {"!": "!e", "~": "!t"}
_EMPTY, _NONE = "!0", "!n"
BETWEEN = "~~"
"""What stands between two items of one parameter; a single tilde parts the fields of an item."""
_Item = TypeVar("_Item", bound=Frozen)


def parts(values: Sequence[Any]) -> str:
    return "~".join(_part(value) for value in values)


def _part(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    text = str(value)
    return reduce(lambda t, pair: t.replace(*pair), _ESCAPES.items(), text) if text else _EMPTY


def written(item: Frozen) -> str:
    """The values of the fields, without those at the end that have their default."""
    fields = type(item).model_fields
    values = [(getattr(item, name), fields[name].get_default()) for name in _order(type(item))]
    while len(values) > 1 and values[-1][0] == values[-1][1]:
        values.pop()
    return parts([value for value, _ in values])


def _order(kind: type[Frozen]) -> list[str]:
    """Field names as they stand in a URL: what must be given first."""
    fields = kind.model_fields
    return sorted(fields, key=lambda name: not fields[name].is_required())


def read(kind: type[_Item], text: str) -> _Item:
    """The inverse of `written`.

    Raises:
        ValueError: it is none.
    """
    names, values = _order(kind), plain_parts(text)
    if len(values) > len(names):
        raise ValueError("too many parts")
    return kind(**dict(zip(names, values, strict=False)))


def plain_parts(text: str) -> list[str | None]:
    """The inverse of `parts`, every value as a text."""
    return [_plain(part) for part in text.split("~")]


def _plain(part: str) -> str | None:
    if part in (_EMPTY, _NONE):
        return "" if part == _EMPTY else None
    for plain, escaped in reversed(_ESCAPES.items()):
        part = part.replace(escaped, plain)
    return part
