"""The command line that makes a chart which a page shows."""

from __future__ import annotations

import shlex
from typing import Unpack

from ivan_core.figures.picks import Wish, others_of


def figure_command(
    run_id: str,
    name: str,
    kind: str = "svg",
    width_mm: int = 85,
    **wish: Unpack[Wish],
) -> str:
    """The `ivan figure` that makes one chart of a run."""
    words = ["ivan", "figure", run_id, name, "--format", kind]
    if kind != "csv":
        words += ["--width", str(width_mm)]
    chosen = [
        ("--model", wish.get("model")),
        *(("--other", other) for other in others_of(wish)),
        ("--column", wish.get("column")),
        ("--label", wish.get("label")),
        ("--gate", wish.get("gate")),
        ("--row", wish.get("row")),
        ("--side", wish.get("side")),
    ]
    for option, value in chosen:
        words += [option, value] if value is not None else []
    return shlex.join(words)
