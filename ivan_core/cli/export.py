"""`ivan export`: pairs of a run or a dataset as a file that another tool reads."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from ivan_core.cli import options as made
from ivan_core.domain.specs import DatasetRequest
from ivan_core.figures.choices import WHERE
from ivan_core.interchange.formats import FORMATS

_RUN = re.compile(r"\d{4}-\d\d-\d\d-\d\d-\d\d[-\d]*")


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
    parser.add_argument("--replace", action="store_true", help="Write over a file that is there.")
    made.SpecOptions(DatasetRequest).add(
        parser.add_argument_group("of a dataset"),
        *(name for name in DatasetRequest.model_fields if name != "source"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.engine.exports.contents import of_dataset, of_run
    from ivan_core.engine.exports.files import export

    wanted = FORMATS[options.format]
    if _RUN.fullmatch(options.source):
        content = of_run(options.source, options.where or "")
        begins = options.source
    elif options.where:
        raise BadInput("--where picks pairs of a run.", "Name a run, as in `ivan runs list`.")
    else:
        content = of_dataset(made.dataset_from(options, options.source))
        begins = Path(content.name).stem or "pairs"
    path = Path(options.file or f"{begins}-{wanted.name}{wanted.ending}")
    summary = export(content, wanted, path, replace=options.replace)
    print(path, *summary.sentences, sep="\n")
    return 0
