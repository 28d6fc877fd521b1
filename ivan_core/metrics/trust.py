"""Whether one model's numbers can be trusted: a few checks, each with its reason in plain words.

A strip is made from plain facts, without the model or the dataset at hand, so that it can be
computed with the run and kept with it. `None` is what nobody knows or measured; it becomes the
level "unknown", never green.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ivan_core.domain.models import MEASURED, EightBits, Reward
from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Rate, wilson
from ivan_core.metrics.sentences import as_if_apart, count_of, interval, percent
from ivan_core.metrics.summary import ModelSummary

Level = Literal["green", "amber", "red", "unknown"]
LEVELS: tuple[Level, ...] = ("green", "unknown", "amber", "red")
"""From best to worst: what nobody knows is better than what is known to be wrong."""

TRUNCATED_AMBER, TRUNCATED_RED = 0.01, 0.10
BATCH_ROWS = 16
FULL_PRECISION_AMBER = 1e-4
HALF_PRECISION_AMBER = 0.01
NOT_FINITE_RED = 0.01
EIGHT_BITS_RED = 0.10
FLIPPED_BELOW, FLIPPED_FROM = 0.40, 200
_FULL_PRECISION = ("float32", "fp32", "float64", "fp64")
_COMMIT = re.compile(r"(?:[\w-]+:)?[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, how it stands, and why."""

    name: str
    level: Level
    reason: str


