"""`ivan check`: the numbers of a paper or README against the runs they come from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput

_EPILOG = """a tag is a comment right behind its number; it is not seen when the text is read:
  45%<!-- ivan RUN agreement rate model=ivan/minilm-harmless subset=all -->
RUN, a chart, a column of its numbers (`ivan figure RUN CHART --format csv`), then conditions: a
column and its value, or a choice of the chart. A number is right if the run's, rounded to the
digits that are written, is the same. A share is a percentage before % or where the column is
named with one, as in [41<!-- ivan RUN agreement low% ... -->; after < the run's must be less."""

_HTML = (".html", ".htm", ".xhtml")
"""Endings of files in which no backtick makes code."""


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="are the numbers of a paper what its runs say?",
        description="Check every number of a Markdown or HTML file that names the run it comes "
        "from. Exit code 1 where one is not what its run says.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the text with tagged numbers")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.words import number_of
    from ivan_core.report.checked.numbers import checked

    markdown = options.file.suffix.lower() not in _HTML
    found = checked(_read(options.file), markdown=markdown)
    wrong = [one for one in found if one.wrong]
    for one in wrong:
        print(f"{options.file}:{one.tag.line}: {one.wrong}")
    if wrong:
        print(f"{len(wrong):,} of {number_of(len(found), 'number')} are not what their runs say.")
        return 1
    print(f"{number_of(len(found), 'number')} checked: all are what their runs say.")
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not text in UTF-8.", "Save it as UTF-8.") from error
