"""Asking before money is spent, and saying what came of it, on the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from ivan_core.cli.follow import print_problem
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import estimate_lines, usd
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.confirm import Confirmed, confirm as say_yes, examples
from ivan_core.settings import data_dir

_POLL_SECONDS = 0.25
_UNSENT = ("planned", "uploading", "uploaded", "creating")
_QUIET = ("Waiting for", "Sending part")
_TWICE = "Some of these requests may be at the provider already: they may be charged twice."


def wait_until_idle(run_id: str) -> Run:
    """Print what a worker does until it has ended or waits for somebody."""
    said = ""
    while True:
        run = runs.get(run_id)
        if run.doing and run.doing != said:
            print(run.doing, flush=True)
            said = run.doing
        if not run.state.live:
            return run
        time.sleep(_POLL_SECONDS)


def wait_for_estimate(run_id: str) -> bool:
    """Wait until a run has an estimate to say yes to, and print it; False where it has none."""
    print(f"Run {run_id}", flush=True)
    run = wait_until_idle(run_id)
    shown = taxonomy.estimate(run_id)
    if shown is not None:
        for name, value in estimate_lines(shown):
            print(f"  {name:<20}{value}")
        for note in run.notes[:1]:
            print(f"  {'rows':<20}{note}")
        if shown.files:
            path = data_dir() / shown.files[0].path
            print(f"  {'requests written to':<20}{path}")
    if run.state is RunState.DONE:
        return False
    if run.state is RunState.AWAITING_CONFIRMATION and not run.problem:
        return True
    doubt = shown is not None and shown.may_charge_twice and shown.dollars is not None
    hint = "The same command begins anew." if run.state is RunState.INTERRUPTED else run.hint
    print_problem(run.problem or f"Run {run_id} is {run.state}.", hint)
    return doubt and run.state is RunState.AWAITING_CONFIRMATION


def print_free(run_id: str) -> int:
    """Print what came of a run without anything to pay; 1 where it waits or stopped instead."""
    return print_outcome(run_id, ()) if runs.get(run_id).state is RunState.DONE else 1


def print_examples(run_id: str) -> None:
    for example in examples(run_id):
        print(f"\n{example.key.custom_id}\n{example.body}")


def confirm(run_id: str, by: str, yes: bool, again: bool) -> Confirmed | None:
    """Ask for a yes unless it was given already; None if it was refused.

    Raises:
        BadInput: nobody can be asked.
    """
    shown = taxonomy.estimate(run_id)
    if shown is None:
        raise BadInput(f"Run {run_id} has no estimate.")
    if not yes and not said_yes(_TWICE if shown.may_charge_twice else ""):
        print("Nothing was sent. The same command asks again.")
        return None
    # A yes on the command line is not one to paying twice: that is asked for by name.
    twice = again or (shown.may_charge_twice and not yes)
    return say_yes(run_id, shown.plan_hash, by, twice)


def said_yes(doubt: str = "") -> bool:
    """Whether somebody on the terminal types yes, with a doubt about the cost told first.

    Raises:
        BadInput: nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise BadInput(
            "Nothing was sent: nobody is there to confirm the cost.",
            "Run it on a terminal, or add --yes.",
        )
    if doubt:
        print(doubt)
    return input("Type yes to send: ").strip().lower() == "yes"


def print_batches(run_id: str) -> int:
    """Wait until what can be sent is sent, and print the ids of the batches."""
    said = ""
    while (run := runs.get(run_id)).state.live and _sending(run_id):
        if run.doing and run.doing != said and not run.doing.startswith(_QUIET):
            print(run.doing, flush=True)
            said = run.doing
        time.sleep(_POLL_SECONDS)
    run, parts = runs.get(run_id), taxonomy.parts(run_id)
    ids = [part["batch"] for part in parts if part["batch"]]
    waiting = sum(part["state"] in _UNSENT for part in parts)
    if ids:
        print(f"Batches: {', '.join(ids)}")
    if waiting and run.state.live:
        print(f"{waiting} of {len(parts)} files wait for room in the queue.")
    if run.problem:
        print_problem(run.problem, run.hint)
        return 1
    if run.state is RunState.INTERRUPTED and waiting:
        print_problem(
            f"The worker of run {run_id} is gone; files not sent: {waiting}.",
            "The same command goes on, and sends nothing twice.",
        )
        return 1
    if ids:
        listed = ",".join(ids)
        print(f'Collect with: ivan taxonomy process-batch --batch-ids "{listed}"')
    print(f"Watch with:   ivan runs follow {run_id}")
    return 0


def _sending(run_id: str) -> bool:
    """Whether parts are on their way to the provider, or nobody knows yet whether they are."""
    parts = taxonomy.parts(run_id)
    unsent = any(part["state"] in (*_UNSENT, "in doubt") for part in parts)
    return unsent and "room in the queue" not in runs.get(run_id).doing


def is_writing(run_id: str) -> bool:
    """Whether all batches of a run have ended and its worker is about to write the results."""
    ended = ("terminal", "downloaded", "validated", "abandoned")
    return all(part["state"] in ended for part in taxonomy.parts(run_id))


def print_given_up(run_id: str) -> None:
    """Say what closing parts as they are gives up, and what that costs."""
    for one in taxonomy.undelivered(run_id):
        cost = "" if one.usd is None else f", about {usd(one.usd)} if they are asked for again"
        lost = f"{one.lacking:,} answers{cost}" if one.lacking else "the file that did not come"
        print(f"Part {one.key.part} is closed without {lost}.")


def print_outcome(run_id: str, still: Sequence[str]) -> int:
    """Print how far each batch is, the reconciliation, the cost and the files."""
    run, summary = runs.get(run_id), taxonomy.counts(run_id)
    for part in taxonomy.parts(run_id):
        done = f"{part.get('completed', 0):,} of {part.get('total', 0):,}"
        told = part.get("status") or part["state"]
        print(f"Part {part['part']}: {part['batch'] or 'no batch'} {told}, {done} done")
    if summary is not None:
        print(summary["sentence"])
        for note in summary["notes"]:
            print(note)
        print("\nFiles:")
        for name in summary["files"]:
            print(f"  {data_dir() / name}")
        _print_cost(run_id)
    if still:
        verb = "has" if len(still) == 1 else "have"
        print(f"{', '.join(still)} {verb} not ended: the same command collects it later.")
        return 0
    if run.problem:
        print_problem(run.problem, run.hint)
        if taxonomy.undelivered(run_id):
            print("      The same command looks again; --close-as-is gives up.", file=sys.stderr)
        return 1
    return 0


def _print_cost(run_id: str) -> None:
    spent = taxonomy.spent(run_id)
    known = spent.confirmed_usd is not None
    estimated = f"; confirmed were {usd(spent.confirmed_usd or 0)} at the most" if known else ""
    unknown = (
        f", and that of {spent.parts_open} batches is not known yet" if spent.parts_open else ""
    )
    print(f"\nCost: {usd(spent.usd)}{unknown}{estimated}.")
