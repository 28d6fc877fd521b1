"""The tables of a page's lists, as their browser is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd


def lists_of(app: Any) -> list[dict[str, Any]]:
    """What is told of each list of a page that AppTest ran."""
    found = [one.proto for one in app.get("bidi_component")]
    return [json.loads(one.json) for one in found if one.component_name == "ivan_table"]


def listed(app: Any) -> pd.DataFrame:
    """The last list of a page, in words: columns by their names, whole numbers as numbers."""
    told = lists_of(app)[-1]
    names = [column["name"] for column in told["columns"]]
    return pd.DataFrame([[in_words(cell) for cell in row] for row in told["rows"]], columns=names)


def in_words(cell: str | list[list[Any]] | Mapping[str, Any]) -> Any:
    """A cell as a person reads it."""
    if isinstance(cell, Mapping):
        return " ".join([*" → ".join(cell["words"]).split(" "), cell["amount"]]).strip()
    if isinstance(cell, list):
        return "".join(text for text, _ in cell)
    return int(cell) if cell.isdecimal() else cell
