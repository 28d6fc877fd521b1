"""`ivan taxonomy run-control-batch`: label with a second labeler, text by text."""

from __future__ import annotations

import argparse
from typing import Any

from ivan_core.cli import options as made
from ivan_core.domain.specs import DatasetRequest, LabelSpec


def add_action(actions: Any) -> None:
    parser = actions.add_parser(
        "run-control-batch",
        help="label with a second labeler: a model on Ollama, or rules",
        description="Label random rows with a second labeler: a model on Ollama, or the rules that "
        "ship with IVAN. Results are saved as CSV under data/taxonomy-control.",
    )
    parser.set_defaults(run=run)
    fields = made.SpecOptions(LabelSpec)
    fields.add_rows(parser)
    fields.add(parser, "seed")
    made.add_preset(parser)
    fields.add(parser, "labeler", "keys", "num_ctx")
    fields.add(parser)
    parser.add_argument(
        "--pull", action="store_true", help="Download the model first if the server lacks it."
    )


def spec_from(options: argparse.Namespace) -> LabelSpec:
    """The spec that the options ask for.

    Raises:
        BadInput: an option makes no sense.
    """
    from ivan_core import catalog
    from ivan_core.settings import preset_name

    preset = catalog.preset(options.preset or preset_name())
    usual = LabelSpec(dataset=DatasetRequest(source=preset.dataset), labeler=preset.second_labeler)
    return made.spec_from(LabelSpec, options, usual)


def run(options: argparse.Namespace) -> int:
    """Start it, follow it, and print what came of it."""
    from ivan_core.cli.follow import follow_started, print_step
    from ivan_core.engine import handling as runs
    from ivan_core.experiments.labels import plan as labels

    spec = spec_from(options)
    if options.pull:
        labels.pull(spec.labeler, print_step)
    plan = labels.plan(spec)
    print(plan.sentence)
    run_id, new = runs.start(spec)
    return follow_started(run_id, new)
