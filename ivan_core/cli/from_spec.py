"""The command of an experiment that has none of its own: its options are the fields of its spec."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from ivan_core.cli import options as made
from ivan_core.cli.plan import add_plan, print_plan
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine.kind import Kind


def add(commands: Any, kind: Kind) -> None:
    """Add the command that a kind's spec is named by."""
    spec = kind.spec
    if not issubclass(spec, RowsSpec):
        raise TypeError(f"a {kind.noun} chooses no rows, so no command asks for one")
    told = f"make a {kind.noun} of the pairs of a preference dataset"
    parser = commands.add_parser(
        spec.command.removeprefix("ivan "), help=told, description=f"{told.capitalize()}."
    )
    parser.set_defaults(run=partial(run, spec))
    fields = made.SpecOptions(spec)
    fields.add_rows(parser)
    fields.add(parser)
    add_plan(parser)


def run(asked: type[RowsSpec], options: argparse.Namespace) -> int:
    """Plan, start, follow, and print what came of it."""
    from ivan_core.cli.follow import follow_started
    from ivan_core.datasets.prepared import choose_rows
    from ivan_core.engine import datasets, handling as runs
    from ivan_core.engine.plan import FirstLook, first_look

    spec = made.spec_from(asked, options, asked.model_construct())
    look = first_look(spec, ()) if options.plan else FirstLook()
    found = datasets.find(spec.dataset)
    choice = choose_rows(spec, found) if found is not None else None
    pairs = "pairs not counted yet"
    if choice is not None:
        pairs = f"{len(choice.row_ids):,} pairs"
    elif look.pairs is not None:
        pairs = f"{look.pairs:,} pairs in all"
    print(f"{spec.dataset.label}: {pairs}.")
    if options.plan:
        return print_plan(choice.notes if choice is not None else (), look)
    run_id, new = runs.start(spec)
    return follow_started(run_id, new)
