"""Options that say which rows of which dataset; every command that starts a run has them."""

from __future__ import annotations

import argparse
from typing import Any

from ivan_core.domain.specs import DatasetRequest, RowsSpec, parse_row_ids


def add_rows(parser: argparse.ArgumentParser, *, limit: str) -> None:
    """Add the options; `limit` says which N rows --limit takes."""
    about = {name: field.description for name, field in RowsSpec.model_fields.items()}
    data = {name: field.description for name, field in DatasetRequest.model_fields.items()}
    rows = parser.add_argument_group("rows (all by default)")
    rows.add_argument("--limit", type=int, metavar="N", help=limit)
    rows.add_argument(
        "--row-ids", "--set-row-ids", metavar="IDS", dest="row_ids",
        help=f'{about["row_ids"]} Example: "0, 17, 98434".',
    )  # fmt: skip
    parser.add_argument("--dataset", metavar="D", help=data["source"])
    parser.add_argument("--subset", default="", help=data["subset"])
    parser.add_argument("--split", default="train", help=f"{data['split']} Default: train.")
    parser.add_argument("--revision", default="", help=data["revision"])
    parser.add_argument("--seed", type=int, default=0, help=f"{about['seed']} Default: 0.")
    parser.add_argument(
        "--preset", help="What to start from: demo (default) or seal; also IVAN_PRESET."
    )


def rows_from(options: argparse.Namespace, source: str, *, drawn: bool) -> dict[str, Any]:
    """The fields of a spec that the options ask for; `source` is the dataset by default.

    `drawn` says that --limit is a random draw rather than the first rows.

    Raises:
        BadInput: an option makes no sense.
    """
    return {
        "dataset": {
            "source": options.dataset or source, "subset": options.subset,
            "split": options.split, "revision": options.revision,
        },
        "sample" if drawn else "limit": options.limit,
        "row_ids": parse_row_ids(options.row_ids),
        "seed": options.seed,
    }  # fmt: skip
