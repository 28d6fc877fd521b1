"""Sentences to copy: each stands alone below the line that says what all of them rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Quote:
    """One sentence that stands alone, under the question it answers.

    `command` prints the numbers behind it from the finished run.
    """

    question: str
    sentence: str
    command: str


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
