"""What commands that start a run share: saying its plan, following it, telling what went wrong.

It is followed with a bar on a terminal, with plain lines otherwise; then come its results.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import kind_of, known

if TYPE_CHECKING:
    from ivan_core.engine.plan import FirstLook

_POLL_SECONDS = 0.25
_LINE_SECONDS = 5.0
_TURNS = ("Scoring", "Rewording", "Measuring", "Labelling")


def follow(run_id: str, out: TextIO) -> int:
    """Show a run until it ends; returns the exit code. Ctrl-C leaves a resumable run.

    Batches that nobody follows any more are followed again from here on.
    """
    _follow_batches(run_id)
    show = _bar if out.isatty() else _lines
    try:
        run = show(run_id, out)
    except KeyboardInterrupt:
        return _stop(run_id)
    for note in run.notes:
        print(note, file=out)
    if run.state is RunState.DONE:
        kind = kind_of(run)
        if kind.report is not None:
            kind.report(run_id, out)
        elif kind.figures is not None:
            from ivan_core.engine.figures import quotes

            for quote in quotes(run_id):
                print(quote.sentence, file=out)
        return 0
    if run.state is RunState.AWAITING_CONFIRMATION:
        print(run.problem or f"Run {run_id} waits for a confirmation.", file=out)
        return 0
    if run.state is RunState.CANCELLED:
        print(f"Run {run_id} was cancelled; `ivan runs resume {run_id}` goes on.", file=sys.stderr)
        return 130
    print_problem(run.problem or f"Run {run_id} was interrupted.", run.hint)
    if run.done or run.state is RunState.INTERRUPTED:
        where = f" from {run.done:,} of {run.total:,}" if run.done else ""
        print(f"      `ivan runs resume {run_id}` goes on{where}.", file=sys.stderr)
    return 1


def follow_started(run_id: str, new: bool) -> int:
    """Say which run does what was asked for, and show it; `new` means that it begins now."""
    print(f"Run {run_id}" + ("" if new else " is at this already; following it."), flush=True)
    return follow(run_id, sys.stdout)


def print_problem(message: str, hint: str = "") -> None:
    """Say on the error stream what went wrong, and what to do where that is known."""
    print(f"ivan: {message}", file=sys.stderr)
    if hint:
        print(f"      {hint}", file=sys.stderr)


def print_step(done: int, total: int, step: str) -> None:
    """A step of a download, and how far it is where that is known."""
    share = f" {100 * done / total:.0f}%" if total else ""
    print(f"{step}{share}", flush=True)


def _follow_batches(run_id: str) -> None:
    run = runs.get(run_id)
    sending = known(run).sending
    if sending is not None and run.state not in (RunState.CANCELLED, RunState.FAILED):
        sending.follow(run_id)


def _bar(run_id: str, out: TextIO) -> Run:
    from tqdm import tqdm

    with tqdm(file=out, unit="row", leave=False, dynamic_ncols=True) as bar:
        while True:
            run = runs.get(run_id)
            bar.total = run.total or None
            bar.n = run.done
            bar.set_description(runs.silence(run) or run.doing or str(run.state), refresh=True)
            if not run.state.live:
                return run
            time.sleep(_POLL_SECONDS)


def _lines(run_id: str, out: TextIO) -> Run:
    said, when = "", 0.0
    while True:
        run = runs.get(run_id)
        now = time.monotonic()
        if (silent := runs.silence(run)) and now - when > _LINE_SECONDS:
            print(silent, file=out, flush=True)
            when = now
        elif run.doing and (run.doing != said or now - when > _LINE_SECONDS):
            # Steps that take turns are told of every few seconds, whichever is at work.
            turns = run.doing.startswith(_TURNS) and said.startswith(_TURNS)
            if not turns or now - when > _LINE_SECONDS:
                print(
                    f"{run.doing}: {run.done:,} of {run.total:,}" if run.total else run.doing,
                    file=out,
                    flush=True,
                )
                said, when = run.doing, now
        if not run.state.live:
            return run
        time.sleep(_POLL_SECONDS)


def wait_for_end(run_id: str) -> Run:
    """The run once it is at work no more, or as it is after five seconds."""
    deadline = time.monotonic() + 5
    while (run := runs.get(run_id)).state.live and time.monotonic() < deadline:
        time.sleep(0.1)
    return run


def _stop(run_id: str) -> int:
    """Cancel what Ctrl-C interrupts, and say how to go on; what is followed elsewhere goes on."""
    if known(runs.get(run_id)).sending is not None:
        print(f"\nRun {run_id} goes on; `ivan runs cancel {run_id}` stops it.", file=sys.stderr)
        return 130
    if runs.get(run_id).state.live:
        runs.cancel(run_id)
    run = wait_for_end(run_id)
    print(
        f"\nStopped at {run.done:,} of {run.total:,}. `ivan runs resume {run_id}` goes on.",
        file=sys.stderr,
    )
    return 130


def add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plan",
        action="store_true",
        help="Say what it would take and refuse, by the first rows, and do nothing.",
    )


def print_plan(notes: Sequence[str], look: FirstLook) -> int:
    """Print what a plan says beside its first line; the exit code is 1 if it would be refused."""
    shown = look.first.lines() if look.first is not None else ()
    for line in (*notes, *look.remarks, *look.told, *shown):
        print(line)
    for error in look.refusals:
        print_problem(f"It would be refused. {error.message}", error.hint)
    return 1 if look.refusals else 0
