"""`ivan taxonomy import-file` and `run-file`: result files of any engine, and any server."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from ivan_core.cli import options as made
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import DatasetRequest


def add_actions(actions: Any) -> None:
    parser = actions.add_parser(
        "import-file",
        help="enter result files of any engine as a finished run",
        description="Read result files of any engine that reads OpenAI batch files, check every "
        "label, and enter them as a finished run.",
    )
    parser.set_defaults(run=import_file)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="A result file.")
    made.SpecOptions(DatasetRequest).add(parser)
    parser.add_argument("--model", default="", metavar="M", help="Who labelled, if not named.")
    parser.add_argument(
        "--force", action="store_true", help="Leave lines about other texts aside, do not refuse."
    )
    parser = actions.add_parser(
        "run-file",
        help="answer a prepared request file at any OpenAI-compatible server",
        description="Send the requests of a file that create-batch wrote to any OpenAI-compatible "
        "server, one by one. Answers are kept line by line; the same command goes on after a stop, "
        "and asks again for what failed.",
    )
    parser.set_defaults(run=run_file)
    parser.add_argument("file", type=Path, metavar="FILE", help="A file of data/taxonomy-input.")
    parser.add_argument("--base-url", default="", metavar="URL", help="Where the API answers.")
    parser.add_argument(
        "--model", default="", metavar="M", help="The name under which the server has the model."
    )
    parser.add_argument(
        "--concurrency", type=int, default=4, metavar="N", help="Requests at a time. Default: 4."
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="Where the answers are kept.")
    parser.add_argument(
        "--input-usd", type=float, metavar="X", help="Price of a million input tokens."
    )
    parser.add_argument(
        "--output-usd", type=float, metavar="X", help="Price of a million output tokens."
    )
    parser.add_argument("--free", action="store_true", help="The server costs nothing.")
    parser.add_argument("--max-usd", type=float, metavar="X", help="Send nothing above this.")
    parser.add_argument("--yes", action="store_true", help="Confirm the cost without being asked.")


def import_file(options: argparse.Namespace) -> int:
    from ivan_core import catalog
    from ivan_core.experiments.batches.import_files import import_files
    from ivan_core.experiments.labels.report import print_labels
    from ivan_core.settings import preset_name

    dataset = made.dataset_from(options, catalog.preset(preset_name()).dataset)
    entered = import_files(options.files, dataset, options.force, options.model)
    print(f"Imported run {entered.run_id}: labels of {entered.model}.")
    print_labels(entered.run_id, sys.stdout)
    return 0


def run_file(options: argparse.Namespace) -> int:
    """Say what it would take, ask, answer what is left, and say how to import it."""
    from ivan_core.experiments.batches import answers as files

    plan = files.plan_file(
        options.file, options.base_url, options.model, options.out, _prices(options)
    )
    print(
        f"{plan.left:,} of {plan.requests:,} requests to {plan.host} for {plan.model}"
        + (" (a demo: its answers are made up)" if plan.demo else "")
    )
    if plan.dollars is not None:
        print(
            f"  {plan.input_tokens:,} input tokens; {usd(plan.dollars.typical)} typical, "
            f"{usd(plan.dollars.bound)} at the most ({plan.price_from})"
        )
    if plan.left and not _confirmed(options, plan.dollars is not None):
        print("Nothing was sent.")
        return 1
    if plan.left:
        answers = files.run_file(
            plan, options.base_url, options.concurrency, options.max_usd, _progress
        )
        failed = plan.requests - len(answers.answered)
        told = f"; {failed:,} without an answer, asked again next time" if failed else ""
        print(f"{len(answers.answered):,} of {plan.requests:,} answered{told}.")
    words = ["ivan", "taxonomy", "import-file", str(plan.out)]
    print(f"Answers: {plan.out}\nImport with: {shlex.join(words)} --dataset D")
    return 0


def _prices(options: argparse.Namespace) -> tuple[float, float] | None:
    if options.free:
        return (0.0, 0.0)
    if (options.input_usd is None) != (options.output_usd is None):
        raise BadInput("One of two prices is missing.", "Give --input-usd and --output-usd.")
    return None if options.input_usd is None else (options.input_usd, options.output_usd)


def _confirmed(options: argparse.Namespace, priced: bool) -> bool:
    """Whether somebody says yes to the cost; what has no price is refused later, by name."""
    if options.yes or options.free or not priced:
        return True
    if not sys.stdin.isatty():
        raise BadInput(
            "Nothing was sent: nobody is there to confirm the cost.",
            "Run it on a terminal, or add --yes.",
        )
    return input("Type yes to send: ").strip().lower() == "yes"


def _progress(answered: int) -> None:
    if answered % 100 == 0:
        print(f"{answered:,} answered", flush=True)
