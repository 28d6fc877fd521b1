"""Tables of labels for tests: one row a text, as a run of labelling leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

INSULT = "last_response_contains_insult"
HARMLESS = "last_response_is_harmless"
SENTIMENT = "last_response_sentiment"
TOPICS = "topics"


def labels(**columns: Sequence[Any]) -> pd.DataFrame:
    """Labels by key; the answers go pair by pair, chosen first; None is no answer."""
    n = max(len(values) for values in columns.values())
    table = pd.DataFrame(
        {
            "row_id": [i // 2 for i in range(n)],
            "preference": [("chosen", "rejected")[i % 2] for i in range(n)],
        }
    )
    for key, values in columns.items():
        table[key] = pd.Series(list(values), dtype=object)
    return table


def crossed(a: int, b: int, c: int, d: int, key: str = INSULT) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two labelers: both say yes to a texts, only the first to b, only the second to c."""
    left = [True] * (a + b) + [False] * (c + d)
    right = [True] * a + [False] * b + [True] * c + [False] * d
    return labels(**{key: left}), labels(**{key: right})
