"""The command line that makes a chart which a page shows."""

from __future__ import annotations

import shlex
from typing import Unpack

from ivan_core.figures.choices import OPTIONS, Wish, asked_for


def figure_command(
    run_id: str, name: str, kind: str = "svg", width_mm: int = 85, **wish: Unpack[Wish]
) -> str:
    """The `ivan figure` that makes one chart of a run."""
    words = ["ivan", "figure", run_id, name, "--format", kind]
    if kind != "csv":
        words += ["--width", str(width_mm)]
    for option in OPTIONS:
        for value in asked_for(wish, option):
            words += [f"--{option.name}", value]
    return shlex.join(words)
