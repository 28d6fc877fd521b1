"""Every number of a comparison as a sentence to copy, with the command that gives it again.

Also two models, or two comparisons, beside each other on the pairs that compare them fairly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import pandas as pd

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.opinions import ceiling_of
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.conditions import COLUMNS
from ivan_core.experiments.compare.many_sentences import many_quotes
from ivan_core.experiments.compare.published.told import (
    told_of_benchmark,
    told_of_best,
    told_of_strength,
)
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.choices import Wish
from ivan_core.figures.words import Quote, shown_rate, source_line
from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset, rated
from ivan_core.metrics.columns import agreement_by_larger, sides_sentence
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
from ivan_core.metrics.intervals import Rate, rate_in, rate_of_row
from ivan_core.metrics.paired import Difference, paired_difference, pairs_needed, shared_rows
from ivan_core.metrics.reliability import risk_coverage
from ivan_core.metrics.sentences import length_sentence, rate_sentence, the
from ivan_core.metrics.subset_contrast import contrast_sentence, contrast_test_sentence
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.training import Training, fair_pairs, never_clear
from ivan_core.metrics.two_runs import TwoRuns, two_runs, two_runs_sentence

MOST_SUBSETS = 12
MOST_COLUMNS = 12
_MOST_BY_TWO = 6
"""Of more models not each two are told of: there would be hundreds of sentences."""
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
    best = None if results.whole else ceiling_of(results.dataset)
    if best is not None:
        found.append(Quote(_SIDES_WITH, best.sentence, "agreement"))
    found += _published(results)
    found += _by_subset(results)
    found += _by_own_columns(results)
    if len(results.models) <= _MOST_BY_TWO:
        for first, second in combinations(results.models, 2):
            found += _of_two(results, first, second)
    found += many_quotes(results)
    found += [] if results.whole else _sureness(results)
    found += _by_user_columns(results)
    order = list(dict.fromkeys(quote.question for quote in found))
    return sorted(found, key=lambda quote: order.index(quote.question))


def _of_model(results: Results, summary: ModelSummary) -> list[Quote]:
    model, choice = summary.model, the(results.dataset.chosen_by)
    training = results.training[model]
    if results.bare:
        balanced = summary.length_balanced.without_ends()
        summary = replace(summary, length_balanced=balanced)
    of_rows = partial(Quote, measure=REWARDS)
    sides = f"{model} sides with {choice}"
    headline = rate_sentence(shown_rate(results, summary.headline), sides, training.noun)
    found = [
        of_rows(_SIDES_WITH, sentence, "agreement") for sentence in (headline, training.sentence)
    ]
    if training.on_some:
        seen = seen_sentence(summary.seen, summary.unseen, model)
        found.append(Quote(_SIDES_WITH, seen, "agreement"))
    told = _ties(results, model)
    rules = summary.headline_baselines
    if rules is not None:
        for name, rate in (("longer", rules.longer), ("shorter", rules.shorter)):
            rule = f"Always picking the {name} reply meets {choice}"
            told.append(rate_sentence(shown_rate(results, rate), rule))
    found += [of_rows(_SIDES_WITH, sentence, "agreement") for sentence in told]
    length = _with(length_sentence(summary, results.dataset.chosen_by), training)
    found.append(of_rows("Is it just length?", length, "length"))
    if summary.typical_margin is not None:
        unit = (
            f"The typical margin of {model} (root mean square of {summary.counts.rated:,} margins)"
            f" is {summary.typical_margin:.4g} in its own units."
        )
        asked, shown = "How far apart are its rewards?", Wish(model=model)
        found.append(of_rows(asked, unit, "margins", shown))
    return found


def _ties(results: Results, model: str) -> list[str]:
    """On how many pairs a model does not choose, if there are any; on the rest it goes against."""
    rows = rated(results.fair_rows(model))
    rate = rate_in(rows, rows["verdict"].eq("tie").to_numpy(bool))
    if rate is None or not rate.count:
        return []
    told = f"{model} gives both replies the same reward"
    return [rate_sentence(shown_rate(results, rate), told, results.training[model].noun)]


def _published(results: Results) -> list[Quote]:
    """The best of several replies, a benchmark's own number, and margins by strength."""
    best = partial(Quote, "And among several replies?", measure=REWARDS, chart="best-of-n")
    strong = partial(Quote, "Do margins grow with the preference?", measure=REWARDS)
    found = [best(one) for one in told_of_best(results)]
    if results.whole is None:
        own = "And by the benchmark's own count?"
        found += [Quote(own, one) for one in told_of_benchmark(results)]
    return found + [strong(one, "strength") for one in told_of_strength(results)]


def _by_subset(results: Results) -> list[Quote]:
    return [*_contrast(results), *_on_each_subset(results)]


def _contrast(results: Results) -> list[Quote]:
    """Where two models clearly part, with its tests; nothing where they do not."""
    found = results.contrast
    if found is None:
        return []
    told = [contrast_sentence(found, results.dataset.chosen_by), contrast_test_sentence(found)]
    return [Quote("And by subset?", one, "agreement", measure=REWARDS) for one in told]


