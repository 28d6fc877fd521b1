"""`ivan export`: pairs of a run or a dataset as a file that another tool reads."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ivan_core.cli import options as made
from ivan_core.cli.hand_over import SETTLED
from ivan_core.domain.specs import DatasetRequest
from ivan_core.figures.choices import WHERE
from ivan_core.interchange.formats import FORMATS

IS_RUN = re.compile(r"\d{4}-\d\d-\d\d-\d\d-\d\d[-\d]*")
"""How the ids of runs look; what looks otherwise names a dataset."""


def add(commands: Any) -> None:
    about = "write the pairs of a run or a dataset as another tool reads them"
    named = "\n".join(f"  {one.name:<18}{one.title}" for one in FORMATS.values())
    parser = commands.add_parser(
        "export",
        help=about,
        description=f"{about.capitalize()}. What a format has no place for is left out and "
        "counted; nothing is cut.",
        epilog=f"formats:\n{named}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="RUN|DATASET", help="a run's id, or a dataset as other commands name it"
    )
    parser.add_argument("format", metavar="FORMAT", choices=tuple(FORMATS), help="as listed below")
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="where to write; by default a name of its own here"
    )
    parser.add_argument("--where", metavar=WHERE.metavar, help=WHERE.help)
    parser.add_argument(
        "--settled",
        choices=SETTLED,
        help="What becomes of a preference against which people settled in Review: keep, flip or "
        "drop it; how it stands is beside each pair then.",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="Draws which reply is a. Default: 0."
    )
    parser.add_argument("--replace", action="store_true", help="Write over a file that is there.")
    made.SpecOptions(DatasetRequest).add(
        parser.add_argument_group("of a dataset"),
        *(name for name in DatasetRequest.model_fields if name != "source"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.engine.exports import contents, settled
    from ivan_core.engine.exports.files import export

    wanted = FORMATS[options.format]
    if IS_RUN.fullmatch(options.source):
        results = contents.opened(options.source)
        dataset = results.dataset
        rows = contents.picked(results, options.where or "")
        content, begins = contents.of_run(results, rows, options.seed), options.source
    elif options.where:
        raise BadInput("--where picks pairs of a run.", "Name a run, as in `ivan runs list`.")
    else:
        dataset = contents.prepared(made.dataset_from(options, options.source))
        content = contents.of_dataset(dataset, options.seed)
        begins = Path(content.name).stem or "pairs"
    if options.settled:
        content = settled.as_settled(content, dataset, options.settled)
    path = Path(options.file or f"{begins}-{wanted.name}{wanted.ending}")
    summary = export(content, wanted, path, replace=options.replace)
    print(path, *summary.sentences, sep="\n")
    if wanted.beside:
        print("", wanted.beside, sep="\n")
    return 0
