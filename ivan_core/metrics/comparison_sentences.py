"""Plain sentences about two models on the same pairs, how sure a model is, and what to trust.

Model ids are other people's text and stand in the sentences as they are: a page escapes them. A
difference is called clear only at the end of a run, on rows that nobody chose after looking.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Rate, decimals_to_tell, number_text
from ivan_core.metrics.paired import Difference, Needed
from ivan_core.metrics.reliability import LEAST_FOR_ECE, LEAST_IN_BIN, CalibrationError, Reliability
from ivan_core.metrics.sentences import (
    FINE_FROM,
    as_if,
    as_if_apart,
    difference_ends,
    interval,
    interval_ends,
    percent,
    the,
)

CHOSEN_AFTER_LOOKING = "These pairs were chosen after looking, so this shows no more than a hint."
_SIGNIFICANT = 0.05


def difference_sentence(
    found: Difference | None,
    first: str,
    second: str,
    choice: str,
    *,
    complete: bool,
    chosen_after_looking: bool = False,
    left_out: int = 0,
    rated_by: str = "both rated",
    never_clear: str = "",
) -> str:
    """How much more often one model agrees than the other, with its interval and what it is worth.

    `choice` is what the models are compared with, as in "people's choice". Clear needs a complete
    run, rows not chosen after looking, an interval without 0, and McNemar's mid-p below 5%.
    `left_out` counts pairs that a model was trained on; `rated_by` says who rated the others;
    `never_clear` says why the pairs show nothing, and stands in place of the verdict.
    """
    if found is None:
        return f"No pair was rated by both {first} and {second}."
    ahead, behind, more, less = first, second, found.first, found.second
    low, high = found.low, found.high
    if found.difference < 0:
        ahead, behind, more, less = second, first, found.second, found.first
        low, high = -found.high, -found.low
    ends = difference_ends(low, high, found.n)
    so_far = "" if complete else "So far, "
    if found.difference == 0:
        told = (
            f"{so_far}{first} and {second} side with {the(choice)} equally often,"
            f" in {percent(more.rate, more.n)} of {number_of(found.n, 'pair')} {rated_by}"
            f" (95% interval of the difference {ends} points{as_if(found)})."
        )
    else:
        told = (
            f"{so_far}{ahead} sides with {the(choice)} in {percent(more.rate, more.n)} of"
            f" {number_of(found.n, 'pair')} {rated_by}, {behind} in {percent(less.rate, less.n)}:"
            f" {_amount(abs(found.difference), found.n)} more"
            f" (95% interval {ends} points{as_if(found)})."
        )
    if left_out:
        told += (
            f" {number_of(left_out, 'pair')} that one of them was trained on {_are(left_out)}"
            " left out."
        )
    return f"{told} {never_clear or _verdict(found, complete, chosen_after_looking)}"


def discordance_sentence(found: Difference | None, first: str, second: str) -> str:
    """On how many pairs exactly one of two models agrees, and which."""
    if found is None:
        return f"No pair was rated by both {first} and {second}."
    apart = found.first_only + found.second_only
    if apart == 0:
        return (
            f"{first} and {second} side with the choice on the same of"
            f" {number_of(found.n, 'pair')}."
        )
    return (
        f"On {percent(found.discordance, found.n)} of {number_of(found.n, 'pair')} only one of"
        f" them sides with the choice: on {found.first_only:,} only {first}, on"
        f" {found.second_only:,} only {second}."
    )


def mcnemar_sentence(found: Difference | None) -> str:
    """The test behind a difference, for those who ask."""
    if found is None:
        return "There is nothing to test: no pair was rated by both."
    wide = (
        f" Prompts repeat: both are those of {number_of(found.effective_n, 'pair')}."
        if found.design > 1
        else ""
    )
    p = "p < 0.001" if found.mid_p < 0.001 else f"p = {found.mid_p:.2g}"
    return (
        f"McNemar's exact test (mid-p) on {found.first_only:,} against {found.second_only:,} pairs:"
        f" {p}. Interval: Newcombe 1998, method 10.{wide}"
    )


def needed_sentence(needed: Sequence[Needed], discordance: float, n: int) -> str:
    """How many pairs would show differences of 1, 2 and 5 points between two such models."""
    if discordance == 0:
        return (
            "The two models never part on these pairs, so no number of such pairs tells them apart."
        )
    possible = [one for one in needed if one.pairs is not None]
    too_large = [one for one in needed if one.pairs is None]
    sentences = []
    if possible:
        gaps = _gaps(possible)
        pairs = _listed([f"{_rounded_up(one.pairs or 0):,}" for one in possible], "or")
        several = ", in this order" if len(possible) > 1 else ""
        sentences.append(
            f"To see a difference of {gaps} between models that part on"
            f" {percent(discordance, n)} of pairs you need about {pairs} pairs{several}"
            " (in 80% of such studies it would then be clear)."
        )
    if too_large:
        gaps = _gaps(too_large)
        sentences.append(f"A difference of {gaps} cannot occur: they part on fewer pairs.")
    return " ".join(sentences)


def reliability_sentence(found: Reliability, model: str) -> str:
    """Whether a model is right as often as its scores claim, readable without knowing the terms."""
    if found.n + found.ties == 0:
        return f"{model} has rated no pair, so nothing is known of how sure it is."
    fitted = found.bins[found.bins["scale"] == "fitted"]
    too_few = f"{model}: too few pairs ({found.n:,}) to tell whether it is right when it is sure."
    if found.n + found.ties < LEAST_IN_BIN:
        return too_few
    if found.temperature is None:
        return (
            f"{model} has no usable scale here: a larger difference between its two scores does not"
            " mean that it sides with the choice more often than not."
        )
    if fitted.empty:
        return too_few
    least, surest = fitted.iloc[0], fitted.iloc[-1]
    told = f"Where {model} is surest ({_percent(surest['sure'])}, by its own scores) it sides with"
    told += f" the choice in {_bin(surest)}"
    if len(fitted) > 1:
        told += f"; where it is least sure ({_percent(least['sure'])}), in {_bin(least)}"
    return f"{told}. {_calibration(found)}".strip()


def temperature_sentence(found: Reliability, model: str) -> str:
    """What the fitted temperature says of the spread of a model's scores."""
    if found.temperature is None:
        return f"No temperature fits the scores of {model}."
    value = f"{found.temperature:.3g}"
    if found.temperature > 1.1:
        claim = "taken as they are, its scores claim to be surer than it is"
    elif found.temperature < 0.9:
        claim = "taken as they are, its scores claim to be less sure than it is"
    else:
        claim = "taken as they are, its scores claim about as much as it keeps"
    ties = f" {number_of(found.ties, 'pair')} with equal scores left out." if found.ties else ""
    return f"The temperature that fits {model} is {value}: {claim}.{ties}"


