"""The command line that labels what a page labelled."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.label_specs import LabelSpec, TaxonomySpec
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches.job import Job, open_job

_Option = tuple[str, object, object]
"""An option of a command line, its value, and the one that need not be said."""
_Labelling = LabelSpec | TaxonomySpec


def label_command(run: Run) -> str:
    """The command that labels the same texts with the same labeler, or takes the same labels in."""
    spec = runs.any_spec_of(run)
    if isinstance(spec, LabelSpec):
        words = ["ivan", "taxonomy", "run-control-batch", "--model", spec.labeler]
        options: list[_Option] = [
            ("--num-ctx", spec.num_ctx, None),
            ("--temperature", spec.temperature, 0.0),
        ]
        return _command(words, [*_rows(spec, spec.sample, spec.limit), *options], spec)
    if not isinstance(spec, TaxonomySpec):
        raise BadInput(f"Run {run.id} labels nothing.")
    job = open_job(runs.registry(), run.id)
    if not job.estimates():
        return _taken_in(job)
    words = ["ivan", "taxonomy", "create-batch", "--model", spec.model]
    options = [
        ("--max-usd", spec.max_usd, None), ("--queue-tokens", spec.queue_tokens, None),
        ("--input-usd", spec.input_usd, None), ("--output-usd", spec.output_usd, None),
        ("--max-completion-tokens", spec.max_completion_tokens, 600),
        ("--base-url", spec.base_url, ""),
    ]  # fmt: skip
    return _command(words, [*_rows(spec, spec.limit, spec.sample), *options], spec)


def _taken_in(job: Job) -> str:
    """The command for batches or files that were made elsewhere."""
    ids = ",".join(state.batch_id for state in job.parts())
    if ids:
        words = ["ivan", "taxonomy", "process-batch", "--batch-ids", ids]
    else:
        manifest = runs.manifest(job.run_id) or {}
        words = ["ivan", "taxonomy", "import-file", *manifest.get("imported", {}).get("files", [])]
    return _command(words, _dataset(job.spec), None)


def _command(words: list[str], options: Sequence[_Option], spec: _Labelling | None) -> str:
    for option, value, usual in options:
        if value != usual:
            words += [option, str(value)]
    if spec is not None and spec.keys != FEATURES:
        words += ["--keys", ",".join(spec.keys)]
    return shlex.join(words)


def _dataset(spec: RowsSpec) -> list[_Option]:
    asked = spec.dataset
    return [
        ("--dataset", asked.source, None), ("--subset", asked.subset, ""),
        ("--split", asked.split, "train"), ("--revision", asked.revision, ""),
    ]  # fmt: skip


def _rows(spec: RowsSpec, own: int | None, other: int | None) -> list[_Option]:
    """The rows: `own` is what --limit means to the command, `other` a choice it has no word for."""
    row_ids: Sequence[int] | None = spec.row_ids
    dataset = datasets.find(spec.dataset) if other is not None else None
    if dataset is not None:
        row_ids = choose_rows(spec, dataset).row_ids
    named = ",".join(str(row_id) for row_id in row_ids) if row_ids is not None else None
    return [
        *_dataset(spec), ("--limit", own, None), ("--row-ids", named, None),
        ("--seed", spec.seed, 0),
    ]  # fmt: skip
