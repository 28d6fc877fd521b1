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
from ivan_core.metrics.models.likeness import LEAST_ROWS, Measure
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
    often, seldom = rate_words(rate_in_row(most)), rate_words(rate_in_row(least))
    if len(rows) == 1:
        return f"{most['model']} sides with {the(choice)} in {often}."
    if most["rate"] == least["rate"]:
        share = percent(number_in(most, "rate"), count_in(most, "n"))
        said = often if often == seldom else f"{share} of {_span(own)}"
        return f"Each of {len(rows)} models sides with {the(choice)} equally often, in {said}."
    return (
        f"Of {len(rows)} models {most['model']} sides with {the(choice)} most often, in {often},"
        f" and {least['model']} least often, in {seldom}. Which of several stands first or last is"
        " partly chance."
    )


def so_far_sentence(so_far: pd.DataFrame, models: int, planned: int) -> str:
    """How many pairs each of many models has rated, of which a run goes on.

    `so_far` is the table of `metrics.agreement.running_agreement`, `planned` what it will come to.
    """
    rated = so_far.groupby("model")["n"].max()
    if rated.empty:
        return "No model has rated a pair yet."
    fewest, most = int(rated.min()), int(rated.max())
    span = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    waiting = models - len(rated)
    none = f" {number_of(waiting, 'model')} rated none yet." if waiting else ""
    judging = number_of(len(rated), "model")
    return (
        f"{judging} rated {span} of {number_of(planned, 'pair')} so far.{none}"
        " Which of several stands first or last is partly chance."
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
    if told := doubtful_sentence(trainings):
        return f"{told[:-1]}: see what is said of each below."
    told = trainings_told(trainings)
    return told if len(trainings) < 2 or told.startswith("No model") else ""


def doubtful_sentence(trainings: Sequence[Training]) -> str:
    """That models were, or may have been, trained on pairs of these; empty where none was."""
    doubtful = [one.model for one in trainings if one.caveat]
    if not doubtful:
        return ""
    were = "was" if len(doubtful) == 1 else "were"
    return f"{named(doubtful)} {were}, or may have been, trained on some of these pairs."


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
        return not_alike_sentence(table, measure)
    by = "equal verdicts in" if measure == "equal" else f"{_lower(MEASURE_WORDS[measure])}"
    rows = known.sort_values(measure, ascending=False, kind="stable").to_dict("records")
    if len(rows) > 1 and rows[0][measure] == rows[-1][measure]:
        some = "" if len(rows) == len(table) else " of which this can be told"
        return f"Each two models{some} are equally alike ({by} {_all_equal(known, measure)})."
    told = [
        f"{row['first']} and {row['second']} ({by} {alike_words(row, measure)}{_trained(row)})"
        for row in (rows[0], rows[-1])
    ]
    if len(rows) == 1:
        return f"How alike the two models are: {told[0]}."
    return (
        f"Most alike are {told[0]}; least alike are {told[1]}. Which of {len(rows):,} pairs of"
        f" models stand first and last is partly chance{_picked_ends(rows, measure)}."
    )


def not_alike_sentence(table: pd.DataFrame, measure: Measure) -> str:
    """Why a measure is not defined for any two models."""
    most = int(table["n"].max()) if len(table) else 0
    if not most:
        return "No two models rated the same pair, so nothing tells how alike they are."
    if measure == "margins" and most < LEAST_ROWS:
        return "No two models rated enough of the same pairs to tell how alike they are."
    gave = (
        "neither of two ever changes its verdict"
        if measure == "kappa"
        else "of two one or both never change their margin"
    )
    return f"{MEASURE_WORDS[measure]} is not defined for any two models: {gave}."


def _all_equal(table: pd.DataFrame, measure: Measure) -> str:
    """A measure that is the same for each two models, with interval if they rated as many."""
    row = table.to_dict("records")[0]
    told = alike_words(row, measure)
    if table["n"].nunique() > 1 and measure == "equal":
        told = f"{percent(number_in(row, measure), int(table['n'].max()))} of {_span(table)}"
    elif table["n"].nunique() > 1:
        told = f"{coefficient(number_in(row, measure))} on {_span(table)}"
    return f"{told}; models were trained on some of these" if table["trained"].any() else told


def _span(table: pd.DataFrame) -> str:
    return f"{table['n'].min():,} to {table['n'].max():,} pairs"


def _trained(row: Mapping[str, object]) -> str:
    """That one of two models was trained on pairs that both rated, where it was."""
    trained, left_out = count_in(row, "trained"), count_in(row, "left_out")
    if trained:
        return f"; at least one was trained on {trained:,} of these"
    return f"; {left_out:,} that one of them was trained on left out" if left_out else ""


def _picked_ends(rows: Sequence[Mapping[str, object]], measure: Measure) -> str:
    ends = (number_in(row, f"{measure}_low") for row in (rows[0], rows[-1]))
    return "" if all(map(isnan, ends)) else ", and the intervals do not allow for that"


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
    if not found.shared:
        return "No two models rated the same pair, so no disagreement can show."
    if not found.n:
        return (
            f"The {models} models have the same verdict on"
            f" {number_of(found.shared, 'pair')} that two of them or more rated."
        )
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
            rated_by="that all models rated",
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
    pairs = "this very pair" if found.n == 1 else f"these very {number_of(found.n, 'pair')}"
    return (
        f"{found.best} was picked as the best single model on {pairs}, which flatters it: a"
        " joint model ahead of it is ahead all the more, one behind it may not be."
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
