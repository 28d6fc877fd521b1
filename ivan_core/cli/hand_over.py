"""`ivan analyse --export`: an analysis as files for other tools, and its report with texts."""

from __future__ import annotations

import argparse
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs
from ivan_core.interchange.formats import FORMATS

SETTLED = ("keep", "flip", "drop")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is handed over, and where."""
    group = parser.add_argument_group("files for others (RUN may be a finished analysis then)")
    group.add_argument(
        "--export",
        action="append",
        choices=tuple(FORMATS),
        default=[],
        help="Write the pairs, with their texts, as another tool reads them. May be repeated.",
    )
    group.add_argument(
        "--all",
        action="store_true",
        help="Every pair; without it at most 20,000, a random draw by the seed.",
    )
    group.add_argument(
        "--settled",
        choices=SETTLED,
        default="keep",
        help="What --export does with a preference against which people settled: keep it (the "
        "default), flip it, or drop it.",
    )
    group.add_argument(
        "--texts",
        action="store_true",
        help="Write the report with pairs that show the strongest effects, texts and all.",
    )
    group.add_argument(
        "--out",
        metavar="DIR",
        help="Where to write these, and the sentences and the report too. Default: here.",
    )


def asks(options: argparse.Namespace) -> bool:
    """Whether anything is to be handed over."""
    return bool(options.export or options.texts or options.out)


def finished_analysis(options: argparse.Namespace) -> str | None:
    """The finished analysis that was named, where something is to be handed over of it."""
    named = options.runs
    if not asks(options) or len(named) != 1 or not runs.of_kind("analysis", named):
        return None
    return str(named[0])


def hand_over(run_id: str, options: argparse.Namespace) -> int:
    """Write what was asked for of a finished analysis, and say what is in it."""
    from ivan_core.experiments.analysis.interchange.write import Asked, export
    from ivan_core.experiments.analysis.results import open_analysis
    from ivan_core.experiments.analysis.told import write_here

    folder, models = Path(options.out or "."), options.models or [""]
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another one.")
    found = open_analysis(run_id)
    for wanted in options.export:
        made = export(found, Asked(wanted, options.all, models[0], options.settled), folder)
        print(f"\n{made.path}\n  {made.sentence}")
    if options.texts or options.out:
        for path in write_here(found, folder, texts=options.texts):
            print(f"\n{path}")
    return 0
