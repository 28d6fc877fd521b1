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
    scoring.add_argument("--model", default="ivan/minilm-harmless", metavar="M", help="The model to measure.")
    scoring.add_argument("--dataset", default="sample", metavar="D", help="The data to score.")
    scoring.add_argument("--limit", type=int, default=200, metavar="N", help="The first N pairs. Default: 200.")
    scoring.add_argument("--rounds", type=int, default=3, metavar="N", help="Rounds of each way. Default: 3.")
    scoring.add_argument("--json", action="store_true", help="Print one JSON object.")
    scoring.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.workspace.bench import bench_scoring

    if options.limit < 1 or options.rounds < 1:
        raise BadInput("--limit and --rounds are at least 1.")
    found = bench_scoring(
        options.model, DatasetRequest(source=options.dataset), options.limit, options.rounds
    )
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"{found['model']} on {found['device']} ({found['dtype']}), {found['pairs']} pairs of {found['dataset']}")
    print(f"one text at a time  {found['loop_seconds']:>9.2f} s {found['loop_pairs_per_second']:>9.1f} pairs/s")
    print(f"in batches          {found['batch_seconds']:>9.2f} s {found['batch_pairs_per_second']:>9.1f} pairs/s")
    print(f"ratio               {found['ratio']:>9.2f}   ({found['tokens_a_batch']} tokens a batch; 0: one text)")
    print(f"largest difference  {found['largest_difference']:>9.1e}")
    return 0
