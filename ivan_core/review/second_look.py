"""Asking people about pairs worth a second look, half listed and half random, and what they say.

Random pairs are what listed ones are set beside: people choose otherwise on any pairs now and then.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of
from ivan_core.engine.second_choices import SecondChoice, second_choices_on, second_look_queues
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.looks import ANEW, TABLE
from ivan_core.metrics.intervals import Rate, interval_text, number_text, share_in, units_of
from ivan_core.metrics.robustness.labels import difference_interval
from ivan_core.metrics.sentences import as_if_apart, share_of
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

LEAST = 30
"""Answers on listed pairs, and on random ones, from which on their shares are told."""
USUAL = 2 * LEAST


@dataclass(frozen=True, slots=True)
class Halves:
    """The pairs of a queue: as many of the list, from its top, as random ones of all others."""

    listed: tuple[int, ...]
    random: tuple[int, ...]


def halves(analysed: Analysed, count: int, seed: int = 0) -> Halves:
    """At most so many pairs of an analysis, in two halves of one size, of which no queue asks yet.

    Random ones may be further down the list; pairs whose replies are the same are in neither half.

    Raises:
        BadInput: the analysis lists no pairs, or all are asked about.
    """
    if TABLE not in analysed.tables:
        raise BadInput(f"Run {analysed.run.id} lists no pairs.", ANEW)
    if analysed.tables[TABLE].empty:
        raise BadInput(
            "There are no such pairs: no voice goes against the choice.", "Choose another source."
        )
    ranked, every = _left(analysed)
    half = min(max(1, count // 2), _half(ranked, every))
    if not half:
        raise BadInput(
            "People are asked about all pairs of the list already.",
            "Invite more people to these queues, or close one: what nobody judged is free again.",
        )
    listed = tuple(ranked[:half])
    others = sorted(set(every) - set(listed))
    draw = random.Random(f"second-look|{analysed.content}|{seed}")
    return Halves(listed, tuple(draw.sample(others, half)))


def most_to_ask(analysed: Analysed) -> int:
    """How many more pairs people can be asked about; 0 where none is listed, or all are asked."""
    return 2 * _half(*_left(analysed)) if TABLE in analysed.tables else 0


def asked_already(dataset: PreparedDataset) -> frozenset[int]:
    """The pairs that queues worth a second look ask about: those of open ones, and of closed ones
    what somebody judged."""
    found: set[int] = set()
    for queue, _ in second_look_queues(dataset):
        if queue.closed:
            found |= {row for row, _ in Queues(data_dir()).given(queue)}
        else:
            found |= {one.row_id for one in Queues(data_dir()).items(queue.id)}
    return frozenset(found)


def _left(analysed: Analysed) -> tuple[list[int], list[int]]:
    """The listed pairs in their order, and all pairs, of which no queue asks yet."""
    dataset = analysed.dataset
    out = dataset.identical_rows | dataset.tied_rows | asked_already(dataset)
    ranked = [row for row in analysed.tables[TABLE]["row_id"].tolist() if row not in out]
    return ranked, [row for row in analysed.row_ids if row not in out]


def _half(ranked: list[int], every: list[int]) -> int:
    return min(len(ranked), len(every) // 2)


@dataclass(frozen=True, slots=True)
class Preferred:
    """The answers of people to queues of such pairs that say something of both replies.

    `listed` and `random` are the shares that prefer the other reply, None without an answer. From
    `LEAST` answers each `low` and `high` are the ends of the difference; before they are None.
    """

    listed: Rate | None
    random: Rate | None
    low: float | None = None
    high: float | None = None

    @property
    def enough(self) -> bool:
        return self.low is not None


def preferred(dataset: PreparedDataset) -> Preferred | None:
    """What people say of listed and of random pairs; None where nobody was asked about them.

    Answers are blind, the earliest of each person on a pair; "no difference" prefers no reply.
    Intervals are as wide as several answers on a pair, or pairs of one prompt, ask; that of the
    difference is Newcombe's, of the two shares' own.
    """
    queues = {queue.id: listed for queue, listed in second_look_queues(dataset)}
    if not queues:
        return None
    told = [one for one in second_choices_on(dataset) if one.queue in queues and one.tells]
    first = _share(dataset, (one for one in told if one.row_id in queues[one.queue]))
    second = _share(dataset, (one for one in told if one.row_id not in queues[one.queue]))
    if first is None or second is None or min(first.n, second.n) < LEAST:
        return Preferred(first, second)
    return Preferred(first, second, *difference_interval(first, second))


def _share(dataset: PreparedDataset, found: Iterable[SecondChoice]) -> Rate | None:
    own = list(found)
    against = np.array([one.against for one in own], dtype=np.bool_)
    return share_in(against, units_of([one.row_id for one in own], dataset.prompt_groups))


def preferred_sentence(found: Preferred) -> str:
    """How much more often people prefer the other reply on listed pairs, once that can be told."""
    first, second = found.listed, found.random
    if first is None or second is None or found.low is None or found.high is None:
        counts = [one.n if one else 0 for one in (first, second)]
        return (
            f"People gave {number_of(counts[0], 'answer')} on listed pairs and {counts[1]:,} on"
            f" random ones; what they prefer is told from {LEAST} each."
        )
    difference = first.rate - second.rate
    ends = interval_text(found.low, found.high, 0, scale=100, signed=True)
    return (
        f"People prefer the other reply in {share_of(first)} answers on listed pairs"
        f"{_apart(first)} and in {share_of(second)} on random ones{_apart(second)}: a difference of"
        f" {number_text(difference, 0, scale=100, signed=True)} points {ends}."
    )


def _apart(rate: Rate) -> str:
    """As if of how many answers, where several are on one pair or pairs of one prompt."""
    return as_if_apart(rate.n, rate.effective_n, "answers share pairs or prompts")


OF_ANSWERS = (
    "Answers are blind, the first of each person on a pair; “no difference” prefers neither reply,"
    " and “can't tell” is no answer. It shows whether the list leads to pairs on which people"
    " choose otherwise; they enter no other rate. Interval: Newcombe (1998), method 10."
)
