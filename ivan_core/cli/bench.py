"""`ivan bench scoring`: batches against one text at a time, on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add(commands: Any) -> None:
    parser = commands.add_parser("bench", help="measure this machine")
    benches = parser.add_subparsers(dest="bench", required=True, metavar="BENCH")
    scoring = benches.add_parser(
        "scoring",
        help="scoring in batches against one text at a time",
        description="Score the same texts in batches and one at a time, in alternating rounds, "
        "without a cache; prints medians.",
    )
    scoring.add_argument(
        "--model", default="ivan/minilm-harmless", metavar="M", help="The model to measure."
    )
    scoring.add_argument("--dataset", default="sample", metavar="D", help="The data to score.")
    scoring.add_argument(
        "--limit", type=int, default=200, metavar="N", help="The first N pairs. Default: 200."
    )
    scoring.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="Rounds of each way. Default: 3."
    )
    scoring.add_argument("--json", action="store_true", help="Print one JSON object.")
    scoring.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.engine.machine import bench_scoring
    from ivan_core.settings import share_the_machine

    share_the_machine()
    if options.limit < 1 or options.rounds < 1:
        raise BadInput("--limit and --rounds are at least 1.")
    found = bench_scoring(
        options.model, DatasetRequest(source=options.dataset), options.limit, options.rounds
    )
    if options.json:
        print(json.dumps(found))
        return 0
    where = f"{found['device']} ({found['dtype']})"
    print(f"{found['model']} on {where}, {found['pairs']} pairs of {found['dataset']}")
    for name, way in (("one text at a time", "loop"), ("in batches", "batch")):
        seconds, speed = found[f"{way}_seconds"], found[f"{way}_pairs_per_second"]
        print(f"{name:<18} {seconds:>9.2f} s {speed:>9.1f} pairs/s")
    budget = found["tokens_a_batch"] or "one text"
    print(f"{'ratio':<18} {found['ratio']:>9.2f}   ({budget} tokens a batch)")
    print(f"{'largest difference':<18} {found['largest_difference']:>9.1e}")
    return 0
