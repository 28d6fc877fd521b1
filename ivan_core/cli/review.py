"""`ivan review …`: queues, as spreadsheets too, and all that people said as one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput, IvanError


def add(commands: Any) -> None:
    parser = commands.add_parser("review", help="queues and answers of people")
    parts = parser.add_subparsers(dest="review", required=True, metavar="PART")
    queues = parts.add_parser("queues", help="list the queues and how far they are")
    queues.set_defaults(run=list_queues)
    _add_sheets(parts)
    backup = parts.add_parser(
        "backup",
        help="write all reviews, notes and names to one file",
        description="Write all that people said to one file, which either kind of database can "
        "restore. It holds names and invitations: keep it as you keep the database.",
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="A new file, such as reviews.zip.")
    backup.set_defaults(run=run_backup)
    restore = parts.add_parser(
        "restore",
        help="put the reviews of a backup into an empty database",
        description="Put all that a backup holds into a database without reviews, SQLite or "
        "PostgreSQL. A database that holds any is refused: nothing is merged or overwritten.",
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="A file that backup wrote.")
    restore.set_defaults(run=run_restore)


def _add_sheets(parts: Any) -> None:
    """Add what `ivan review` can do with sheets."""
    export = parts.add_parser(
        "export",
        help="write a queue as a spreadsheet to be filled in",
        description="Write a queue as an Excel workbook with instructions and drop-downs, for "
        "people without the app. Each file shuffles the replies anew, and nothing in it tells how.",
    )
    export.add_argument("queue", type=int, metavar="QUEUE", help="Its number, as in `queues`.")
    export.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="A new file. Default: queue-QUEUE.xlsx."
    )
    export.add_argument(
        "--for",
        dest="reviewer",
        default="",
        metavar="NAME",
        help="Who fills it in: leaves out what they have done, and types their name into it.",
    )
    export.set_defaults(run=run_export)
    take_in = parts.add_parser(
        "import",
        help="take in the answers of sheets that came back",
        description="Take in the answers of filled-in sheets, by the name typed into each. A sheet "
        "with anything wrong in it changes nothing. Importing a sheet twice does no harm.",
    )
    take_in.add_argument("files", type=Path, nargs="+", metavar="FILE", help="Filled-in sheets.")
    take_in.add_argument(
        "--replace",
        action="store_true",
        help="Let the sheet win over answers that were saved after it was made.",
    )
    take_in.add_argument(
        "--good-rows",
        action="store_true",
        help="Take the rows that are right where others are not, and name the others.",
    )
    take_in.set_defaults(run=run_import)


def list_queues(options: argparse.Namespace) -> int:
    from ivan_core.review.rights import queue_lines

    lines = queue_lines()
    if not lines:
        print("No queues yet. Make one on the page Review.")
    for line in lines:
        print(line)
    return 0


def run_backup(options: argparse.Namespace) -> int:
    from ivan_core.review.rights import back_up

    print(back_up(options.file))
    return 0


def run_restore(options: argparse.Namespace) -> int:
    from ivan_core.review.rights import restore

    print(restore(options.file))
    return 0


def run_export(options: argparse.Namespace) -> int:
    from ivan_core.review.sheets.sheets import export_file

    path = options.file or Path(f"queue-{options.queue}.xlsx")
    print(export_file(options.queue, path, options.reviewer))
    return 0


def run_import(options: argparse.Namespace) -> int:
    from ivan_core.review.sheets.reading import SheetRefused
    from ivan_core.review.sheets.sheets import import_file

    refused: list[str] = []
    for path in options.files:
        try:
            report = import_file(path, replace=options.replace, partly=options.good_rows)
        except SheetRefused as error:
            refused.append(path.name)
            print(f"{path.name}: nothing was imported.", file=sys.stderr)
            for problem in error.problems:
                print(f"  {problem}", file=sys.stderr)
            if error.good:
                right = f"{error.good:,} of its rows {'is' if error.good == 1 else 'are'} right"
                print(f"  {right}: --good-rows takes them.", file=sys.stderr)
        except BadInput as error:
            refused.append(path.name)
            print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        else:
            print(path.name)
            for sentence in report.sentences:
                print(f"  {sentence}")
    if refused:
        count = len(options.files)
        raise IvanError(
            f"{len(refused)} of {count} sheet{'s were' if count > 1 else ' was'} not imported.",
            "Correct what is named above, and import them once more; the others do no harm.",
        )
    return 0
