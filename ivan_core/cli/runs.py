"""`ivan runs`: list, show, follow, resume, cancel; what else there is stands in `archive.py`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from ivan_core.cli import archive


def add(commands: Any) -> None:
    parser = commands.add_parser("runs", help="list, show, name, move or delete runs")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all runs, newest first")
    listing.set_defaults(run=list_runs)
    for name, action, about in (
        ("show", show, "one run with its spec and, once finished, its manifest (JSON)"),
        ("sentences", sentences, "every number of a finished run as a sentence to copy"),
        ("follow", follow_run, "watch a run until it ends"),
        ("resume", resume, "go on with a stopped run"),
        ("cancel", cancel, "stop a run; what is finished is kept"),
    ):
        sub = actions.add_parser(name, help=about, description=about)
        sub.add_argument("id", help="the run's id, as in `ivan runs list`")
        sub.set_defaults(run=action)
    archive.add_actions(actions)


def list_runs(_: argparse.Namespace) -> int:
    from ivan_core.engine import handling as runs

    found = runs.experiments()
    if not found:
        print("No runs yet. Start one with `ivan compare`.")
    for run in found:
        done = f"{run.done:,}/{run.total:,}" if run.total else "-"
        what = f"{run.kind}: {runs.about(run)}"
        what += f" | {run.name}" if run.name else ""
        print(f"{run.id:<20} {run.state:<12} {done:>15}  {what}")
    return 0


def show(options: argparse.Namespace) -> int:
    from ivan_core.engine import handling as runs

    run = runs.get(options.id)
    content: dict[str, Any] = {
        "run": run.id,
        "name": run.name,
        "state": str(run.state),
        "done": run.done,
        "total": run.total,
        "doing": run.doing,
        "problem": run.problem,
        "hint": run.hint,
        "notes": list(run.notes),
        "spec": runs.any_spec_of(run).model_dump(mode="json"),
        "manifest": runs.manifest(run.id),
    }
    print(json.dumps(content, indent=1, ensure_ascii=False))
    return 0


def sentences(options: argparse.Namespace) -> int:
    from ivan_core.engine.figures import quotes, source_line

    print(source_line(options.id))
    asked = ""
    for quote in quotes(options.id):
        if quote.question != asked:
            print(f"\n{quote.question}")
        asked = quote.question
        print(f"  {quote.sentence}\n    {quote.command}")
    return 0


def follow_run(options: argparse.Namespace) -> int:
    from ivan_core.cli.follow import follow

    return follow(options.id, sys.stdout)


def resume(options: argparse.Namespace) -> int:
    from ivan_core.engine import handling as runs

    runs.resume(options.id)
    return follow_run(options)


def cancel(options: argparse.Namespace) -> int:
    from ivan_core.engine import handling as runs

    runs.stop(options.id)
    deadline = time.monotonic() + 5
    while (run := runs.get(options.id)).state.live and time.monotonic() < deadline:
        time.sleep(0.1)
    if run.state.live:
        print(f"Run {run.id} is being cancelled; `ivan runs follow {run.id}` shows how far it is.")
    else:
        print(f"Run {run.id} is {run.state} at {run.done:,} of {run.total:,}.")
    return 0
