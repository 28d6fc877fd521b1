"""`ivan taxonomy run-control-batch`: label with a second labeler, text by text."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ivan_core.cli.rows import add_rows, rows_from
from ivan_core.domain.label_specs import LabelSpec
from ivan_core.domain.specs import checked

COMMAND = "ivan taxonomy run-control-batch"


def add_action(actions: Any) -> None:
    about = {name: field.description for name, field in LabelSpec.model_fields.items()}
    parser = actions.add_parser(
        "run-control-batch",
        help="label with a second labeler: a model on Ollama, or rules",
        description="Label random rows with a second labeler: a model on Ollama, or the rules that "
        "ship with IVAN. Results are saved as CSV under data/taxonomy-control.",
    )
    parser.set_defaults(run=run)
    add_rows(parser, limit="A random draw of N rows, the same for the same seed.")
    parser.add_argument("--model", metavar="M", help=about["labeler"])
    parser.add_argument("--keys", metavar="KEYS", help=f"{about['keys']} Separated by commas.")
    parser.add_argument("--num-ctx", type=int, metavar="N", help=about["num_ctx"])
    parser.add_argument("--temperature", type=float, default=0.0, help=about["temperature"])
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
    fields = rows_from(options, preset.dataset, drawn=True)
    keys = [key.strip() for key in (options.keys or "").split(",") if key.strip()]
    return checked(
        LabelSpec,
        {
            **fields,
            "labeler": options.model or preset.second_labeler,
            "num_ctx": options.num_ctx,
            "temperature": options.temperature,
            **({"keys": tuple(keys)} if keys else {}),
        },
        COMMAND,
    )


def run(options: argparse.Namespace) -> int:
    """Start it, follow it, and print what came of it."""
    from ivan_core.cli.follow import follow
    from ivan_core.engine import handling as runs
    from ivan_core.experiments.labels import kind as labels

    spec = spec_from(options)
    if options.pull:
        labels.pull(spec.labeler, _progress)
    plan = labels.plan(spec)
    print(plan.sentence)
    run_id, new = runs.start(spec)
    print(f"Run {run_id}" + ("" if new else " is at this already; following it."), flush=True)
    return follow(run_id, sys.stdout)


def _progress(done: int, total: int, step: str) -> None:
    share = f" {100 * done / total:.0f}%" if total else ""
    print(f"{step}{share}", flush=True)
