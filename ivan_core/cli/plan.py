"""`--plan`: say what a run would take and refuse, and do nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivan_core.engine.plan import FirstLook


def add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plan",
        action="store_true",
        help="Say what it would take and refuse, by the first rows, and do nothing.",
    )


def print_plan(notes: Sequence[str], look: FirstLook) -> int:
    """Print what a plan says beside its first line; the exit code is 1 if it would be refused."""
    for line in (*notes, *look.remarks):
        print(line)
    for error in look.refusals:
        print(f"ivan: It would be refused. {error.message}", file=sys.stderr)
        if error.hint:
            print(f"      {error.hint}", file=sys.stderr)
    return 1 if look.refusals else 0
