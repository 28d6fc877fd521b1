"""Labels on both sides: shares, paired differences and topics, counted by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ivan_core.metrics.labels import prevalence

INSULT = "last_response_contains_insult"


def labels(key: str, chosen: list[Any], rejected: list[Any]) -> pd.DataFrame:
    """Labels of one key, the sides of each pair one after the other; None is no answer."""
    rows = [
        (i, side, value)
        for i, values in enumerate(zip(chosen, rejected, strict=True))
        for side, value in zip(("chosen", "rejected"), values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["row_id", "preference", key])
    return table.astype({key: object})


def test_shares_are_of_the_texts_with_an_answer() -> None:
    found = prevalence(labels(INSULT, [True, False, None, False], [True, True, None, None]), INSULT)
    assert list(found["side"]) == ["chosen", "rejected"]
    assert list(found["count"]) == [1, 2] and list(found["n"]) == [3, 2]
    assert list(found["share"]) == pytest.approx([1 / 3, 1.0])
