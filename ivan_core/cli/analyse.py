"""`ivan analyse`: join rewards and labels row by row, and print what the models reward."""

from __future__ import annotations

import argparse
from typing import Any

from ivan_core.cli import hand_over, options as made
from ivan_core.cli.follow import add_plan, follow_started, print_plan
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.units import AnalysisSpec


def add(commands: Any) -> None:
    """Add the command; the help texts are the spec's own."""
    parser = commands.add_parser(
        "analyse",
        help="say what reward models reward",
        description="Join a comparison with labels of the same rows, and say what its reward "
        "models reward. Tables are saved as CSV under data/analysis.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="A comparison, labels of its rows and perhaps a rewording of them, in any order; by "
        "default those of the newest study that has both.",
    )
    fields = made.SpecOptions(AnalysisSpec)
    names = ("models", "labelers", "before", "after", "control", "interaction", "first_try")
    fields.add(parser, *names)
    parser.add_argument(
        "--no-rewording",
        action="store_true",
        help="Join no rewording; without this, and where none is named, the newest of the study.",
    )
    hand_over.add(parser)
    add_plan(parser)


def run(options: argparse.Namespace) -> int:
    """Choose the runs, start, follow, and print the result."""
    if finished := hand_over.finished_analysis(options):
        if options.plan:
            print(f"Run {finished} is analysed: its files would be written, nothing computed.")
            return 0
        return hand_over.hand_over(finished, options)
    from ivan_core.engine.plan import FirstLook
    from ivan_core.experiments.analysis.plan import spec_of_runs

    spec = spec_of_runs(
        options.runs,
        models=tuple(options.models or ()),
        labelers=tuple(options.labelers or ()),
        before=options.before or "",
        after=options.after or "",
        control=options.control or "length",
        first_try=bool(options.first_try),
        rewording="" if options.no_rewording else None,
        interaction=options.interaction or "",
    )
    named = ", ".join(spec.labelers)
    reworded = f" and the rewording of run {spec.rewording}" if spec.rewording else ""
    print(f"Run {spec.comparison} ({', '.join(spec.models)}) with labels of {named}{reworded}.")
    if options.plan:
        return print_plan((), FirstLook())
    run_id, new = runs.start(spec)
    code = follow_started(run_id, new)
    if code or not hand_over.asks(options):
        return code
    return hand_over.hand_over(run_id, options)
