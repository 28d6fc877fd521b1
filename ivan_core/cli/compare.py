"""`ivan compare`: judge pairs with reward models and print how far they side with the choice."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from ivan_core.domain.models import InputFormat, SystemTurns
from ivan_core.domain.specs import CompareSpec, DatasetRequest, build_spec, parse_row_ids

if TYPE_CHECKING:
    from ivan_core.engine.first_look import FirstLook


def add(commands: Any) -> None:
    """Add the command; the help texts are the spec's own."""
    about = {name: field.description for name, field in CompareSpec.model_fields.items()}
    data = {name: field.description for name, field in DatasetRequest.model_fields.items()}
    parser = commands.add_parser(
        "compare",
        help="judge pairs with reward models",
        description="Judge the pairs of a preference dataset with reward models. "
        "Results are saved as CSV under data/compare.",
    )
    parser.set_defaults(run=run)
    rows = parser.add_argument_group("rows (all by default)")
    rows.add_argument("--limit", type=int, metavar="N", help=about["limit"])
    rows.add_argument("--sample", type=int, metavar="N", help=about["sample"])
    rows.add_argument(
        "--row-ids", metavar="IDS", help=f'{about["row_ids"]} Example: "0, 17, 98434".'
    )
    parser.add_argument("--dataset", metavar="D", help=data["source"])
    parser.add_argument("--subset", default="", help=data["subset"])
    parser.add_argument("--split", default="train", help=f"{data['split']} Default: train.")
    parser.add_argument("--revision", default="", help=data["revision"])
    parser.add_argument(
        "--model", action="append", metavar="M", help=f"{about['models']} May be repeated."
    )
    parser.add_argument(
        "--preset",
        help="Dataset and models to start from: demo (default) or seal; also IVAN_PRESET.",
    )
    parser.add_argument("--seed", type=int, default=0, help=f"{about['seed']} Default: 0.")
    parser.add_argument(
        "--input-format", choices=get_args(InputFormat)[1:], help=about["input_format"]
    )
    parser.add_argument("--max-tokens", type=int, metavar="N", help=about["max_tokens"])
    parser.add_argument(
        "--system", choices=get_args(SystemTurns), default="keep", help=about["system"]
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="Say what it would take and refuse, by the first rows, and do nothing.",
    )


def spec_from(options: argparse.Namespace) -> CompareSpec:
    """The spec that the options ask for, the preset filling what they leave out.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core.experiments.compare.kind import preset_spec

    preset = preset_spec(options.preset)
    dataset = {
        "source": options.dataset or preset.dataset.source,
        "subset": options.subset,
        "split": options.split,
        "revision": options.revision,
    }
    return build_spec(
        {
            "dataset": dataset,
            "models": tuple(options.model or preset.models),
            "limit": options.limit,
            "sample": options.sample,
            "row_ids": parse_row_ids(options.row_ids),
            "seed": options.seed,
            "input_format": options.input_format,
            "max_tokens": options.max_tokens,
            "system": options.system,
        }
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


def run(options: argparse.Namespace) -> int:
    """Plan, start, follow, and print the result."""
    from ivan_core.cli.follow import follow
    from ivan_core.engine import handling as runs
    from ivan_core.engine.first_look import FirstLook, first_look
    from ivan_core.experiments.compare import kind as compare

    spec = spec_from(options)
    plan = compare.plan(spec)
    look = first_look(spec, spec.models, spec.max_tokens) if options.plan else FirstLook()
    names = ", ".join(spec.models)
    count = plan.pairs if plan.pairs is not None else look.pairs
    pairs = f"{count:,} pairs" if count is not None else "pairs not counted yet"
    took = plan.takes.words if plan.takes else "no time estimate"
    print(f"{spec.dataset.label}: {pairs}; {names}; {took} ({plan.estimate_from}).")
    if options.plan:
        return print_plan(plan.notes, look)
    run_id, new = runs.start(spec)
    print(f"Run {run_id}" + ("" if new else " is at this already; following it."), flush=True)
    return follow(run_id, sys.stdout)
