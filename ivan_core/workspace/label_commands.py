"""The command line that labels what a page labelled."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.label_specs import LabelSpec, TaxonomySpec
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.specs import RowsSpec
from ivan_core.workspace import datasets


def label_command(spec: object) -> str:
    """The command that labels the same texts with the same labeler; empty for other runs."""
    if isinstance(spec, LabelSpec):
        words = ["ivan", "taxonomy", "run-control-batch", "--model", spec.labeler]
        options: list[tuple[str, object, object]] = [
            ("--num-ctx", spec.num_ctx, None),
            ("--temperature", spec.temperature, 0.0),
        ]
        drawn, picked = spec.sample, spec.limit
    elif isinstance(spec, TaxonomySpec):
        words = ["ivan", "taxonomy", "create-batch", "--model", spec.model]
        options = [
            ("--max-usd", spec.max_usd, None), ("--queue-tokens", spec.queue_tokens, None),
            ("--input-usd", spec.input_usd, None), ("--output-usd", spec.output_usd, None),
            ("--max-completion-tokens", spec.max_completion_tokens, 600),
            ("--base-url", spec.base_url, ""),
        ]  # fmt: skip
        drawn, picked = spec.limit, spec.sample
    else:
        return ""
    asked = spec.dataset
    options = [
        ("--dataset", asked.source, None), ("--subset", asked.subset, ""),
        ("--split", asked.split, "train"), ("--revision", asked.revision, ""),
        ("--limit", drawn, None), ("--seed", spec.seed, 0), *options,
    ]  # fmt: skip
    for option, value, usual in options:
        if value != usual:
            words += [option, str(value)]
    if spec.keys != FEATURES:
        words += ["--keys", ",".join(spec.keys)]
    row_ids = _rows_of(spec) if picked else spec.row_ids
    if row_ids is not None:
        words += ["--row-ids", ",".join(str(row_id) for row_id in row_ids)]
    return shlex.join(words)


def _rows_of(spec: RowsSpec) -> Sequence[int] | None:
    """The rows themselves, for a command that cannot say how they were chosen."""
    dataset = datasets.find(spec.dataset)
    return choose_rows(spec, dataset).row_ids if dataset is not None else None
