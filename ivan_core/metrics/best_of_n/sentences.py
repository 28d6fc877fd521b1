"""What is said of prompts with several replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Share
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.sentences import as_if_apart, count_in, interval_ends, number_in, percent


def best_sentence(row: Mapping[str, object], sizes: tuple[int, int], noun: str = "prompts") -> str:
    """How often a model rewards a right reply most, beside chance and length; `row` of RATES."""
    model, n = str(row["model"]), count_in(row, "n")
    if not n:
        return f"{model} rated all replies of no prompt."
    noun = noun if n > 1 else noun.replace("prompts", "prompt", 1)
    chance, longest, shortest = (number_in(row, name) for name in ("chance", "longest", "shortest"))
    told = (
        f"{model} rewards a right reply most for {percent(number_in(row, 'rate'), n)} of {n:,}"
        f" {noun} with {_of_each(sizes)} replies each{_ends(row)}; one drawn at random is right for"
        f" {percent(chance, n)}, the longest for {percent(longest, n)}, the shortest for"
        f" {percent(shortest, n)}."
    )
    shared = count_in(row, "shared")
    if shared:
        told += f" In {shared:,} several share the highest reward and the credit."
    return told


def lead_sentence(rows: Sequence[Mapping[str, object]], sizes: tuple[int, int]) -> str:
    """Of each model how often a right reply is rewarded most, in short; of many the two ends."""
    known = [row for row in rows if count_in(row, "n")]
    if not known:
        return ""
    if len(known) > MOST_TOLD:
        known.sort(key=lambda row: number_in(row, "rate"), reverse=True)
        known = [known[0], known[-1]]
    told: list[str] = []
    for row in known:
        n, short = count_in(row, "n"), percent(number_in(row, "rate"), count_in(row, "n"))
        same = told and n == count_in(known[0], "n")
        of = "" if same else f" of {number_of(n, 'prompt')}"
        told.append(f"{row['model']} {'in ' if not told else ''}{short}{of}{_ends(row)}")
    chance, n = number_in(known[0], "chance"), count_in(known[0], "n")
    return (
        f"Among the {_of_each(sizes)} replies to a prompt a right one gets the highest reward of"
        f" {', of '.join(told)}; one drawn at random is right in {percent(chance, n)}."
    )


def pairs_sentence(row: Mapping[str, object]) -> str:
    """The same prompts pair by pair, each counting once; empty where no prompt is rated."""
    n = count_in(row, "n")
    if not n:
        return ""
    low, high = number_in(row, "pairs_low"), number_in(row, "pairs_high")
    ends = "" if isnan(low) else f" {interval_ends(low, high, n)}"
    told = (
        f"Pair by pair, each prompt counting once, {row['model']} has"
        f" {percent(number_in(row, 'pairs'), n)}{ends} right."
    )
    left_out = count_in(row, "left_out")
    if left_out:
        told += f" {number_of(left_out, 'prompt')} with a reply that it did not rate left out."
    return told


def _of_each(sizes: tuple[int, int]) -> str:
    """How many replies a prompt has, from the fewest to the most."""
    fewest, most = sizes
    return f"{fewest}" if fewest == most else f"{fewest} to {most}"


def _ends(row: Mapping[str, object]) -> str:
    low, high, n = number_in(row, "low"), number_in(row, "high"), count_in(row, "n")
    if isnan(low):
        return ""
    # Held against chance, which is another number for each number of replies.
    share = Share(n, number_in(row, "rate"), low, high, n / count_in(row, "effective_n"))
    wide = as_if_apart(n, share.effective_n)
    return f" {interval_ends(low, high, n, (number_in(row, 'chance'),))}{wide}"
