"""Printing the results of a comparison: agreement, baselines, length-balanced agreement."""

from __future__ import annotations

from typing import TextIO

from ivan_core.experiments.compare.results import files, open_results
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.sentences import (
    as_if,
    balanced_words,
    counts_sentence,
    headline,
    percent,
    share_of,
)
from ivan_core.metrics.summary import ModelSummary


def print_results(run_id: str, out: TextIO) -> None:
    """Print what a run found, and where its files are."""
    results = open_results(run_id)
    computed = results.run.computed
    if computed == 0:
        print("All rewards were known already: nothing was computed.", file=out)
    else:
        print(f"{computed:,} rewards were computed.", file=out)
    if results.dataset.about["note"]:
        print(results.dataset.about["note"], file=out)
    print(file=out)
    print(headline(results.summaries, results.dataset.chosen_by), file=out)
    for summary in results.summaries:
        print(f"\n{summary.model}", file=out)
        for name, value in _lines(summary):
            print(f"  {name:<30}{value}", file=out)
        print(f"  {counts_sentence(summary)}", file=out)
    print("\nFiles:", file=out)
    for path in files(results):
        print(f"  {path}", file=out)


def _lines(summary: ModelSummary) -> list[tuple[str, str]]:
    balanced, rule = summary.length_balanced, summary.baselines
    lines = [("agreement", _rate(summary.agreement))]
    if summary.seen is not None:
        lines.append(("  on pairs seen in training", _rate(summary.seen)))
        lines.append(("  on unseen pairs", _rate(summary.unseen)))
    if rule is not None:
        lines.append(("always the longer reply", percent(rule.longer.rate, rule.longer.n)))
        lines.append(("always the shorter reply", percent(rule.shorter.rate, rule.shorter.n)))
    if balanced.rate is not None:
        lines.append(("length-balanced agreement", balanced_words(balanced)))
        lines.append(("  where the longer was chosen", _rate(balanced.longer_chosen)))
        lines.append(("  where the shorter was", _rate(balanced.shorter_chosen)))
    return lines


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "no rated pairs"
    return f"{share_of(rate)}{as_if(rate)}"