def coverage_sentence(curves: pd.DataFrame, model: str) -> str:
    """What would be gained if only the pairs that a model is surest of counted."""
    own = curves[curves["model"].eq(model) & curves["marked"].astype(bool)]
    if own.empty:
        return f"{model} has rated no pair."
    everything = own.iloc[-1]
    told = f"{model} sides with the choice in {_bin(everything)} of all it rated"
    part = own[own["coverage"] < 1]
    if part.empty:
        return f"{told}."
    near = part.iloc[(part["coverage"] - 0.25).abs().argmin()]
    return f"{told}, and in {_bin(near)} of the {int(near['n']):,} it is surest of."


def seen_sentence(seen: Rate | None, unseen: Rate | None, model: str) -> str:
    """Agreement on the pairs a model was trained on beside that on others."""
    if seen is None and unseen is None:
        return f"Nobody says which pairs {model} was trained on."
    parts = [
        f"in {percent(rate.rate, rate.n)} of {number_of(rate.n, 'pair')}"
        f" {interval(rate)}{as_if(rate)} {words}"
        for rate, words in ((seen, "it was trained on"), (unseen, "it had not seen"))
        if rate is not None
    ]
    return f"{model} sides with the choice {' and '.join(parts)}."


def _verdict(found: Difference, complete: bool, chosen_after_looking: bool) -> str:
    if chosen_after_looking:
        return CHOSEN_AFTER_LOOKING
    if not complete:
        return "Whether it is clear can be said once the run is complete."
    if found.excludes_zero and found.mid_p < _SIGNIFICANT:
        return "This difference is clear."
    if found.excludes_zero:
        return f"This difference may be chance: McNemar's test gives p = {found.mid_p:.2g}."
    return "This difference may be chance."


def _calibration(found: Reliability) -> str:
    if found.fitted is None:
        return f"Below {LEAST_FOR_ECE} pairs nothing more can be said."
    told = _error(found.fitted, found.n)
    if found.fitted.beyond_chance:
        return f"On average the two are {told}, so it is not as right as it is sure."
    return f"On average the two are {told}, so these pairs give no reason to doubt it."


def _error(error: CalibrationError, n: int) -> str:
    # As many decimals as show whether the error lies beyond the range.
    places = decimals_to_tell(error.high, 1, nulls=(error.ece,), scale=100) or 1
    ece, low, high = (
        number_text(value, places, scale=100) for value in (error.ece, error.low, error.high)
    )
    return (
        f"{ece} points apart; a model that is exactly as right as it is sure would show {low} to"
        f" {high} on {n:,} such pairs"
    )


def _bin(point: pd.Series) -> str:
    n = int(point["n"])
    ends = interval_ends(point["low"], point["high"], n)
    return f"{percent(point['rate'], n)} {ends}{as_if_apart(n, int(point['effective_n']))}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _amount(share: float, n: int) -> str:
    """A difference of shares in points; one decimal from 1,000 pairs on."""
    number = _points(share, n)
    return f"{number} point{'' if number == '1' else 's'}"


def _points(share: float, n: int) -> str:
    # A decimal tells 0.3 points from none where whole points would not.
    fine = n >= FINE_FROM or abs(share) < 0.005
    text = f"{100 * share:.1f}" if fine else f"{100 * share:.0f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def _gaps(needed: Sequence[Needed]) -> str:
    numbers = [f"{100 * one.gap:g}" for one in needed]
    return f"{_listed(numbers, 'or')} point{'' if numbers == ['1'] else 's'}"


def _rounded_up(pairs: int) -> int:
    """A number of pairs as it is planned with: two leading digits, never too few."""
    step: int = 10 ** max(0, len(str(pairs)) - 2)
    return -(-pairs // step) * step


def _listed(parts: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _are(n: int) -> str:
    return "is" if n == 1 else "are"
