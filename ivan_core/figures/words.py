"""Words that captions and methods of several experiments use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import RowsSpec
from ivan_core.domain.words import number_of

if TYPE_CHECKING:
    import pandas as pd


class MaybeBare(Protocol):
    """Results whose rates may have no intervals."""

    @property
    def bare(self) -> bool: ...


GROUPS = (
    "where pairs share their first human turn and are more alike for it (a design effect above"
    " 1.05), they are those of as many independent pairs as would vary as much."
)
WILSON = (
    "Intervals are 95% Wilson score intervals without correction for multiple comparisons;"
    f" {GROUPS}"
)


def wilson_words(results: MaybeBare) -> str:
    """How intervals were computed, after what else is said; nothing where there are none."""
    return "" if results.bare else f" {WILSON}"


def with_ends(results: MaybeBare) -> str:
    """That what was told before has intervals, where it has."""
    return "" if results.bare else ", with 95% intervals"


def counted(table: pd.DataFrame) -> str:
    """How many pairs the cells or bars of a chart come to."""
    return f"n = {int(table['count'].sum()):,} rated pairs."


def model_words(card: ModelCard) -> str:
    """A reward model: what exactly it is, and how it reads a text."""
    facts = [f"revision {card.revision or 'unknown'}"]
    if card.input_format:
        facts.append(f"input format {card.input_format}")
    if card.system == "drop":
        facts.append("system turns left out")
    if card.max_tokens:
        facts.append(f"at most {card.max_tokens:,} tokens")
    if card.revision:
        facts.append(card.dtype)
    return f"{card.id} ({', '.join(facts)})"


def rows_words(spec: RowsSpec, dataset: PreparedDataset, n: int, aside: str = "") -> str:
    """Which pairs, of what, in what revision; `aside` says it where the spec does not."""
    about = dataset.about
    rows = int(about["rows"])
    if aside:
        drawn = f"{number_of(n, 'pair')} ({aside})"
    elif n == rows:
        drawn = f"all {n:,} pairs"
    elif spec.sample is not None:
        drawn = f"{n:,} of {rows:,} pairs, a random draw with seed {spec.seed},"
    elif spec.limit is not None:
        drawn = f"the first {n:,} of {rows:,} pairs (not a random sample)"
    else:
        drawn = f"{n:,} of {rows:,} pairs, picked by id (not a random sample),"
    revision = f"revision {about['revision']}" if about["revision"] else "no revision"
    return f"{drawn} of {about['label']} ({revision}, fingerprint {dataset.fingerprint})"


def first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