@dataclass(frozen=True, slots=True)
class TrustStrip:
    """All checks of one model; the strip has the colour of the worst."""

    model: str
    checks: tuple[Check, ...]

    @property
    def level(self) -> Level:
        """The worst level of all checks."""
        return max((check.level for check in self.checks), key=LEVELS.index, default="unknown")

    def as_dict(self) -> dict[str, Any]:
        """The strip as plain dicts and strings, ready for JSON."""
        return {
            "model": self.model,
            "level": self.level,
            "checks": [asdict(check) for check in self.checks],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrustStrip:
        """A strip as `as_dict` gave it."""
        return cls(str(plain["model"]), tuple(Check(**check) for check in plain["checks"]))


@dataclass(frozen=True, slots=True)
class BatchDifference:
    """How much the rewards of the same rows change between alone and in a batch.

    `largest` is the largest absolute change of a reward; `verdicts_changed` counts rows.
    """

    rows: int
    largest: float
    verdicts_changed: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the checks need to know beside the verdicts of the model.

    `head_label` is what the model's configuration calls its score, None if it has no telling name.
    `distinct_rewards` counts different finite rewards and `not_finite` texts whose reward was none.
    `trained_on_dataset` is what the card says of the whole dataset. `batch` is None if not tried.
    `server` says which program scored where that was another one than IVAN, and `compared` whether
    its scores were set beside those of a pass here.
    """

    input_format: str | None
    input_format_guessed: bool
    revision: str
    dtype: str
    head_label: str | None
    distinct_rewards: int
    not_finite: int
    texts: int
    trained_on_dataset: bool | None
    batch: BatchDifference | None
    way: str = ""
    """How the model read its texts, in a sentence, where not simply in batches."""
    server: str = ""
    compared: bool = False
    eight_bits: EightBits | None = None


_Sides = list[tuple[float, float]]


def batch_difference(
    alone: Sequence[tuple[float, float]], in_batch: Sequence[tuple[float, float]]
) -> BatchDifference | None:
    """Compare the (chosen, rejected) rewards of the same rows scored alone and in a batch.

    None without rows. Raises ValueError if the two differ in length.
    """
    pairs = list(zip(alone, in_batch, strict=True))
    if not pairs:
        return None
    largest = max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))
    changed = sum(_sign(one[0] - one[1]) != _sign(other[0] - other[1]) for one, other in pairs)
    return BatchDifference(len(pairs), largest, changed)


def difference_of(rewards: Sequence[Reward]) -> BatchDifference | None:
    """How far rewards of texts scored in one way, which come first, are from those in another.

    Such as in a batch and each text alone. The sides of a pair come by turns. None where no pair
    has all four.
    """
    half = len(rewards) // 2
    return batch_difference(*_both_rated(rewards[half:], rewards[:half]))


def _both_rated(alone: Sequence[Reward], together: Sequence[Reward]) -> tuple[_Sides, _Sides]:
    """(chosen, rejected) rewards of the pairs that have all four; texts come by turns."""
    kept: tuple[_Sides, _Sides] = ([], [])
    values = [reward.value for reward in (*alone, *together)]
    half = len(alone)
    for place in range(0, half, 2):
        one, other = values[place : place + 2], values[half + place : half + place + 2]
        if None not in one and None not in other:
            kept[0].append((one[0] or 0.0, one[1] or 0.0))
            kept[1].append((other[0] or 0.0, other[1] or 0.0))
    return kept


def trust_strip(summary: ModelSummary, facts: ModelFacts) -> TrustStrip:
    """All checks of one model from its summary and the facts about it."""
    counts = summary.counts
    served = (check_server(facts.server, facts.compared),) if facts.server else ()
    eight = (check_eight_bits(facts.eight_bits),) if facts.eight_bits else ()
    return TrustStrip(
        summary.model,
        (
            *served,
            check_format(facts.input_format, facts.input_format_guessed),
            check_truncation(counts.truncated, counts.rated),
            check_batch(facts.batch, facts.dtype, summary.typical_margin, facts.way),
            *eight,
            check_scores(facts.distinct_rewards, facts.not_finite, facts.texts),
            check_direction(summary.agreement, facts.head_label),
            check_seen(summary.seen, summary.unseen, counts.rated, facts.trained_on_dataset),
            check_revision(facts.revision),
        ),
    )


def check_server(told: str, compared: bool) -> Check:
    """Green if scores of a server were compared with those of a pass here, else nobody knows."""
    return Check("scored by a server", "green" if compared else "unknown", told)


def check_format(input_format: str | None, guessed: bool) -> Check:
    """Green if the way dialogues are put to the model is known, amber if it was guessed."""
    name = "input format"
    if not input_format:
        return Check(name, "unknown", "Nobody recorded how dialogues were put to the model.")
    if guessed:
        return Check(
            name,
            "amber",
            f"Dialogues were put to the model as {input_format}: a guess from its files, so"
            " another format may give other verdicts.",
        )
    return Check(name, "green", f"Dialogues were put to the model as {input_format}, as declared.")


def check_truncation(truncated: int, rated: int) -> Check:
    """Green below 1% of rated pairs not read to the end, amber below 10%, red from there on."""
    name = "reads whole texts"
    if not rated:
        return Check(name, "unknown", "No pair was rated.")
    if not truncated:
        return Check(name, "green", f"All of {number_of(rated, 'pair')} were read to the end.")
    share = truncated / rated
    level: Level = (
        "green" if share < TRUNCATED_AMBER else "amber" if share < TRUNCATED_RED else "red"
    )
    return Check(
        name,
        level,
        f"{percent(share, rated)} of pairs were not read to the end"
        f" ({truncated:,} of {rated:,}): the model judged them by a part.",
    )


def check_batch(
    batch: BatchDifference | None, dtype: str, typical_margin: float | None, way: str = ""
) -> Check:
    """Whether a text scored in a batch gets the reward it gets alone; `way` says how it was read.

    In full precision green below a change of 0.0001; in half precision green up to 1% of the
    typical margin. More is amber; red if a verdict changes.
    """
    level, reason = _batch_changes(batch, dtype, typical_margin)
    return Check("same score in any batch", level, f"{reason} {way}".strip())


def _batch_changes(
    batch: BatchDifference | None, dtype: str, typical_margin: float | None
) -> tuple[Level, str]:
    if batch is None:
        return "unknown", "Scores alone and in a batch were not compared."
    rows = number_of(batch.rows, "row")
    if batch.verdicts_changed:
        changed = f"{batch.verdicts_changed} of {rows}"
        return "red", f"{changed} got another verdict in a batch than alone."
    if not batch.largest < float("inf"):
        return "red", f"Some of {rows} got no finite score alone or in a batch."
    if batch.largest == 0:
        return "green", f"{rows} got exactly the same scores alone and in a batch."
    change = f"{rows} changed by at most {batch.largest:.2g} in a batch"
    if dtype in _FULL_PRECISION:
        level: Level = "green" if batch.largest < FULL_PRECISION_AMBER else "amber"
        return level, f"The scores of {change}; no verdict changed."
    if not typical_margin:
        return "unknown", f"The scores of {change}, with no margin to compare to."
    share = batch.largest / typical_margin
    level = "green" if share <= HALF_PRECISION_AMBER else "amber"
    return level, f"The scores of {change}, {share:.2%} of a typical margin; no verdict changed."


def check_eight_bits(found: EightBits) -> Check:
    """How a model in 8 bits stands to itself in full precision, on the pairs of the check.

    Green if no verdict changed, amber below 10% of the pairs, red from there on.
    """
    level: Level = "unknown"
    if found.pairs:
        share = found.verdicts_changed / found.pairs
        level = "green" if not share else "amber" if share < EIGHT_BITS_RED else "red"
    return Check("verdicts in 8 bits", level, eight_bits_sentence(found))


def eight_bits_sentence(found: EightBits) -> str:
    """That a model's weights were held in 8 bits, and what that changed."""
    changed = wilson(found.verdicts_changed, found.pairs)
    if changed is None:
        why = found.not_compared or "nobody recorded why"
        return f"Its weights were held in 8 bits; not compared with full precision: {why}."
    told = f"no verdict of {number_of(found.pairs, 'pair')}"
    if found.verdicts_changed:
        told = f"the verdict of {count_of(changed, 'pair')}"
    return (
        f"Its weights were held in 8 bits: against full precision {told} changed, and scores moved"
        f" by at most {found.largest:.2g}."
    )


def check_scores(distinct: int, not_finite: int, texts: int) -> Check:
    """Red if the rewards are all the same or 1% of the texts got none that is finite."""
    name = "usable scores"
    if not texts:
        return Check(name, "unknown", "No text was scored.")
    if distinct <= 1 < texts:
        return Check(name, "red", "Every text got the same score, so the model tells none apart.")
    if not_finite:
        level: Level = "red" if not_finite / texts >= NOT_FINITE_RED else "amber"
        return Check(
            name, level, f"{not_finite:,} of {texts:,} texts got a score that is not a number."
        )
    return Check(name, "green", f"Scores are finite and differ between {texts:,} texts.")


def check_direction(agreement: Rate | None, head_label: str | None) -> Check:
    """Red if the sign may be flipped, amber if the model clearly prefers what was rejected.

    "May be flipped" only if the interval of agreement ends below 40%, at least 200 pairs were rated
    and the head's label is unknown: honest models reach 43-44% on pairs they were not made for.
    """
    name = "direction"
    if agreement is None:
        return Check(name, "unknown", "No pair was rated.")
    told = f"It sides with the choice in {percent(agreement.rate, agreement.n)} of pairs"
    told += f" {interval(agreement, (FLIPPED_BELOW, 0.5))}{_wide(agreement)}"
    if agreement.high < FLIPPED_BELOW and agreement.n >= FLIPPED_FROM and not head_label:
        return Check(
            name, "red", f"{told} and nothing says what its score means: the sign may be flipped."
        )
    if agreement.high < 0.5:
        return Check(name, "amber", f"{told}: it prefers what was rejected here, see by subset.")
    return Check(name, "green", f"{told}: nothing hints at a flipped sign.")


def check_seen(seen: Rate | None, unseen: Rate | None, rated: int, trained: bool | None) -> Check:
    """Whether the model was trained on the pairs it judges; seen and unseen agreement apart."""
    name = "new to the model"
    if not rated:
        return Check(name, "unknown", "No pair was rated.")
    if seen is None and unseen is None:
        if trained:
            reason = "Its card says it was trained on this dataset, but not on which pairs."
            return Check(name, "amber", reason)
        return Check(name, "unknown", "Nobody says which pairs the model was trained on.")
    if seen is None:
        known = unseen.n if unseen else 0
        few = "" if known == rated else f"; nobody knows of the other {rated - known:,}"
        level: Level = "green" if known == rated else "unknown"
        return Check(name, level, f"None of {number_of(known, 'pair')} were in its training{few}.")
    on_seen = f"{percent(seen.rate, seen.n)} {interval(seen)}{_wide(seen)}"
    on_seen += f" of {number_of(seen.n, 'pair')} it was trained on"
    if unseen is None:
        return Check(name, "red", f"It sides with the choice in {on_seen}; no other pair is here.")
    return Check(
        name,
        "amber",
        f"It sides with the choice in {on_seen} and in {percent(unseen.rate, unseen.n)}"
        f" {interval(unseen)}{_wide(unseen)} of {unseen.n:,} others;"
        " the headline is on the others.",
    )


def check_revision(revision: str) -> Check:
    """Green if the weights are named by a commit or a hash of their files, else amber."""
    name = "version of the weights"
    if not revision:
        return Check(name, "amber", "The version of the weights is unknown.")
    if revision.startswith(MEASURED):
        return Check(
            name,
            "amber",
            "The server tells no version of the weights; its scores of four fixed texts stand for "
            f"it ({revision}).",
        )
    if not _COMMIT.fullmatch(revision):
        return Check(
            name, "amber", f"The version is {revision}, a name that may point elsewhere later."
        )
    return Check(name, "green", f"The weights are those of {revision[:19]}.")


def _wide(rate: Rate) -> str:
    """In brackets, of how many pairs an interval is that repeated prompts made wider."""
    return as_if_apart(rate.n, rate.effective_n)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
