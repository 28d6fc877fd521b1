"""The command line that labels what a page had labelled in batches, or takes the same labels in."""

from __future__ import annotations

import shlex

from ivan_core.domain.options import command_of, option_words
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches.job import BatchJob, open_job
from ivan_core.experiments.labels.plan import rows_named


def batch_command(run: Run) -> str:
    """The command that labels the same texts with the same model, or takes the same labels in."""
    job = open_job(run.id)
    return command_of(rows_named(job.spec)) if job.estimates() else _taken_in(job)


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
