"""Sentences to copy, and words that captions and methods of several experiments use.

Each sentence stands alone below the line that says what all of them rest on.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.figures.choices import Wish, figure_command

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.metrics.intervals import Rate


@dataclass(frozen=True, slots=True)
class Quote:
    """One sentence that stands alone, under the question it answers.

    `chart` holds the numbers behind it, with `shown` where it leaves a choice; else `command` tells
    them, or all sentences are printed again. `measure` is what it counts row by row, and so of the
    rows alone that the conditions of `where` pick; a sentence without one is of the whole run.
    """

    question: str
    sentence: str
    chart: str = ""
    shown: Wish = field(default_factory=Wish)
    command: str = ""
    measure: str = ""
    where: str = ""

    def told_by(self, run_id: str) -> str:
        """The command that tells the numbers behind it again, from the finished run."""
        shown: Wish = {**self.shown}
        if self.where:
            shown["where"] = self.where
        if self.chart:
            return figure_command(run_id, self.chart, "csv", **shown)
        words = ["ivan", "runs", "sentences", run_id]
        return self.command or shlex.join(words + (["--where", self.where] if self.where else []))


def listed(source: str, quotes: Sequence[Quote]) -> str:
    """Sentences to print: what they rest on, then each with its command, by question."""
    lines = [source]
    for question in dict.fromkeys(quote.question for quote in quotes):
        lines += ["", question]
        for quote in quotes:
            if quote.question == question:
                lines += [f"  {quote.sentence}", f"    {quote.command}"]
    return "\n".join(lines)


def source_line(
    results: Any, n: int, command: str, *, by: str = "", stopped: str = "", more: str = ""
) -> str:
    """What every sentence of a run rests on: `n` pairs, the run, the command that makes it anew.

    `by` says who worked on the pairs, `stopped` that it is not all of them, `more` what else to
    know.
    """
    about = results.dataset.about
    parts = [
        f"{about['label']}, {n:,} of {int(about['rows']):,} pairs{f', {by}' if by else ''}, run"
        f" {results.run.id}{f', {stopped}' if stopped else ''}: {command}.",
        more,
        about["note"] or "",
    ]
    return " ".join(part for part in parts if part)


class MaybeBare(Protocol):
    """Results whose rates may have no intervals."""

    @property
    def bare(self) -> bool: ...


FOR_THE_PAPER = "Numbers for the paper"
"""What coefficients and tests stand under, one deeper than what everybody reads."""
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


def shown_rate(results: MaybeBare, rate: Rate | None) -> Rate | None:
    """A rate as it is shown: without an interval where it has none."""
    from ivan_core.metrics.intervals import without_ends

    return without_ends(rate) if results.bare else rate


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
