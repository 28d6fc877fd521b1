"""`ivan report`: a finished run as one HTML file to send."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "report",
        help="write a finished run as one page to send",
        description="Write one HTML file with the sentences of a finished run, its charts, the "
        "table behind each, and how it was made. It opens anywhere and asks for nothing.",
    )
    parser.add_argument("id", metavar="RUN", help="the run's id, as in `ivan runs list`")
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="Where to write. Default: RUN.html here."
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.engine.archive import size
    from ivan_core.figures.files import save
    from ivan_core.report.page import report

    path = options.file or Path(f"{options.id}.html")
    content = report(options.id).encode("utf-8", "replace")
    save(path, content)
    print(f"{path} ({size(len(content))})")
    return 0
