"""Every number of a comparison as a sentence to copy, with the command that gives it again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import ceiling_of
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.compare.beside import two_models
from ivan_core.experiments.compare.results import Results
from ivan_core.figures.choices import Wish
from ivan_core.figures.sentences import Quote, source_line
from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset
from ivan_core.metrics.columns import agreement_by_larger, sides_sentence
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    discordance_sentence,
    mcnemar_sentence,
    needed_sentence,
    reliability_sentence,
    seen_sentence,
    temperature_sentence,
)
from ivan_core.metrics.intervals import Rate, rate_of_row
from ivan_core.metrics.paired import pairs_needed
from ivan_core.metrics.reliability import reliability, risk_coverage
from ivan_core.metrics.sentences import length_sentence, rate_sentence, the
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.training import Training

MOST_SUBSETS = 12
MOST_COLUMNS = 12
_SEED = 0
_SIDES_WITH = "How often does it side with the choice?"


def source(results: Results) -> str:
    """What every sentence of the run rests on."""
    run = results.run
    stopped = "" if run.state is RunState.DONE else f"stopped at {run.done:,} of {run.total:,}"
    command = runs.command(results.run)
    return source_line(results, len(results.row_ids), command, stopped=stopped)


def quotes(results: Results) -> list[Quote]:
    """All sentences of a comparison, by question in the order of its page."""
    found: list[Quote] = []
    for summary in results.summaries:
        found += _of_model(results, summary)
    best = ceiling_of(results.dataset)
    if best is not None:
        found.append(Quote(_SIDES_WITH, best.sentence, "agreement"))
    found += _by_subset(results)
    found += _by_own_columns(results)
    for first, second in combinations(results.models, 2):
        found += _of_two(results, first, second)
    found += _sureness(results)
    found += _by_user_columns(results)
    order = list(dict.fromkeys(quote.question for quote in found))
    return sorted(found, key=lambda quote: order.index(quote.question))


def _of_model(results: Results, summary: ModelSummary) -> list[Quote]:
    model, choice = summary.model, the(results.dataset.chosen_by)
    training = results.training[model]
    sides, against = f"{model} sides with {choice}", f"{model} ties or goes against {choice}"
    told = [rate_sentence(summary.headline, sides, training.noun), training.sentence]
    if training.on_some:
        told.append(seen_sentence(summary.seen, summary.unseen, model))
    told.append(rate_sentence(summary.headline_misaligned, against, training.noun))
    rules = summary.headline_baselines
    if rules is not None:
        for name, rate in (("longer", rules.longer), ("shorter", rules.shorter)):
            told.append(rate_sentence(rate, f"Always picking the {name} reply meets {choice}"))
    found = [Quote(_SIDES_WITH, sentence, "agreement") for sentence in told]
    length = _with(length_sentence(summary, results.dataset.chosen_by), training)
    found.append(Quote("Is it just length?", length, "length"))
    if summary.typical_margin is not None:
        unit = (
            f"The typical margin of {model} (root mean square of {summary.counts.rated:,} margins)"
            f" is {summary.typical_margin:.4g} in its own units."
        )
        found.append(Quote("How far apart are its rewards?", unit, "margins", {"model": model}))
    return found


def _by_subset(results: Results) -> list[Quote]:
    return [
        Quote("And by subset?", rate_sentence(rate, f"On {subset}, {told}", noun), "agreement")
        for subset, told, rate, noun in _bars(results, by_subset(results.fair))
    ]


def _by_own_columns(results: Results) -> list[Quote]:
    """Agreement by the columns that the dataset brings along."""
    found = []
    for name in results.own_columns[:MOST_COLUMNS]:
        bars = results.by_own_column(name)
        for value, told, rate, noun in _bars(results, bars):
            sentence = rate_sentence(rate, f"Where {name} is {value}, {told}", noun)
            shown: Wish = {"column": name}
            found.append(Quote("And by the dataset's columns?", sentence, "agreement-by", shown))
    return found


def _bars(results: Results, bars: pd.DataFrame) -> Iterator[tuple[str, str, Rate | None, str]]:
    """The groups of a table of bars, the largest first: name, what is told of whom, agreement.

    Last comes what the pairs are called: whether the model was trained on them.
    """
    bars = bars[(bars["subset"] != ALL_SUBSETS) & (bars["verdict"] == "agree")]
    bars = bars.sort_values("n", ascending=False, kind="stable")
    kept = list(dict.fromkeys(bars["subset"]))[:MOST_SUBSETS]
    choice = the(results.dataset.chosen_by)
    for bar in bars[bars["subset"].isin(kept)].rename(columns={"count": "agreed"}).itertuples():
        rate = _rate(bar.agreed, bar.n, bar.low, bar.high, bar.effective_n)
        noun = results.training[str(bar.model)].noun
        yield str(bar.subset), f"{bar.model} sides with {choice}", rate, noun


def _rate(count: object, n: object, *ends: object) -> Rate | None:
    """A rate of a table again, as wide as it was there: `ends` are low, high, effective_n."""
    if not int(str(n)):
        return None
    low, high, effective_n = (float(str(value)) for value in ends)
    return rate_of_row(int(str(count)), int(str(n)), low, high, effective_n)


def _with(sentence: str, training: Training) -> str:
    """A sentence about a model with what must be known of its training."""
    return f"{sentence} {training.caveat}".strip()


def _by_user_columns(results: Results) -> list[Quote]:
    """The values of each user column, and agreement by which side has more of it."""
    choice, found = the(results.dataset.chosen_by), []
    sides = {
        "chosen": "larger on the chosen side",
        "equal": "equal on both sides",
        "rejected": "larger on the rejected side",
    }
    rows = results.aligned.row_ids
    for spec in columns.known(results.dataset.fingerprint)[:MOST_COLUMNS]:
        column = columns.column(results.dataset.fingerprint, spec.id)
        chosen, rejected = column.chosen[rows], column.rejected[rows]
        told = [(f"{spec.label}: {sides_sentence(chosen, rejected)}", "column")]
        difference = pd.Series(chosen - rejected, index=rows)
        for bar in agreement_by_larger(results.fair, difference).itertuples():
            where = f"Where {spec.label} is {sides[str(bar.larger)]}, {bar.model} sides with"
            rate = _rate(bar.agree, bar.n, bar.rate_low, bar.rate_high, bar.effective_n)
            noun = results.training[str(bar.model)].noun
            told.append((rate_sentence(rate, f"{where} {choice}", noun), "column-agreement"))
        found += [
            Quote("And by your columns?", sentence, chart, {"column": spec.id})
            for sentence, chart in told
        ]
    return found


def _of_two(results: Results, first: str, second: str) -> list[Quote]:
    two = two_models(results, first, second)
    found = two.found
    told = [two.sentence(results), discordance_sentence(found, first, second)]
    if found is not None:
        needed = pairs_needed(found.discordance, design=found.design)
        told.append(
            f"{first} against {second}: {mcnemar_sentence(found)} {two.never_clear}".strip()
        )
        told.append(needed_sentence(needed, found.discordance, found.n))
    shown: Wish = {"model": first, "other": second}
    return [Quote("Where do they differ?", sentence, "verdicts", shown) for sentence in told]


def _sureness(results: Results) -> list[Quote]:
    curves = risk_coverage(results.fair)
    turns = results.dataset.numbers(["row_id", "first_turn"]).set_index("row_id")["first_turn"]
    found = []
    for model in results.models:
        own = results.fair[results.fair["model"] == model]
        sure = reliability(own, np.random.default_rng(_SEED), turns)
        on_model: Wish = {"model": model}
        for sentence, chart, shown in (
            (coverage_sentence(curves, model), "coverage", Wish()),
            (reliability_sentence(sure, model), "reliability", on_model),
            (temperature_sentence(sure, model), "reliability", on_model),
        ):
            told = _with(sentence, results.training[model])
            found.append(Quote("How sure is it?", told, chart, shown))
    return found
