"""`ivan compare`: judge pairs with reward models and print how far they side with the choice."""

from __future__ import annotations

import argparse
from typing import Any

from ivan_core.cli import options as made
from ivan_core.cli.follow import add_plan, follow_started, print_plan
from ivan_core.domain.engine_choice import LOCAL
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import handling as runs


def add(commands: Any) -> None:
    """Add the command; the help texts are the spec's own."""
    parser = commands.add_parser(
        "compare",
        help="judge pairs with reward models",
        description="Judge the pairs of a preference dataset with reward models. "
        "Results are saved as CSV under data/compare.",
    )
    parser.set_defaults(run=run)
    fields = made.SpecOptions(CompareSpec)
    fields.add_rows(parser)
    fields.add(parser, "models")
    made.add_preset(parser, "Dataset and models to start from")
    fields.add(parser)
    made.add_engine(parser)
    add_plan(parser)


def spec_from(options: argparse.Namespace) -> CompareSpec:
    """The spec that the options ask for, the preset filling what they leave out.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core.experiments.compare.plan import preset_spec

    return made.spec_from(CompareSpec, options, preset_spec(options.preset))


def run(options: argparse.Namespace) -> int:
    """Plan, start, follow, and print the result."""
    from ivan_core.engine.plan import FirstLook, ModelsAsked, first_look
    from ivan_core.experiments.compare import plan as compare
    from ivan_core.models import reward_models

    spec, choice = spec_from(options), made.engine_from(options) or LOCAL
    plan = compare.plan(spec)
    look = FirstLook()
    if options.plan:
        look = first_look(spec, ModelsAsked(spec.models, spec.max_tokens, spec.quantization))
    names = ", ".join(spec.models)
    count = plan.pairs if plan.pairs is not None else look.pairs
    pairs = f"{count:,} pairs" if count is not None else "pairs not counted yet"
    took = plan.takes.words if plan.takes else "no time estimate"
    print(f"{spec.dataset.label}: {pairs}; {names}; {took} ({plan.estimate_from}).")
    for remark in reward_models.remarks(() if options.plan else spec.models):
        print(remark)
    if options.plan:
        return print_plan(plan.notes, look)
    run_id, new = runs.start(spec, choice)
    return follow_started(run_id, new)
