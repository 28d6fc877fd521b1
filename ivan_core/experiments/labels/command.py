"""The command line that labels what a page labelled."""

from __future__ import annotations

import shlex

from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.label_specs import LabelSpec, TaxonomySpec
from ivan_core.domain.options import command_of, field_options, option_words
from ivan_core.domain.runs import Run
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches.job import BatchJob, open_job


def label_command(run: Run) -> str:
    """The command that labels the same texts with the same labeler, or takes the same labels in."""
    spec = runs.any_spec_of(run)
    if not isinstance(spec, LabelSpec | TaxonomySpec):
        raise BadInput(f"Run {run.id} labels nothing.")
    if isinstance(spec, TaxonomySpec):
        job = open_job(runs.registry(), run.id)
        if not job.estimates():
            return _taken_in(job)
    return command_of(_rows_named(spec))


def _taken_in(job: BatchJob) -> str:
    """The command for batches or files that were made elsewhere."""
    ids = ",".join(state.batch_id for state in job.parts())
    if ids:
        words = ["ivan", "taxonomy", "process-batch", "--batch-ids", ids]
    else:
        imported = (runs.manifest(job.run_id) or {}).get("imported", {})
        words = ["ivan", "taxonomy", "import-file", *imported.get("files", [])]
        if "file" in imported:  # a zip of another IVAN
            words = ["ivan", "runs", "import", str(imported["file"])]
    return shlex.join([*words, *option_words(job.spec.dataset)])


def _rows_named(spec: LabelSpec | TaxonomySpec) -> LabelSpec | TaxonomySpec:
    """The same labelling, its rows named by id where the command has no word for their choice."""
    said = {one.name for one in field_options(type(spec))}
    if all(getattr(spec, name) is None or name in said for name in ("limit", "sample")):
        return spec
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return spec
    row_ids = tuple(choose_rows(spec, dataset).row_ids)
    return spec.model_copy(update={"limit": None, "sample": None, "row_ids": row_ids})
