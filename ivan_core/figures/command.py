"""The command line that does what a page did."""

from __future__ import annotations

import shlex
from typing import Unpack

from ivan_core.domain.specs import CompareSpec
from ivan_core.figures.picks import Wish, others_of


def compare_command(spec: CompareSpec) -> str:
    """The `ivan compare` that reproduces a comparison."""
    words = ["ivan", "compare", "--dataset", spec.dataset.source]
    for option, value, usual in (
        ("--subset", spec.dataset.subset, ""), ("--split", spec.dataset.split, "train"),
        ("--revision", spec.dataset.revision, ""), ("--limit", spec.limit, None),
        ("--sample", spec.sample, None), ("--seed", spec.seed, 0),
        ("--input-format", spec.input_format, None), ("--max-tokens", spec.max_tokens, None),
        ("--system", spec.system, "keep"),
    ):  # fmt: skip
        if value != usual:
            words += [option, str(value)]
    if spec.row_ids is not None:
        words += ["--row-ids", ", ".join(str(row_id) for row_id in spec.row_ids)]
    for model in spec.models:
        words += ["--model", model]
    return shlex.join(words)


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