def _on_each_subset(results: Results) -> list[Quote]:
    return [
        Quote(
            "And by subset?",
            rate_sentence(rate, f"On {subset}, {told}", noun),
            "agreement",
            measure=REWARDS,
        )
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
            asked = "And by the dataset's columns?"
            found.append(Quote(asked, sentence, "agreement-by", shown, measure=REWARDS))
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
        yield str(bar.subset), f"{bar.model} sides with {choice}", shown_rate(results, rate), noun


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
        told = [(f"{spec.label}: {sides_sentence(chosen, rejected)}", "column", COLUMNS)]
        difference = pd.Series(chosen - rejected, index=rows)
        for bar in agreement_by_larger(results.fair, difference).itertuples():
            where = f"Where {spec.label} is {sides[str(bar.larger)]}, {bar.model} sides with"
            rate = _rate(bar.agree, bar.n, bar.rate_low, bar.rate_high, bar.effective_n)
            noun = results.training[str(bar.model)].noun
            sentence = rate_sentence(shown_rate(results, rate), f"{where} {choice}", noun)
            told.append((sentence, "column-agreement", REWARDS))
        found += [
            Quote("And by your columns?", sentence, chart, {"column": spec.id}, measure=measure)
            for sentence, chart, measure in told
        ]
    return found


def _of_two(results: Results, first: str, second: str) -> list[Quote]:
    two = two_models(results, first, second)
    found = two.found
    shown: Wish = {"model": first, "other": second}
    quote = partial(Quote, "Where do they differ?", chart="verdicts", shown=shown)
    told = [] if results.bare else [two.sentence(results)]
    told.append(discordance_sentence(found, first, second))
    quotes = [quote(sentence=sentence, measure=REWARDS) for sentence in told]
    if found is not None:
        needed = pairs_needed(found.discordance, design=found.design)
        test = f"{first} against {second}: {mcnemar_sentence(found)} {two.never_clear}".strip()
        quotes.append(quote(sentence=test))
        quotes.append(quote(sentence=needed_sentence(needed, found.discordance, found.n)))
    return quotes


def _sureness(results: Results) -> list[Quote]:
    curves = risk_coverage(results.fair)
    found = []
    for model in results.models:
        sure = results.reliability(model)
        on_model: Wish = {"model": model}
        told = [
            (coverage_sentence(curves, model), "coverage", Wish()),
            (reliability_sentence(sure, model), "reliability", on_model),
        ]
        if sure.temperature is not None:
            told.append((temperature_sentence(sure, model), "reliability", on_model))
        for sentence, chart, shown in told:
            sentence = _with(sentence, results.training[model])
            found.append(Quote("How sure is it?", sentence, chart, shown))
    return found


@dataclass(frozen=True)
class TwoModels:
    """The pairs that a difference rests on, the difference, and what is against calling it clear.

    `left_out` counts pairs that one of the two was trained on.
    """

    first: str
    second: str
    shared: pd.DataFrame
    found: Difference | None
    left_out: int
    never_clear: str

    def sentence(self, results: Results) -> str:
        """How much more often one of them agrees, and what that is worth."""
        return difference_sentence(
            self.found,
            self.first,
            self.second,
            results.dataset.chosen_by,
            complete=results.run.state is RunState.DONE,
            chosen_after_looking=results.whole is not None,
            left_out=self.left_out,
            never_clear=self.never_clear,
        )


def two_models(results: Results, first: str, second: str) -> TwoModels:
    """Compare two models on the pairs that neither was trained on, if there are any."""
    units = {model: unit for model, unit in results.typical_margins.items() if unit}
    both = shared_rows(results.table, first, second, units)
    shared = fair_pairs(both)
    against = never_clear(shared, results.training[first], results.training[second])
    left_out = len(both) - len(shared)
    return TwoModels(first, second, shared, paired_difference(shared), left_out, against)


def beside(first: str, second: str) -> str:
    """Two comparisons in words, a sentence a line. Raises BadInput as `compare_runs`."""
    named = runs.names_apart(first, second)
    return two_runs_sentence(compare_runs(first, second), *named)


def compare_runs(first: str, second: str) -> TwoRuns:
    """Two comparisons on the rows they share.

    Raises:
        BadInput: there is no such run or nothing is finished, or the runs judged different datasets
            or no pair in common.
    """
    ours, theirs = open_results(first), open_results(second)
    one, other = runs.names_apart(ours.run.id, theirs.run.id)
    if ours.dataset.about["content"] != theirs.dataset.about["content"]:
        raise BadInput(
            f"{one} judged {ours.dataset.about['label']}, {other} judged "
            f"{theirs.dataset.about['label']}, which holds other pairs.",
            "Only runs on the same dataset can be compared pair by pair.",
        )
    found = two_runs(ours.table, theirs.table, (ours.card_says, theirs.card_says))
    if not found.shared:
        raise BadInput(f"{one} and {other} share no pairs.", "Judge the same pairs again.")
    return found
