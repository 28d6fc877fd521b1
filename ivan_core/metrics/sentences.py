"""Plain sentences made from numbers, to be read on a page or copied into a text.

Model ids are other people's text and stand in the sentences as they are: a page escapes the
sentence before it goes into anything that renders Markdown or HTML. `choice` is the words for what
the model is compared with: "authored choice", "people's choice". What single sentences of a reply
add to a reward is told with numbers with signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, isnan, log10
from typing import Literal

from ivan_core.domain.ablation import Flip
from ivan_core.domain.words import number_of
from ivan_core.metrics.agreement import LengthBalanced
from ivan_core.metrics.intervals import Rate, interval_text, number_text, with_minus
from ivan_core.metrics.margin_words import margin_size, preferences_words
from ivan_core.metrics.paired import Difference
from ivan_core.metrics.summary import ModelSummary

# From this many pairs on, a decimal of a percent says something.
FINE_FROM = 1000

PROMPTS_REPEAT = "prompts repeat"
PROMPTS_SHARED = "texts share prompts"
"""Why an interval is wider than n tells: of pairs, and of texts, two of which make a pair."""

_HALF = (0.5,)
"""What a share is held against: no better than chance."""

_CHOICES = {"authored choice": "the author's choice"}
"""Whose choice it is where the words of a dataset's card do not say it plainly."""

Side = Literal["A", "B"]


def count_in(row: Mapping[str, object], name: str) -> int:
    """A count of a row of a table."""
    return int(str(row[name]))


def number_in(row: Mapping[str, object], name: str) -> float:
    """A number of a row of a table; NaN where there is none."""
    return float(str(row[name]))


def percent(share: float, n: int) -> str:
    """A share as a percentage: whole below 1,000 pairs, one decimal from there on.

    Only none of n is 0% and only all of n is 100%; what rounds to them is "under 1%" or "over 99%".
    """
    text = number_text(share, _decimals(n), scale=100)
    if text in ("0", "0.0") and share > 0:
        return "under 0.1%" if n >= FINE_FROM else "under 1%"
    if text in ("100", "100.0") and share < 1:
        return "over 99.9%" if n >= FINE_FROM else "over 99%"
    return f"{float(text):g}%" if text in ("0.0", "100.0") else f"{text}%"


def interval(rate: Rate, marks: Sequence[float] = _HALF) -> str:
    """The interval of a rate in percent, as in "[56, 65]"; `marks` are those of its ends."""
    return interval_ends(rate.low, rate.high, rate.n, marks)


def interval_ends(low: float, high: float, n: int, marks: Sequence[float] = _HALF) -> str:
    """An interval in percent from its ends, as in "[56, 65]".

    An end that would round to one of the `marks` that the share is held against has more decimals.
    """
    return interval_text(low, high, _decimals(n), nulls=marks, scale=100)


def share_ends(
    low: float, high: float, n: int, effective_n: float, why: str = PROMPTS_REPEAT, lead: str = " "
) -> str:
    """The interval of a share after `lead`, and as if of how many; empty where ends are NaN."""
    if isnan(low):
        return ""
    return f"{lead}{interval_ends(low, high, n)}{as_if_n(n, int(effective_n), why)}"


def difference_ends(low: float, high: float, n: int) -> str:
    """The interval of a difference of shares in points, as in "[−2, 9]".

    An end that would round to no difference has more decimals.
    """
    return interval_text(low, high, _decimals(n), scale=100)


def as_if(rate: Rate | Difference, why: str = PROMPTS_REPEAT) -> str:
    """How wide repeated prompts made an interval, to stand after it; empty where they did not."""
    return as_if_n(rate.n, rate.effective_n, why) if rate.design > 1 else ""


def as_if_n(n: int, effective_n: int, why: str = PROMPTS_REPEAT) -> str:
    """The same from both counts; `why` is what makes them differ."""
    return f"; {why}: as if n = {effective_n:,}" if effective_n < n else ""


def as_if_apart(n: int, effective_n: int, why: str = PROMPTS_REPEAT) -> str:
    """The same in brackets, where the interval is not in a bracket itself."""
    told = as_if_n(n, effective_n, why).removeprefix("; ")
    return f" ({told})" if told else ""


def share_of(rate: Rate) -> str:
    """A share with its interval and its n; without ends (NaN) there is no interval."""
    ends = "" if isnan(rate.low) else f" {interval(rate)}"
    return f"{percent(rate.rate, rate.n)}{ends} of {rate.n:,}"


def share_in_full(rate: Rate) -> str:
    """The same, and in brackets of how many independent pairs it is as if."""
    return f"{share_of(rate)}{as_if(rate)}"


def rate_words(rate: Rate | None) -> str:
    """A share with its interval, if it has one, its n, and as if of how many."""
    if rate is None:
        return "none rated"
    wide = "" if isnan(rate.low) else as_if_apart(rate.n, rate.effective_n)
    return f"{share_of(rate)}{wide}"


