"""`ivan bench scoring`: each way a model can score against one text at a time, on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

_ABOUT = (
    "Score the same texts one at a time, in batches and, where the model can, with prompts read "
    "once, in alternating rounds, without a cache; prints medians."
)
_COLUMNS = ("way", "pairs/s", "ratio", "difference", "verdicts changed")
_LIMITS = ("tokens/s", "of products", "memory")


def add(commands: Any) -> None:
    parser = commands.add_parser("bench", help="measure this machine")
    benches = parser.add_subparsers(dest="bench", required=True, metavar="BENCH")
    scoring = benches.add_parser(
        "scoring", help="each way of scoring against one text at a time", description=_ABOUT
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
    scoring.add_argument(
        "--limits",
        action="store_true",
        help="Also batches in the data's order, tokens a second, memory, and how much of the time "
        "the model's matrix products alone would take.",
    )
    scoring.add_argument("--json", action="store_true", help="Print one JSON object.")
    scoring.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ivan_core.domain.errors import BadInput
    from ivan_core.domain.specs import DatasetRequest
    from ivan_core.models.bench import bench_scoring
    from ivan_core.settings import share_the_machine

    share_the_machine()
    if options.limit < 1 or options.rounds < 1:
        raise BadInput("--limit and --rounds are at least 1.")
    request = DatasetRequest(source=options.dataset)
    found = bench_scoring(
        options.model, request, options.limit, options.rounds, limits=options.limits
    )
    if options.json:
        print(json.dumps(found))
        return 0
    print(
        f"{found['model']} on {found['device']} ({found['dtype']}), "
        f"{found['pairs']} pairs of {found['dataset']}, "
        f"median of {found['rounds']} rounds, machine load {found['machine_load']}"
    )
    columns = (*_COLUMNS, *_LIMITS) if options.limits else _COLUMNS
    rows = [columns, *(_row(way)[: len(columns)] for way in found["ways"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join(cells))
    if found["products_seconds"]:
        speed = found["pairs"] / found["products_seconds"]
        print(f"The matrix products of all texts alone: {speed:.1f} pairs/s.")
    return 0


def _row(way: dict[str, Any]) -> tuple[str, ...]:
    """A way's cells, in the order of the columns."""
    tokens, products = way["tokens_per_second"], way["share_of_products"]
    size = f" ({way['tokens_a_batch']:,} tokens a batch)" if way["tokens_a_batch"] else ""
    return (
        f"{way['way']}{size}",
        f"{way['pairs_per_second']:.1f}",
        f"{way['ratio']:.2f}",
        f"{way['largest_difference']:.1e}",
        f"{way['verdicts_changed']} of {way['verdicts']}",
        "–" if tokens is None else f"{tokens:,.0f}",
        "–" if products is None else f"{products:.0%}",
        f"{way['peak_memory'] / 2**30:.2f} GiB",
    )
