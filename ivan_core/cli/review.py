"""`ivan review …`: the queues of reviews, and all that people said as one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ivan_core.cli import review_sheets


def add(commands: Any) -> None:
    parser = commands.add_parser("review", help="queues and answers of people")
    parts = parser.add_subparsers(dest="review", required=True, metavar="PART")
    queues = parts.add_parser("queues", help="list the queues and how far they are")
    queues.set_defaults(run=list_queues)
    review_sheets.add(parts)
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


def list_queues(options: argparse.Namespace) -> int:
    from ivan_core.review.rights import queue_lines

    lines = queue_lines()
    if not lines:
        print("No queues yet. Make one on the page Review.")
    for line in lines:
        print(line)
    return 0


def run_backup(options: argparse.Namespace) -> int:
    from ivan_core.review.backup import back_up

    print(back_up(options.file))
    return 0


def run_restore(options: argparse.Namespace) -> int:
    from ivan_core.review.backup import restore

    print(restore(options.file))
    return 0
