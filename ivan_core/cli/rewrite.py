"""`ivan rewrite`: reword pairs slightly and print what moves although the meaning did not."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ivan_core.cli import options as made
from ivan_core.cli.follow import add_plan, follow_started, print_plan, print_step
from ivan_core.domain.specs import RewriteSpec


def add(commands: Any) -> None:
    """Add the command; the help texts are the spec's own."""
    parser = commands.add_parser(
        "rewrite",
        help="reword pairs slightly and see what moves",
        description="Reword random pairs slightly and measure how far rewards, verdicts and labels "
        "move although the meaning did not. Results are saved as CSV under data/rewrite.",
    )
    parser.set_defaults(run=run)
    fields = made.SpecOptions(RewriteSpec)
    fields.add_rows(parser)
    fields.add(parser, "seed")
    made.add_preset(parser)
    who = parser.add_mutually_exclusive_group()
    fields.add(who, "rewriter")
    who.add_argument(
        "--ollama-model-id", metavar="M", dest="rewriter", help="The same for a model on Ollama."
    )
    fields.add(parser, "models", "similarity", "labeler")
    fields.add(parser)
    parser.add_argument(
        "--pull", action="store_true", help="Download Ollama's model first if the server lacks it."
    )
    parser.add_argument(
        "--yes", action="store_true", help="Accept what a provider charges, as `--plan` tells it."
    )
    parser.add_argument(
        "--max-usd", type=float, metavar="X", help="Refuse to start what may cost more."
    )
    add_plan(parser)


def spec_from(options: argparse.Namespace) -> RewriteSpec:
    """The spec that the options ask for, the preset filling what they leave out.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core.experiments.rewrite.plan import preset_spec

    return made.spec_from(RewriteSpec, options, preset_spec(options.preset))


def run(options: argparse.Namespace) -> int:
    """Plan, start, follow, and print what came of it."""
    from ivan_core.engine import machine
    from ivan_core.engine.plan import ModelsAsked, first_look
    from ivan_core.experiments.rewrite import plan as rewrite

    spec = spec_from(options)
    plan = rewrite.plan(spec)
    print(f"{spec.dataset.label}: {plan.sentence}")
    if options.plan:
        look = first_look(spec, ModelsAsked(spec.models))
        look.refusals += rewrite.servers_refuse(spec)
        return print_plan(plan.notes, look)
    if options.pull and plan.served_by_ollama:
        machine.pull(spec.rewriter, print_step)
    run_id, new = rewrite.start(
        spec, accept_cost=options.yes or _accepted(plan.paid), max_usd=options.max_usd
    )
    return follow_started(run_id, new)


def _accepted(paid: bool) -> bool:
    """Ask whether the cost is accepted, where there is one and somebody to ask."""
    if not paid or not sys.stdin.isatty():
        return False
    return input("Accept this cost? [y/N] ").strip().lower() == "y"
