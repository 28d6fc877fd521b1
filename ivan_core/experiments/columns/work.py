"""User columns: checked at the door, then one number for each side of every pair, by a worker."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from math import nan

from pydantic import ValidationError

from ivan_core.datasets.prepared import BATCH_ROWS, PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import ACTIVE, Run
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.user_columns import LONGEST_EXPRESSION, ColumnSpec, Form, Over
from ivan_core.engine import access, datasets, handling as runs
from ivan_core.engine.work import Job
from ivan_core.experiments.columns.expressions import (
    Sides,
    TooSlow,
    compile_expression,
    compile_pattern,
)
from ivan_core.experiments.columns.results import column_path, write_column
from ivan_core.settings import data_dir

TEXT_SECONDS = 0.5
"""Longest time on one text."""
ALL_SECONDS = 600.0
"""Longest time on all texts."""
Evaluate = Callable[[Dialogue], float | None]


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
                f"Shorten it to {LONGEST_EXPRESSION}.",
            ) from None
        raise BadInput("There is nothing to look for.", "Type something first.") from None
    compile_column(spec)
    return spec


def start(spec: ColumnSpec) -> str | None:
    """Have a worker compute a column; returns its run (a new one, or the one that is at it).

    None means that the column is there already: no column is computed twice.

    Raises:
        BadInput: the expression is none.
        NotAllowed: it is not there yet, and this is a demo.
        StorageProblem: the data folder cannot be written.
    """
    compile_column(spec)
    if column_path(data_dir(), spec).exists():
        return None
    access.require_no_stranger(access.Action.SEARCH)
    run_id, new = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    if new:
        runs.spawn(run_id)
    return run_id


def at_work(dataset: str) -> list[tuple[Run, ColumnSpec]]:
    """Runs that compute columns of a dataset now, newest first, with what they compute."""
    live = (run for run in runs.registry().some(("column",), states=ACTIVE) if run.state.live)
    found = [(run, runs.spec_of(run, ColumnSpec)) for run in live]
    return [(run, spec) for run, spec in found if spec.dataset == dataset]


def work_column(job: Job[ColumnSpec]) -> None:
    """Compute a column, unless it is there already; a worker that is stopped starts it anew.

    Raises:
        BadInput: the expression is none, takes too long on a text (which is named), or the dataset
            is gone. Nothing is kept then.
    """
    context, spec = job.context, job.spec
    dataset = PreparedDataset(context.data_dir / "datasets" / spec.dataset)
    if not (dataset.folder / "dataset.json").exists():
        raise BadInput("The dataset of this column is gone.", "Run a comparison on it again.")
    rows, path = dataset.rows, column_path(context.data_dir, spec)
    context.plan(total=rows, done=0)
    if not path.exists():
        evaluate = compile_column(spec)
        context.doing("Reading the texts")
        context.start_clock()
        chosen, rejected = array("d"), array("d")
        deadline = time.monotonic() + ALL_SECONDS
        for start in range(0, rows, BATCH_ROWS):
            for pair in dataset.pairs(range(start, min(start + BATCH_ROWS, rows))):
                try:
                    chosen.append(_number(evaluate(pair.chosen)))
                    rejected.append(_number(evaluate(pair.rejected)))
                except TooSlow:
                    raise _too_slow(pair.row_id) from None
            if time.monotonic() > deadline:
                raise _too_long(len(chosen), rows)
            context.working(len(chosen))
        write_column(path, spec, chosen, rejected)
    context.finished(rows, rows, [])


def compile_column(spec: ColumnSpec) -> Evaluate:
    """The column as a function from a side to its number; None is no value.

    The function raises TooSlow where a regular expression does not come to an end.

    Raises:
        BadInput: the expression is none, with the reason.
    """
    if spec.form == "expression":
        evaluate = compile_expression(spec.expression)
        return lambda side: evaluate(_sides(side))
    if spec.form == "search":
        wanted = spec.expression
        return lambda side: _count(_read(side, spec.over), wanted)
    matches = compile_pattern(spec.expression)

    def count(side: Dialogue) -> float | None:
        read = _read(side, spec.over)
        return None if read is None else float(matches(read, TEXT_SECONDS))

    return count


def _count(text: str | None, wanted: str) -> float | None:
    return None if text is None else float(text.casefold().count(wanted))


def _sides(side: Dialogue) -> Sides:
    split = side.split_last_reply()
    return Sides(split[1], split[0], side.printed) if split else Sides(None, None, side.printed)


def _read(side: Dialogue, over: str) -> str | None:
    if over == "text":
        return side.printed
    sides = _sides(side)
    return sides.reply if over == "reply" else sides.prompt


def _number(value: float | None) -> float:
    return nan if value is None else value


def _too_slow(row_id: int) -> BadInput:
    return BadInput(
        f"The regular expression did not come to an end within {TEXT_SECONDS:g} s on pair"
        f" {row_id}.",
        "Repeats inside repeats, such as (a+)+, try endless ways to read one text. Write each "
        "repeat so that it can match in one way only. Nothing was kept.",
    )


def _too_long(done: int, rows: int) -> BadInput:
    return BadInput(
        f"After {ALL_SECONDS / 60:.0f} minutes {done:,} of {rows:,} pairs were done.",
        "Make the expression simpler. Nothing was kept.",
    )
