"""User columns of a dataset: checked at the door, and computed by a worker."""

from __future__ import annotations

from pydantic import ValidationError

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import ACTIVE, Run
from ivan_core.domain.specs import LONGEST_EXPRESSION, ColumnSpec, Form, Over
from ivan_core.engine import datasets, handling as runs
from ivan_core.experiments.columns.results import (
    UserColumn,
    column,
    column_path,
    is_known,
    known,
    latest_run,
)
from ivan_core.experiments.columns.work import compile_column
from ivan_core.settings import data_dir

__all__ = [
    "UserColumn",
    "at_work",
    "column",
    "column_spec",
    "is_known",
    "known",
    "latest_run",
    "start",
]


def column_spec(dataset: str, form: Form, expression: str, over: Over = "reply") -> ColumnSpec:
    """The spec of a column of the dataset with this fingerprint, checked as far as it can be now.

    Raises:
        BadInput: the dataset is gone, or the expression is none; the sentence says where.
    """
    datasets.by_fingerprint(dataset)
    try:
        spec = ColumnSpec(dataset=dataset, form=form, expression=expression, over=over)
    except ValidationError:
        if len(expression) > LONGEST_EXPRESSION:
            raise BadInput(
                f"The expression has {len(expression):,} characters.",
                f"It may have {LONGEST_EXPRESSION}.",
            ) from None
        raise BadInput("There is nothing to look for.", "Write an expression.") from None
    compile_column(spec)
    return spec


def start(spec: ColumnSpec) -> str | None:
    """Have a worker compute a column; returns its run (a new one, or the one that is at it).

    None means that the column is there already: no column is computed twice.

    Raises:
        BadInput: the expression is none.
        StorageProblem: the data folder cannot be written.
    """
    compile_column(spec)
    if column_path(data_dir(), spec).exists():
        return None
    run_id, new = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    if new:
        runs.spawn(run_id)
    return run_id


def at_work(dataset: str) -> list[tuple[Run, ColumnSpec]]:
    """Runs that compute columns of a dataset now, newest first, with what they compute."""
    live = (run for run in runs.registry().some(("column",), states=ACTIVE) if run.state.live)
    found = [(run, runs.spec_of(run, ColumnSpec)) for run in live]
    return [(run, spec) for run, spec in found if spec.dataset == dataset]
