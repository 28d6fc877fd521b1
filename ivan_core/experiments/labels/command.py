"""The command line that labels what a page labelled."""

from __future__ import annotations

from typing import TypeVar

from ivan_core.datasets.prepared import choose_rows
from ivan_core.domain.options import command_of, field_options
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import LabelSpec, RowsSpec
from ivan_core.engine import datasets, handling as runs

_Rows = TypeVar("_Rows", bound=RowsSpec)


def label_command(run: Run) -> str:
    """The command that labels the same texts with the same labeler."""
    return command_of(rows_named(runs.spec_of(run, LabelSpec)))


def rows_named(spec: _Rows) -> _Rows:
    """The same labelling, its rows named by id where the command has no word for their choice."""
    said = {one.name for one in field_options(type(spec))}
    if all(getattr(spec, name) is None or name in said for name in ("limit", "sample")):
        return spec
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return spec
    row_ids = tuple(choose_rows(spec, dataset).row_ids)
    return spec.model_copy(update={"limit": None, "sample": None, "row_ids": row_ids})
