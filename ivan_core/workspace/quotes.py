"""Every number of a comparison as a sentence to copy, with the command that gives it again."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ivan_core.domain.runs import RunState
from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    difference_sentence,
    discordance_sentence,
    mcnemar_sentence,
    needed_sentence,
    reliability_sentence,
    seen_sentence,
    temperature_sentence,
)
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.paired import paired_difference, shared_rows
from ivan_core.metrics.paired_shares import pairs_needed
from ivan_core.metrics.reliability import reliability, risk_coverage
from ivan_core.metrics.sentences import length_sentence, rate_sentence, the
from ivan_core.metrics.summary import ModelSummary
from ivan_core.workspace.commands import compare_command, figure_command
from ivan_core.workspace.results import Results
from ivan_core.workspace.take_away import Quote

MOST_SUBSETS = 12
_SEED = 0


def source_line(results: Results) -> str:
    """What every sentence of the run rests on: rows, run, and the command that makes it anew."""
    about, run = results.dataset.about, results.run
    note = f" {about['note']}" if about["note"] else ""
    stopped = "" if run.state is RunState.DONE else f", stopped at {run.done:,} of {run.total:,}"
    return (
        f"{about['label']}, {len(results.row_ids):,} of {int(about['rows']):,} pairs, run"
        f" {run.id}{stopped}: {compare_command(results.spec)}.{note}"
    )


def quotes(results: Results) -> list[Quote]:
    """All sentences of a comparison, by question in the order of its page."""
    found: list[Quote] = []
    for summary in results.summaries:
        found += _of_model(results, summary)
    found += _by_subset(results)
    for first, second in combinations(results.models, 2):
        found += _of_two(results, first, second)
    found += _sureness(results)
    order = list(dict.fromkeys(quote.question for quote in found))
    return sorted(found, key=lambda quote: order.index(quote.question))


def _of_model(results: Results, summary: ModelSummary) -> list[Quote]:
    model, choice = summary.model, the(results.dataset.chosen_by)
    csv = figure_command(results.run.id, "agreement", "csv")
    question = "How often does it side with the choice?"
    told = [rate_sentence(summary.agreement, f"{model} sides with {choice}")]
    if summary.seen is not None or summary.unseen is not None:
        told.append(seen_sentence(summary.seen, summary.unseen, model))
    told.append(rate_sentence(summary.misaligned, f"{model} ties or goes against {choice}"))
    if summary.baselines is not None:
        for name, rate in (
            ("longer", summary.baselines.longer),
            ("shorter", summary.baselines.shorter),
        ):
            told.append(rate_sentence(rate, f"Always picking the {name} reply meets {choice}"))
    found = [Quote(question, sentence, csv) for sentence in told]
    length = length_sentence(summary, results.dataset.chosen_by)
    command = figure_command(results.run.id, "length", "csv")
    found.append(Quote("Is it just length?", length, command))
    if summary.typical_margin is not None:
        unit = (
            f"The typical margin of {model} (root mean square of {summary.counts.rated:,} margins)"
            f" is {summary.typical_margin:.4g} in its own units."
        )
        command = figure_command(results.run.id, "margins", "csv", model=model)
        found.append(Quote("How far apart are its rewards?", unit, command))
    return found


def _by_subset(results: Results) -> list[Quote]:
    bars = by_subset(results.table)
    bars = bars[(bars["subset"] != ALL_SUBSETS) & (bars["verdict"] == "agree")]
    bars = bars.sort_values("n", ascending=False, kind="stable")
    kept = list(dict.fromkeys(bars["subset"]))[:MOST_SUBSETS]
    choice = the(results.dataset.chosen_by)
    command = figure_command(results.run.id, "agreement", "csv")
    found = []
    for bar in bars[bars["subset"].isin(kept)].rename(columns={"count": "agreed"}).itertuples():
        rate = wilson(int(str(bar.agreed)), int(str(bar.n)))
        sentence = rate_sentence(rate, f"On {bar.subset}, {bar.model} sides with {choice}")
        found.append(Quote("And by subset?", sentence, command))
    return found


def _of_two(results: Results, first: str, second: str) -> list[Quote]:
    shared = shared_rows(results.table, first, second)
    found = paired_difference(shared)
    complete = results.run.state is RunState.DONE
    choice = results.dataset.chosen_by
    told = [
        difference_sentence(found, first, second, choice, complete=complete),
        discordance_sentence(found, first, second),
    ]
    if found is not None:
        needed = pairs_needed(found.discordance)
        told.append(f"{first} against {second}: {mcnemar_sentence(found)}")
        told.append(needed_sentence(needed, found.discordance, found.n))
    command = figure_command(results.run.id, "verdicts", "csv", model=first, other=second)
    return [Quote("Where do they differ?", sentence, command) for sentence in told]


def _sureness(results: Results) -> list[Quote]:
    curves = risk_coverage(results.table)
    turns = results.dataset.numbers(["row_id", "first_turn"]).set_index("row_id")["first_turn"]
    found = []
    for model in results.models:
        own = results.table[results.table["model"] == model]
        sure = reliability(own, np.random.default_rng(_SEED), turns)
        chart = figure_command(results.run.id, "reliability", "csv", model=model)
        curve = figure_command(results.run.id, "coverage", "csv")
        for sentence, command in (
            (coverage_sentence(curves, model), curve),
            (reliability_sentence(sure, model), chart),
            (temperature_sentence(sure, model), chart),
        ):
            found.append(Quote("How sure is it?", sentence, command))
    return found