def count_of(rate: Rate | None, noun: str, why: str = PROMPTS_REPEAT) -> str:
    """A count of so many with its share and interval, as in "1 of 5 pairs (20% [4, 62])"."""
    if rate is None:
        return f"none of 0 {noun}s"
    ends = "" if isnan(rate.low) else f" {interval(rate)}{as_if(rate, why)}"
    many = number_of(rate.n, noun)
    return f"{rate.count:,} of {many} ({percent(rate.rate, rate.n)}{ends})"


def rate_sentence(
    rate: Rate | None, predicate: str, noun: str = "pairs", why: str = PROMPTS_REPEAT
) -> str:
    """One rate as a sentence with its n and interval, if it has one, to be copied.

    `predicate` is what is true in that share of pairs, as in "minilm-harmless sides with people's
    choice".
    """
    if rate is None:
        return f"{predicate}: no {noun} to tell from."
    ends = "" if isnan(rate.low) else f" (95% interval {interval(rate)}{as_if(rate, why)})"
    return f"{predicate} in {percent(rate.rate, rate.n)} of {rate.n:,} {noun}{ends}."


def headline(summaries: Sequence[ModelSummary], choice: str, *, note: str = "") -> str:
    """What opens a comparison: each model's rate, then what a rule on length would reach.

    `note` is a sentence that qualifies the rows, such as that they are no random sample.
    """
    with_rate = [s for s in summaries if s.headline is not None]
    without = [s for s in summaries if s.headline is None]
    sentences = []
    if with_rate:
        sentences.append(_rates(with_rate, choice))
        sentences += [_trained_on_all(s) for s in with_rate if s.headline_is_seen]
        rule = _rule(with_rate)
        sentences += [_only_ties(s) for s in with_rate if s.counts.tie == s.counts.rated]
        sentences += [rule] if rule else []
    sentences += [nothing_rated(s) for s in without]
    if not summaries:
        sentences.append("No model has rated a pair yet.")
    return " ".join([*sentences, note] if note else sentences)


def nothing_rated(summary: ModelSummary) -> str:
    """Why a model has no rate."""
    counts = summary.counts
    if counts.total == 0:
        return f"{summary.model} has rated no pair yet."
    why = [
        f"{count:,} {words}"
        for count, words in (
            (counts.failed, "failed"),
            (counts.identical, "with identical sides"),
            (counts.undecided, "with equal scores in the data"),
        )
        if count
    ]
    reasons = f" ({', '.join(why)})" if why else ""
    return f"{summary.model} has rated none of {number_of(counts.total, 'pair')}{reasons}."


def pair_sentence(
    chosen: Side, preferences: Sequence[tuple[str, float | None]], chooser: str = "People"
) -> str:
    """What people chose in one pair, and which side each model prefers by how much.

    `preferences` holds a model and its margin in typical margins: positive where the model likes
    the chosen reply more, None where it did not rate the pair.
    """
    other: Side = "B" if chosen == "A" else "A"
    told = preferences_words(preferences, chosen, other)
    return f"{chooser} chose {chosen}. {told}." if told else f"{chooser} chose {chosen}."


def counts_sentence(summary: ModelSummary) -> str:
    """How many pairs were rated, and why the others were not."""
    counts = summary.counts
    parts = [f"{summary.model} rated {counts.rated:,} of {number_of(counts.total, 'pair')}"]
    if counts.identical:
        parts.append(f"{counts.identical:,} with identical sides left out")
    if counts.undecided:
        parts.append(f"{counts.undecided:,} with equal scores in the data left out")
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    if counts.truncated:
        parts.append(f"{counts.truncated:,} not read to the end")
    return "; ".join(parts) + "."


def length_sentence(summary: ModelSummary, choice: str) -> str:
    """Whether a model's agreement depends on the chosen reply being the longer one."""
    balanced = summary.length_balanced
    longer, shorter = balanced.longer_chosen, balanced.shorter_chosen
    if longer is None or shorter is None:
        return f"{summary.model}: too few lengths differ to tell length from content."
    wide = ""
    ends = ["" if isnan(rate.low) else f" {interval(rate)}" for rate in (longer, shorter)]
    if max(longer.design, shorter.design) > 1:
        wide = f" Prompts repeat: as if n = {longer.effective_n:,} and {shorter.effective_n:,}."
    return (
        f"{summary.model} sides with {the(choice)} in {percent(longer.rate, longer.n)} of"
        f" {number_of(longer.n, 'pair')}{ends[0]} where the longer reply was chosen"
        f" and in {percent(shorter.rate, shorter.n)} of {shorter.n:,}{ends[1]} where"
        f" the shorter was: {balanced_words(balanced)} if both counted the same.{wide}"
    )


