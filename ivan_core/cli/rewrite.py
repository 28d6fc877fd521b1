"""`ivan rewrite`: reword pairs slightly and print what moves although the meaning did not."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ivan_core.cli.compare import print_plan
from ivan_core.cli.rows import add_rows, rows_from
from ivan_core.domain.rewrite_specs import RewriteSpec
from ivan_core.domain.specs import checked

COMMAND = "ivan rewrite"


def add(commands: Any) -> None:
    """Add the command; the help texts are the spec's own."""
    about = {name: field.description for name, field in RewriteSpec.model_fields.items()}
    parser = commands.add_parser(
        "rewrite",
        help="reword pairs slightly and see what moves",
        description="Reword random pairs slightly and measure how far rewards, verdicts and labels "
        "move although the meaning did not. Results are saved as CSV under data/rewrite.",
    )
    parser.set_defaults(run=run)
    add_rows(parser, limit="A random draw of N rows, the same for the same seed.")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--rewriter", metavar="R", help=about["rewriter"])
    who.add_argument(
        "--ollama-model-id", metavar="M", dest="rewriter", help="The same for a model on Ollama."
    )
    parser.add_argument(
        "--model", action="append", metavar="M", help=f"{about['models']} May be repeated."
    )
    parser.add_argument("--similarity", metavar="S", help=about["similarity"])
    parser.add_argument("--labeler", metavar="L", default="", help=about["labeler"])
    parser.add_argument("--scope", choices=("shared", "whole"), help=about["scope"])
    parser.add_argument(
        "--no-second", action="store_true", help="Do not reword a second time, independently."
    )
    parser.add_argument("--again", action="store_true", help=about["ask_again"])
    parser.add_argument("--temperature", type=float, metavar="T", help=about["temperature"])
    parser.add_argument("--num-ctx", type=int, metavar="N", help=about["num_ctx"])
    parser.add_argument(
        "--pull", action="store_true", help="Download Ollama's model first if the server lacks it."
    )
    parser.add_argument(
        "--yes", action="store_true", help="Accept what a provider charges, as `--plan` tells it."
    )
    parser.add_argument(
        "--max-usd", type=float, metavar="X", help="Refuse to start what may cost more."
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="Say what it would take and refuse, by the first rows, and do nothing.",
    )


def spec_from(options: argparse.Namespace) -> RewriteSpec:
    """The spec that the options ask for, the preset filling what they leave out.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core.experiments.rewrite.kind import preset_spec

    preset = preset_spec(options.preset)
    given = {
        "scope": options.scope, "temperature": options.temperature, "num_ctx": options.num_ctx,
    }  # fmt: skip
    return checked(
        RewriteSpec,
        {
            **rows_from(options, preset.dataset.source, drawn=True),
            "rewriter": options.rewriter or preset.rewriter,
            "models": tuple(options.model or preset.models),
            "similarity": options.similarity or preset.similarity,
            "labeler": options.labeler,
            "second": not options.no_second,
            "ask_again": options.again,
            **{name: value for name, value in given.items() if value is not None},
        },
        COMMAND,
    )


def run(options: argparse.Namespace) -> int:
    """Plan, start, follow, and print what came of it."""
    from ivan_core.cli.follow import follow
    from ivan_core.engine.first_look import first_look
    from ivan_core.experiments.labels import kind as labels
    from ivan_core.experiments.rewrite import kind as rewrite

    spec = spec_from(options)
    plan = rewrite.plan(spec)
    print(f"{spec.dataset.label}: {plan.sentence}")
    if options.plan:
        look = first_look(spec, spec.models)
        look.refusals += rewrite.servers_refuse(spec)
        return print_plan(plan.notes, look)
    if options.pull and plan.served_by_ollama:
        labels.pull(spec.rewriter, _progress)
    run_id, new = rewrite.start(
        spec, accept_cost=options.yes or _accepted(plan.paid), max_usd=options.max_usd
    )
    print(f"Run {run_id}" + ("" if new else " is at this already; following it."), flush=True)
    return follow(run_id, sys.stdout)


def _accepted(paid: bool) -> bool:
    """Ask whether the cost is accepted, where there is one and somebody to ask."""
    if not paid or not sys.stdin.isatty():
        return False
    return input("Accept this cost? [y/N] ").strip().lower() == "y"


def _progress(done: int, total: int, step: str) -> None:
    share = f" {100 * done / total:.0f}%" if total else ""
    print(f"{step}{share}", flush=True)
