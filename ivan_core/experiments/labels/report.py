"""Printing what a labelling found: every text accounted for, then how often each label is given."""

from __future__ import annotations

from typing import TextIO

from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.labels.schema import features
from ivan_core.metrics.sentences import as_if, share_of
from ivan_core.models.names import rules_note
from ivan_core.settings import data_dir


def print_labels(run_id: str, out: TextIO) -> None:
    """Print the reconciliation line, the share of each yes/no label by side, and the files."""
    results = open_labels(run_id)
    print(results.manifest.get("reconciliation") or f"{results.line}.", file=out)
    for note in (results.dataset.about["note"], rules_note(results.labeler)):
        if note:
            print(note, file=out)
    print(f"\nHow often {results.labeler} says yes (95% interval):", file=out)
    sides = ("chosen", "rejected")
    shown = [("", *sides)]
    for feature in features(results.keys):
        if feature.kind == "boolean":
            chosen, rejected = (_rate(results, feature.key, side) for side in sides)
            shown.append((feature.title, chosen, rejected))
    width = max(26, 2 + max(len(chosen) for _, chosen, _ in shown))
    for title, chosen, rejected in shown:
        print(f"  {title:<28}{chosen:<{width}}{rejected}", file=out)
    print("\nFiles:", file=out)
    for name in results.manifest["files"]:
        print(f"  {data_dir() / name}", file=out)


def _rate(results: LabelResults, key: str, side: str) -> str:
    from ivan_core.metrics.intervals import rate_in

    own = results.table[results.table["preference"].eq(side) & results.table[key].notna()]
    rate = rate_in(own, own[key].to_numpy(bool))
    if rate is None:
        return "none"
    return f"{share_of(rate)}{as_if(rate)}"
