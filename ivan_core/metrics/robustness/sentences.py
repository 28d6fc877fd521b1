"""Plain sentences about rewording: what was kept, what flipped, and whether that is noise.

Model ids and names of labels are other people's text and stand as they are: a page escapes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isnan

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Rate, interval_text, number_text
from ivan_core.metrics.robustness.changes import Correlation, Flips, MeanChange, Robustness
from ivan_core.metrics.robustness.noise import (
    FLIPS_WANTED,
    LEAST_TWICE,
    MOST_ALIKE,
    MOST_EQUAL,
    Beyond,
    Twice,
    least_pairs_for_flips,
    pairs_for_flips,
)
from ivan_core.metrics.sentences import (
    PROMPTS_SHARED,
    as_if,
    as_if_apart,
    as_if_n,
    count_in,
    difference_ends,
    interval,
    interval_ends,
    number_in,
    percent,
    share_ends,
)

Row = Mapping[str, object]

_REFERENCES = {
    "surface": "a change of punctuation and space alone",
    "second": "rewording the same text once more",
}
_BEYOND = {
    (True, True): "Both are more than noise.",
    (True, False): "Margins move more than noise; verdicts do not clearly flip more often.",
    (False, True): "Verdicts flip more often than by noise; margins do not clearly move further.",
    (False, False): "Not clearly more than noise.",
}
"""What is more than in the reference: margins, and verdicts that flip."""
FLIP_WORDS = {"misaligned": "no longer agrees", "aligned": "agrees now"}
"""The two ways in which a verdict flips."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of the pairs of a run: how many were asked for, and how many were reworded.

    `without` says what the others have, as in "a side that no rule fits".
    """

    asked: int
    reworded: int
    without: str


def rewriting_headline(
    kept: Rate | None,
    reworded: Robustness | None,
    surface: Robustness | None = None,
    came: Came | None = None,
    beyond: Beyond | None = None,
) -> str:
    """What opens the page: how often rewording changed the verdict, and kept the meaning.

    As in "Of 41 pairs reworded with the same meaning, 1 changed minilm's mind (2% [0, 13]).
    Punctuation alone changed it in 4 (10% [4, 23]): no more than noise. Meaning kept in 94%
    [90, 97] of 200 pairs." Where not every pair was reworded and measured, that is told.
    `beyond` is rewording against punctuation; without it nothing is said of noise.
    """
    if kept is None:
        why = f" ({came_words(came)})" if came is not None else ""
        return f"No pair has been reworded and scored{why}."
    told = (
        [mind_sentence(reworded, surface, beyond)]
        if reworded is not None and reworded.flips
        else []
    )
    meaning = f"Meaning kept in {_share(kept)} of {number_of(kept.n, 'pair')}"
    if came is not None and kept.n < came.asked:
        meaning += f" measured ({came_words(came)})"
    return " ".join([*told, f"{meaning}."])


def mind_sentence(reworded: Robustness, surface: Robustness | None, beyond: Beyond | None) -> str:
    """How often a model changed its mind, beside what punctuation alone does."""
    if reworded.flips is None:
        return ""
    rate = reworded.flips.either
    pairs = number_of(rate.n, "pair")
    changed = f"{rate.count:,}" if rate.count else "none"
    told = (
        f"Of {pairs} reworded with the same meaning, {changed} changed {reworded.model}'s mind"
        f" ({_share_inside(rate)})."
    )
    if surface is None or surface.flips is None:
        return told
    alone = surface.flips.either
    of = "" if alone.n == rate.n else f" of {alone.n:,}"
    changed = f"{alone.count:,}" if alone.count else "none"
    noise = f": {_noise(beyond)}" if beyond is not None else ""
    return f"{told} Punctuation alone changed it in {changed}{of} ({_share_inside(alone)}){noise}."


def _noise(beyond: Beyond) -> str:
    """Whether rewording flips more verdicts than what it is held against."""
    if beyond.flips.difference <= 0:
        return "no more than noise"
    clearly = "" if beyond.more_flips else "not "
    return f"rewording is {clearly}clearly more than noise"


def came_words(came: Came) -> str:
    """How many pairs were asked for and how many reworded, with what the others have.

    As in "100 asked, 64 reworded: 36 have a side that no rule fits".
    """
    left = came.asked - came.reworded
    why = f": {left:,} {'has' if left == 1 else 'have'} {came.without}" if left else ""
    return f"{came.asked:,} asked, {came.reworded:,} reworded{why}"


def flips_sentence(model: str, flips: Flips | None) -> str:
    """How many verdicts turned which way, of those that could."""
    if flips is None:
        return f"{model} has rated no reworded pair yet."
    lost, gained = flips.misaligned_at_risk, flips.aligned_at_risk
    clauses = []
    if lost is not None:
        tie = f", {flips.lost_to_tie:,} of them to a tie" if flips.lost_to_tie else ""
        clauses.append(
            f"of {number_of(lost.n, 'pair')} it agreed on, {_share(lost)} no longer agree{tie}"
        )
    if gained is not None:
        clauses.append(f"of {number_of(gained.n, 'pair')} it did not, {_share(gained)} now do")
    return f"{model}: {'; '.join(clauses)}."


def needed_sentence(flips: Flips | None) -> str:
    """How many pairs it would need where few verdicts flipped; empty where enough did."""
    if flips is None or flips.either.count >= FLIPS_WANTED:
        return ""
    rate = flips.either
    pairs = pairs_for_flips(rate)
    if pairs is None:
        least = least_pairs_for_flips(rate)
        return (
            f"No verdict of {number_of(rate.n, 'pair')} flipped. To see {FLIPS_WANTED} flips it"
            f" would need more than {least:,} pairs."
        )
    verb = "verdict flipped" if rate.count == 1 else "verdicts flipped"
    return (
        f"Only {rate.count} {verb}. To see {FLIPS_WANTED} at this rate it would need about"
        f" {pairs:,} pairs."
    )


def change_sentence(found: Robustness) -> str:
    """How far the rewards of each side moved, in typical margins where there is such a unit."""
    sides = [("chosen", found.chosen), ("rejected", found.rejected)]
    told = [f"{side} replies {_change(change, found.unit)}" for side, change in sides if change]
    if not told:
        return f"{found.model} has rated no reworded pair yet."
    return f"Rewording moves the reward of {found.model} for {' and for '.join(told)}."


def margin_sentence(found: Robustness) -> str:
    """How far the margins moved, in typical margins where there is such a unit."""
    if found.margin is None:
        return f"{found.model} has rated no reworded pair yet."
    return f"Rewording moves the margin of {found.model} {_change(found.margin, found.unit)}."


def correlation_sentence(model: str, side: str, found: Correlation | None) -> str:
    """How closely rewards before and after go together."""
    if found is None:
        return f"{model}: too few rewards that vary to correlate."
    ends = "" if isnan(found.low) else f" {interval_text(found.low, found.high, 3)}"
    return (
        f"{model}: rewards of {side} replies before and after correlate at"
        f" {number_text(found.r, 3)}{ends} on {number_of(found.n, 'pair')}."
    )


def beyond_sentence(model: str, found: Beyond | None) -> str:
    """Whether rewording flips more verdicts, and moves margins further, than a reference does."""
    if found is None:
        return f"{model}: no pair has both changes to compare."
    n, difference = found.n, found.flips
    against = _REFERENCES[found.reference]
    told = (
        f"{model}: rewording flips {percent(difference.first.rate, n)} of {number_of(n, 'pair')},"
        f" {against} {percent(difference.second.rate, n)} (difference"
        f" {difference_ends(difference.low, difference.high, n)} points{as_if(difference)})."
    )
    if isnan(found.excess):
        return told
    ends = "" if isnan(found.low) else f" {signed_ends(found.low, found.high)}"
    if found.design > 1:
        ends += as_if_apart(n, max(1, round(n / found.design)))
    moved = (
        f" Margins move by {found.change:.2f} typical margins against"
        f" {found.reference_change:.2f}{ends}."
    )
    return f"{told}{moved} {_BEYOND[found.larger, found.more_flips]}"


def together_sentence(tests: int) -> str:
    """How sure "more than noise" is where several comparisons are made."""
    return (
        f"“More than noise” holds for all {tests:,} tests of this run taken together (Holm);"
        " intervals are those of one comparison alone."
    )


def twice_sentence(model: str, found: Twice | None) -> str:
    """How alike the two rewordings are; where too alike, that they tell nothing of noise."""
    if found is None:
        return f"{model}: no pair was reworded twice, which would tell what is noise."
    if found.n < LEAST_TWICE:
        verb = "was" if found.n == 1 else "were"
        return (
            f"{model}: only {number_of(found.n, 'pair')} {verb} reworded twice; it takes"
            f" {LEAST_TWICE} to tell what is noise."
        )
    equal = found.equal
    wide = as_if_apart(equal.n, equal.effective_n, PROMPTS_SHARED)
    share = f"{percent(equal.rate, equal.n)} of {equal.n:,} replies {interval(equal)}{wide}"
    told = f"{share} came out the same twice"
    if found.alike is None:
        return (
            f"{model}: {told}, and what a rewording moves margins by does not vary on"
            f" {number_of(found.n, 'pair')}, so it does not tell what is noise."
        )
    ends = interval_text(found.alike.low, found.alike.high, 2, nulls=(0.0, MOST_ALIKE))
    told += (
        ", and what the two rewordings move margins by correlates at"
        f" {number_text(found.alike.r, 2)} {ends} on {number_of(found.n, 'pair')}"
    )
    if found.is_floor:
        return f"{model}: {told}."
    return (
        f"{model}: {told}. A second rewording so like the first does not tell what is noise"
        f" (it would take under {percent(MOST_EQUAL, 100)} the same and a correlation of at most"
        f" {MOST_ALIKE:g}), so rewording is not held against it."
    )


def label_flip_sentence(row: Row, called: str) -> str:
    """How often a label flips, with the labeler's own flips taken off.

    `row` is one of `metrics.robustness.labels.flip_rates`.
    """
    n = count_in(row, "n")
    lost, gained = count_in(row, "lost"), count_in(row, "gained")
    texts = number_of(n, "text")
    low, high, alone = (number_in(row, name) for name in ("low", "high", "effective_n"))
    ends = share_ends(low, high, n, alone, PROMPTS_SHARED, "; 95% interval ")
    told = (
        f"“{called}” flips in {percent(number_in(row, 'rate'), n)} of {texts} ({lost:,} lost,"
        f" {gained:,} gained{ends})"
    )
    if isnan(low):
        return f"{told}."
    if isnan(number_in(row, "excess")):
        return f"{told}; how often the labeler changes its own mind is not known."
    ends = difference_ends(number_in(row, "excess_low"), number_in(row, "excess_high"), n)
    own_n = count_in(row, "own_n")
    own = f"{percent(number_in(row, 'own_rate'), own_n)} of {own_n:,}"
    own += f" {interval_ends(number_in(row, 'own_low'), number_in(row, 'own_high'), own_n)}"
    own += as_if_apart(own_n, count_in(row, "own_effective_n"), PROMPTS_SHARED)
    return f"{told}; the labeler by itself in {own}, so {ends} points are due to the rewording."


def risk_sentence(row: Row, called: str) -> str:
    """Whether pairs turn against the choice more often where a label flips.

    `row` is one of `metrics.robustness.labels.misalignment_risks`.
    """
    flips, n = count_in(row, "flips"), count_in(row, "n")
    what = f"“{called}” {row['direction']} in the {row['preference']} reply"
    if isnan(number_in(row, "difference")):
        needs = number_in(row, "needs")
        need = "" if isnan(needs) else f" It would need about {int(needs):,} pairs."
        return (
            f"{what}: too few to tell ({flips:,} flips, {count_in(row, 'events'):,} events).{need}"
        )
    flipped, same = number_in(row, "risk_flipped"), number_in(row, "risk_same")
    ends = difference_ends(number_in(row, "low"), number_in(row, "high"), n)
    clear = "The difference is clear." if row["clear"] else "No clear difference."
    return (
        f"{what}: {percent(flipped, flips)} of {number_of(flips, 'pair')} turn against the choice,"
        f" where it stays {percent(same, n - flips)} of {n - flips:,} (difference {ends} points"
        f"{as_if_n(n, count_in(row, 'effective_n'))}). {clear}"
    )


def risk_cells(row: Row, called: str) -> dict[str, object]:
    """The same as cells of a table, with Firth's odds ratio, adjusted for the size of the margin.

    `row` is one of `metrics.robustness.labels.misalignment_risks`; a cell that too few flips or
    events leave open is empty.
    """
    known, needs = not isnan(number_in(row, "difference")), number_in(row, "needs")
    flips, n = count_in(row, "flips"), count_in(row, "n")
    shares = ("", "", "", "")
    if known:
        low, high = _odds(row, "odds_low"), _odds(row, "odds_high")
        odds = f"{number_in(row, 'odds_ratio'):.2f} {interval_text(low, high, 2, nulls=(1.0,))}"
        shares = (
            percent(number_in(row, "risk_flipped"), flips),
            percent(number_in(row, "risk_same"), n - flips),
            difference_ends(number_in(row, "low"), number_in(row, "high"), n)
            + as_if_apart(n, count_in(row, "effective_n")),
            odds,
        )
    return {
        "what": f"{called} {row['direction']}, {row['preference']}",
        "flips": flips,
        "events": count_in(row, "events"),
        **dict(zip(("flipped", "stayed", "difference", "odds"), shares, strict=True)),
        "clear": "clear" if known and row["clear"] else "",
        "needs": None if known or isnan(needs) else int(needs),
    }


def _odds(row: Row, name: str) -> float:
    value = number_in(row, name)
    return inf if value > 1e6 else value


def signed(value: float) -> str:
    """Two decimals with a sign and a real minus; none where it rounds to zero."""
    return number_text(value, 2, signed=True)


def signed_ends(low: float, high: float) -> str:
    """An interval in numbers with signs; more decimals where an end would round to zero."""
    return interval_text(low, high, 2, signed=True)


def _change(change: MeanChange, unit: float | None) -> str:
    shown = change.in_units(unit) if unit else change
    words = " typical margins" if unit else ""
    ends = "" if isnan(shown.low) else f" {signed_ends(shown.low, shown.high)}"
    return f"by {signed(shown.mean)}{words}{ends}{as_if_apart(change.n, change.effective_n)}"


def _share(rate: Rate) -> str:
    share = percent(rate.rate, rate.n)
    if isnan(rate.low):
        return share
    return f"{share} {interval(rate)}{as_if_apart(rate.n, rate.effective_n)}"


def _share_inside(rate: Rate) -> str:
    """The same, to stand inside brackets."""
    ends = "" if isnan(rate.low) else f" {interval(rate)}{as_if(rate)}"
    return f"{percent(rate.rate, rate.n)}{ends}"
