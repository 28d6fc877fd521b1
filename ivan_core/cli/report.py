"""`ivan report`: a finished run or study as one HTML file to send."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "report",
        help="write a finished run or study as one page to send",
        description="Write one HTML file with the sentences of a finished run, its charts, the "
        "table behind each, and how it was made; or the same of each experiment of a study. It "
        "opens anywhere and asks for nothing.",
    )
    parser.add_argument(
        "id",
        metavar="RUN",
        help="the run's id, as in `ivan runs list`; or reviews-FINGERPRINT, words-KEY or study-ID",
    )
    parser.add_argument(
        "more", metavar="FILE", nargs="*", help="Where to write. Default: RUN.html here."
    )
    parser.add_argument(
        "--study", action="store_true", help="Tell the whole study that the run belongs to."
    )
    parser.add_argument("--texts", action="store_true", help="Put a few pairs to read in it too.")
    parser.add_argument(
        "--bundle",
        metavar="FOLDER",
        type=Path,
        help="Write reports of all that are named, and a page that leads to them.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.engine.archive import size
    from ivan_core.figures.files import save
    from ivan_core.report.bundle import write_bundle
    from ivan_core.report.page import report
    from ivan_core.report.study import study_named

    of = study_named if options.study else str
    if options.bundle is not None:
        every = [of(one) for one in (options.id, *options.more)]
        for path in write_bundle(options.bundle, every, texts=options.texts):
            print(f"{path} ({size(path.stat().st_size)})")
        return 0
    if len(options.more) > 1:
        raise BadInput("A report is of one run or study.", "Add --bundle FOLDER for several runs.")
    named = of(options.id)
    path = Path(*options.more or [f"{named}.html"])
    content = report(named, texts=options.texts).encode("utf-8", "replace")
    save(path, content)
    print(f"{path} ({size(len(content))})")
    return 0