def balanced_words(balanced: LengthBalanced) -> str:
    """Length-balanced agreement with its interval, as in "61% [58, 64]"."""
    if balanced.rate is None:
        return "no rate"
    if balanced.low is None or balanced.high is None:
        return percent(balanced.rate, balanced.n)
    ends = interval_ends(balanced.low, balanced.high, balanced.n)
    return f"{percent(balanced.rate, balanced.n)} {ends}"


def _rates(summaries: Sequence[ModelSummary], choice: str) -> str:
    """The first model's rate in full, the others with what differs."""
    clauses: list[str] = []
    base: tuple[int, bool] | None = None
    for summary in summaries:
        rate = summary.headline
        if rate is None:
            continue
        on = (rate.n, summary.headline_is_unseen)
        verb = "" if clauses else f" sides with {the(choice)}"
        share = percent(rate.rate, rate.n)
        of = "" if on == base else f" of {number_of(rate.n, 'pair')}"
        if on != base and summary.headline_is_unseen:
            of += " it was not trained on"
        wide = as_if_apart(rate.n, rate.effective_n)
        clauses.append(f"{summary.model}{verb} in {share}{of} {interval(rate)}{wide}")
        base = on
    return ", ".join(clauses) + "."


def _rule(summaries: Sequence[ModelSummary]) -> str:
    """What the better length rule would reach on the pairs of the rates."""
    reached: dict[tuple[str, str], list[str]] = {}
    for summary in summaries:
        rule = summary.headline_baselines
        if rule is not None:
            words = (rule.better, percent(rule.best.rate, rule.best.n))
            reached.setdefault(words, []).append(summary.model)
    several = len(reached) > 1
    return " ".join(
        f"Always picking the {better} reply would reach {share}"
        + (f" on the pairs of {' and '.join(models)}." if several else ".")
        for (better, share), models in reached.items()
    )


def _only_ties(summary: ModelSummary) -> str:
    return f"{summary.model} gives both replies exactly the same reward in every pair."


def _trained_on_all(summary: ModelSummary) -> str:
    return f"{summary.model} was trained on these very pairs."


def the(choice: str) -> str:
    """The words for what a model is compared with, with an article where they need one."""
    named = _CHOICES.get(choice, choice)
    return named if "'" in named or "’" in named else f"the {named}"


def _decimals(n: int) -> int:
    """Decimals of a percentage: one from 1,000 pairs on."""
    return 1 if n >= FINE_FROM else 0


def signed(values: Sequence[float | None]) -> list[str]:
    """Numbers with their sign and as many decimals as give the largest two digits.

    What rounds to zero has no sign, and None is a dash.
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    decimals = min(max(1 - floor(log10(largest)), 0), 6) if largest else 0
    return ["–" if value is None else _signed(value, decimals) for value in values]


def _signed(value: float, decimals: int) -> str:
    text = with_minus(value, f"+.{decimals}f")
    return text if any(digit in text for digit in "123456789") else text[1:]


def effects_sentence(model: str, adds: Sequence[float | None], typical: float | None) -> str:
    """Which sentence moved the reward most, as in "Without sentence 2 … by 0.41 less"."""
    known = [(abs(value), -i, value) for i, value in enumerate(adds) if value is not None]
    if not known:
        return f"{model} could not score the reply without its sentences."
    size, place, value = max(known)
    if size == 0:
        return f"No single sentence changes what {model} gives this reply."
    amount = signed([size])[0][1:]
    unit = f" ({margin_size(size / typical)})" if typical else ""
    word = "less" if value > 0 else "more"
    return f"Without sentence {1 - place}, {model} gives the reply {amount} {word}{unit}."


def flip_sentence(flip: Flip, model: str, winner: Side) -> str:
    """What a search for the shortest deletion that flips the verdict found, and how it looked.

    `winner` is the side that the model likes less now, and would prefer after a flip.
    """
    if flip.possible == 0:
        return "The reply is one sentence: nothing would be left to judge without it."
    if flip.tried == 0:
        return f"{model} likes both sides the same: there is no verdict to flip."
    tried = f"{flip.tried:,} of {flip.possible:,} possible deletions"
    if flip.left_out is None:
        if flip.shortest:
            return f"No deletion makes {model} prefer {winner}: all {flip.possible:,} were tried."
        return f"No deletion was found that makes {model} prefer {winner}, among {tried}."
    numbers = _listed([i + 1 for i in flip.left_out])
    start = f"Without {numbers}, {model} prefers {winner}"
    if flip.shortest:
        return f"{start}: no shorter deletion does that ({tried} were tried, the shortest first)."
    return f"{start}: the shortest found among {tried}; a shorter one may exist."


def _listed(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"sentences {', '.join(most)} and {last}" if most else f"sentence {last}"
