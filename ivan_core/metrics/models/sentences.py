"""Plain sentences about many models on the same pairs.

Model ids are other people's text and stand in the sentences as they are: a page escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.comparison_sentences import CHOSEN_AFTER_LOOKING, difference_sentence
from ivan_core.metrics.intervals import Rate, rate_of_row, with_minus
from ivan_core.metrics.models.disguise import Disguise, How
from ivan_core.metrics.models.fewest import MOST_MODELS, MOST_SETS, Fewest
from ivan_core.metrics.models.joint import MEAN, VOTE, Joined, Joint
from ivan_core.metrics.models.likeness import Measure
from ivan_core.metrics.paired import SIGNIFICANT
from ivan_core.metrics.sentences import count_in, number_in, percent, rate_words, share_ends, the
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.training import Training, trainings_told

MOST_NAMES = 6
"""Models that one sentence names."""
MEASURE_WORDS: Mapping[Measure, str] = {
    "equal": "Equal verdicts",
    "kappa": "Cohen's kappa",
    "margins": "Margin correlation",
}
_SAME: Mapping[How, str] = {
    "equal": "their rewards are equal",
    "affine": "their rewards differ in zero and scale alone",
    "nearly": "all their verdicts are equal and their margins correlate at 0.9999 or more",
}
_MOST_OF = 0.9
"""So much of what all models show is worth naming the few that show it."""
_WAYS = {VOTE: "the majority vote", MEAN: "the mean of standardised margins"}


def named(models: Sequence[str], most: int = MOST_NAMES) -> str:
    """Some models in words, as in "a, b and c", or "a, b and 4 others"."""
    if len(models) > most + 1:
        return f"{', '.join(models[:most])} and {len(models) - most} others"
    *first, last = models
    return f"{', '.join(first)} and {last}" if first else last


def extremes_sentence(grid: pd.DataFrame, choice: str) -> str:
    """Which of the models side with the choice most often and least often; `choice` in words."""
    own = grid[(grid["subset"] == ALL_SUBSETS) & (grid["n"] > 0)]
    if own.empty:
        return "No model has rated a pair yet."
    rows = own.to_dict("records")
    most, least = rows[0], rows[-1]
    told = f"{most['model']} sides with {the(choice)} in {rate_words(rate_in_row(most))}"
    if len(rows) == 1:
        return f"{told}."
    return (
        f"Of {len(rows)} models {most['model']} sides with {the(choice)} most often, in"
        f" {rate_words(rate_in_row(most))}, and {least['model']} least often, in"
        f" {rate_words(rate_in_row(least))}. Which of several stands first or last is partly"
        " chance."
    )


def counts_sentence_of_all(summaries: Sequence[ModelSummary]) -> str:
    """How many pairs each of many models rated, in one sentence."""
    rated = [one.counts.rated for one in summaries]
    total = number_of(max((one.counts.total for one in summaries), default=0), "pair")
    short = sum(1 for one in summaries if one.counts.truncated)
    cut = f" {number_of(short, 'model')} did not read every pair to its end." if short else ""
    if len(set(rated)) == 1:
        return f"Each of the {len(rated)} models rated {rated[0]:,} of {total}.{cut}"
    return f"The {len(rated)} models rated {min(rated):,} to {max(rated):,} of {total} each.{cut}"


def trainings_sentence(trainings: Sequence[Training]) -> str:
    """Which of many models were, or may have been, trained on pairs of these."""
    doubtful = [one.model for one in trainings if one.caveat]
    if not doubtful:
        told = trainings_told(trainings)
        return told if len(trainings) < 2 or told.startswith("No model") else ""
    return (
        f"{named(doubtful)} {'was' if len(doubtful) == 1 else 'were'}, or may have been, trained on"
        " some of these pairs: see what is said of each below."
    )


def rate_in_row(row: Mapping[str, object]) -> Rate | None:
    """The agreement of a row of a grid, with its ends."""
    ends = (number_in(row, name) for name in ("low", "high", "effective_n"))
    return rate_of_row(count_in(row, "agree"), count_in(row, "n"), *ends)


def alike_words(row: Mapping[str, object], measure: Measure) -> str:
    """How alike two models are by one measure, with its 95% interval and its pairs."""
    n, value = count_in(row, "n"), number_in(row, measure)
    if isnan(value):
        return f"not defined on {number_of(n, 'pair')}"
    low, high = number_in(row, f"{measure}_low"), number_in(row, f"{measure}_high")
    if measure == "equal":
        ends = share_ends(low, high, n, number_in(row, "effective_n"))
        return f"{percent(value, n)}{ends} of {n:,}"
    ends = "" if isnan(low) else f" [{with_minus(low, '.2f')}, {with_minus(high, '.2f')}]"
    return f"{coefficient(value)}{ends} on {number_of(n, 'pair')}"


def coefficient(value: float) -> str:
    """A kappa or a correlation with two decimals; only exactly 1 is called so."""
    text = with_minus(value, ".2f")
    return "over 0.99" if text == "1.00" and value < 1 else text


def alike_sentence(table: pd.DataFrame, measure: Measure) -> str:
    """Which two models are most alike and which least, by one measure."""
    known = table[table[measure].notna()]
    if known.empty:
        return "No two models rated enough of the same pairs to tell how alike they are."
    by = "equal verdicts in" if measure == "equal" else f"{_lower(MEASURE_WORDS[measure])}"
    rows = known.sort_values(measure, ascending=False, kind="stable").to_dict("records")
    told = [
        f"{row['first']} and {row['second']} ({by} {alike_words(row, measure)})"
        for row in (rows[0], rows[-1])
    ]
    if len(rows) == 1:
        return f"How alike the two models are: {told[0]}."
    return f"Most alike are {told[0]}; least alike are {told[1]}."


def _lower(words: str) -> str:
    return words if words.startswith("Cohen") else words[:1].lower() + words[1:]


def disguise_sentence(found: Disguise) -> str:
    """That several models are one, and on how many pairs that shows."""
    return (
        f"{named(found.models, 10)} are the same model in disguise: {_SAME[found.how]} on all"
        f" {number_of(found.n, 'pair')} that each two of them rated."
    )


def fewest_sentence(found: Fewest | None, models: int) -> str:
    """Which of the models show all that the models disagree on, and how few show most of it."""
    if found is None:
        return f"Which models show all disagreements is looked for among up to {MOST_MODELS}."
    if not found.n:
        return f"The {models} models have the same verdict wherever two of them rated a pair."
    pairs = number_of(found.n, "pair")
    size = len(found.models)
    who = "" if size == models else f": {named(found.models)}"
    if found.smallest:
        need = (
            f"It takes all {models} models"
            if size == models
            else f"It takes {size} of the {models} models"
        )
        told = f"{need} to show every disagreement, on {pairs}{who}."
    else:
        told = (
            f"{size} of the {models} models, added one by one, show every disagreement, on"
            f" {pairs}{who}. A smaller set may exist: more than {MOST_SETS:,} would have to be"
            " tried."
        )
    most = next(place for place, step in enumerate(found.steps) if step.shown >= _MOST_OF * found.n)
    if most + 1 >= size:
        return told
    few = [step.model for step in found.steps[: most + 1]]
    share = percent(found.steps[most].shown / found.n, found.n)
    return f"{told} {named(few)} alone show {share} of them."


def joint_sentences(
    found: Joint | None, choice: str, *, complete: bool, picked: bool = False, never_clear: str = ""
) -> list[str]:
    """What the models come to together, beside the best of them; `picked` rows show only a hint.

    `never_clear` says why no difference of these models may be called clear.
    """
    if found is None:
        return []
    told = [
        difference_sentence(
            way.found,
            _WAYS[way.name],
            found.best,
            choice,
            complete=complete,
            left_out=found.left_out,
            never_clear=_worth(found, way, complete, picked, never_clear),
        )
        for way in found.ways
    ]
    return [*map(_begun, told), *_drawn(found), _best(found)]


def _drawn(found: Joint) -> list[str]:
    """That a drawn vote sides with nobody, where there are such."""
    if not found.drawn:
        return []
    pairs = number_of(found.drawn, "pair")
    return [f"The vote is a draw on {pairs}: there it sides with neither reply."]


def _begun(sentence: str) -> str:
    """With a capital where it begins with one of our words and not with a name."""
    return f"The{sentence[3:]}" if sentence.startswith("the ") else sentence


def _best(found: Joint) -> str:
    return (
        f"{found.best} was picked as the best single model on these very"
        f" {number_of(found.n, 'pair')}, which flatters it: a joint model ahead of it is ahead all"
        " the more, one behind it may not be."
    )


def _worth(found: Joint, way: Joined, complete: bool, picked: bool, never_clear: str) -> str:
    """What a difference is worth, after Holm's correction for both ways of joining."""
    if picked:
        return CHOSEN_AFTER_LOOKING
    if found.trained:
        return (
            f"{named(found.trained)} {'was' if len(found.trained) == 1 else 'were'} trained on"
            " pairs among these, so no difference here is called clear."
        )
    if never_clear:
        return never_clear
    if not complete:
        return "Whether it is clear can be said once the run is complete."
    p = f"p {'< 0.001' if way.adjusted < 0.001 else f'= {way.adjusted:.2g}'}"
    tested = f"McNemar's test, corrected for the {len(found.ways)} joint models (Holm): {p}"
    if found.clear(way) and way.found.difference > 0:
        return f"This difference is clear ({tested})."
    if way.adjusted < SIGNIFICANT and way.found.difference < 0:
        return (
            f"That a model picked as the best of several is ahead is not called clear ({tested})."
        )
    return f"This difference may be chance ({tested})."
