"""What a drawn chart holds, read from its specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def marks(spec: dict[str, Any], inherited: int = 0) -> int:
    """An upper bound of the marks a chart draws: the rows of each layer's data, one for a line."""
    own = spec.get("data", {}).get("name")
    rows = len(spec["_datasets"][own]) if own else inherited
    if "layer" in spec:
        return sum(marks(part | {"_datasets": spec["_datasets"]}, rows) for part in spec["layer"])
    return 1 if spec["mark"]["type"] in ("line", "area") else rows


def strings_outside_data(spec: Any) -> Iterator[str]:
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name not in ("datasets", "description"):
                yield from strings_outside_data(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from strings_outside_data(value)
    elif isinstance(spec, str):
        yield spec
