"""`ivan`: the entry point. Errors are shown here, and nowhere else, as a sentence and a hint."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ivan_core import __version__
from ivan_core.cli.follow import print_problem
from ivan_core.domain.errors import IvanError
from ivan_core.runs.storage import keep_private
from ivan_core.settings import data_dir

EXIT_PROBLEM = 1
EXIT_INTERRUPTED = 130
_EPILOG = """exit codes: 0 done, 1 a problem (said in a sentence), 2 wrong usage,
130 interrupted with Ctrl-C (a run that was interrupted goes on with `ivan runs resume ID`)"""


def parser() -> argparse.ArgumentParser:
    """The whole command line. Building it imports no model library and no pandas."""
    from ivan_core.cli import (
        app,
        bench,
        check,
        demo_server,
        export,
        figure,
        options,
        publish,
        report,
        review,
        runs,
        words,
    )
    from ivan_core.engine.kind import experiments

    top = argparse.ArgumentParser(
        prog="ivan",
        description="What does a preference dataset really teach a reward model?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"ivan {__version__}")
    commands = top.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND"
    )
    kinds = experiments()
    for name in sorted({kind.commands for kind in kinds if kind.commands}):
        import_module(name).add(commands)
    for kind in kinds:
        if not kind.commands:
            options.add_command(commands, kind)
    own = (
        app.add,
        review.add,
        runs.add,
        export.add,
        publish.add,
        figure.add,
        report.add,
        check.add,
    )
    for add in (*own, words.add, runs.add_cache, demo_server.add, bench.add):
        add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    keep_private(data_dir())
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except IvanError as error:
        print_problem(error.message, error.hint)
        return EXIT_PROBLEM
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`ivan runs list | head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
