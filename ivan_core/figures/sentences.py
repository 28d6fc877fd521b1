"""Sentences to copy: each stands alone below the line that says what all of them rest on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

from ivan_core.figures.choices import Wish, figure_command


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
