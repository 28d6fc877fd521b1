"""Texts of pairs in a page: only where they are asked for, and none longer than a bound."""

from __future__ import annotations

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.figures.html.frame import fold, paragraph, text

_LONGEST = 6_000
"""Characters of a text: what is longer is cut, and says so."""


def pair(dataset: PreparedDataset, row_id: int) -> str:
    """Both dialogues of a pair, in a fold that its row id opens."""
    found = dataset.pair(row_id)
    sides = {"Chosen": found.chosen, "Rejected": found.rejected}
    texts = "".join(
        f"{paragraph(name, 'small')}<pre>{text(_cut(one.printed.strip()))}</pre>"
        for name, one in sides.items()
    )
    return fold(f"Pair {row_id:,}", texts)


def _cut(words: str) -> str:
    if len(words) <= _LONGEST:
        return words
    return f"{words[:_LONGEST]} … (cut: {_LONGEST:,} of {len(words):,} characters)"
