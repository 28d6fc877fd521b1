"""An analysis at work: it takes seconds, so it says what it does and nothing more."""

from __future__ import annotations

from ivan_core.domain.runs import Run
from pages.components.kit.live import Panel, doing
from pages.components.kit.text import say


def _headline(run: Run) -> str:
    return "Joining rewards and labels, row by row"


def _standing(run: Run) -> list[str]:
    return [doing(run)]


def _so_far(run: Run) -> None:
    for note in run.notes:
        say(note, "small", quiet=True)


PANEL = Panel(_headline, _standing, _so_far)
