"""Describing both replies of random pairs: their order, which pairs of an analysis are left to
draw, and how many are whole so far.

People's labels correct an imprint on whole pairs alone: who stops early should leave few halves.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.reviews import Item, ItemSide, Queue
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets
from ivan_core.engine.opinions import queues_on
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.steps.people import people_on
from ivan_core.labels.schema import GROUPS, features
from ivan_core.metrics.imprint.corrected import LEAST_REVIEWED
from ivan_core.review.pace import seconds_an_item, time_words
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

APART = 10
"""So many items lie between the two replies of a pair at least, where a queue has that many."""


def both_of_each(rows: Sequence[int], generator: random.Random) -> list[tuple[int, ItemSide]]:
    """Both replies of each pair, in this order of pairs but never side by side.

    Some `APART` pairs after the other: of each a reply drawn by chance, then the other reply of
    each. So who stops early has described mostly whole pairs. A single pair stays together.
    """
    blocks = max(1, len(rows) // APART)
    found: list[tuple[int, ItemSide]] = []
    for block in range(blocks):
        own = rows[block * len(rows) // blocks : (block + 1) * len(rows) // blocks]
        first = [generator.choice(SIDES) for _ in own]
        found += zip(own, first, strict=True)
        others = (SIDES[1 - SIDES.index(side)] for side in first)
        found += zip(own, others, strict=True)
    return found


def whole_rows(items: Sequence[Item]) -> frozenset[int]:
    """The rows of which a queue asks for both replies, each by itself."""
    sides = ({one.row_id for one in items if one.side == side} for side in SIDES)
    return frozenset(set.intersection(*sides))


def usable_rows(analysed: Analysed, labeler: str) -> list[int]:
    """The pairs that all models of an analysis rated and this labeler labelled."""
    inside = np.all([analysed.entered(model, labeler) for model in analysed.models], axis=0)
    return [row for row, holds in zip(analysed.row_ids, inside, strict=True) if holds]


def rows_to_ask(analysed: Analysed, labeler: str) -> list[int]:
    """Those among them on which no queue asks for both replies so far.

    Raises:
        BadInput: they are no random sample of the dataset, or all are asked.
    """
    if not choose_rows(analysed.spec, analysed.dataset).random:
        raise BadInput(
            f"The pairs of run {analysed.run.id} are not a random sample of the dataset.",
            "Draw from the whole dataset, or analyse all pairs or a random sample.",
        )
    asked = _asked(analysed.dataset)
    left = [row for row in usable_rows(analysed, labeler) if row not in asked]
    if not left:
        raise BadInput(
            f"All pairs of run {analysed.run.id} with labels of this labeler are in queues.",
            "Invite more people to these.",
        )
    return left


def queues_of_pairs(dataset: PreparedDataset) -> list[tuple[Queue, frozenset[int]]]:
    """The random queues that ask for both replies of pairs, oldest first, with these pairs."""
    found = []
    for queue in queues_on(dataset):
        describes = queue.random and queue.task == "describe"
        if describes and (rows := whole_rows(Queues(data_dir()).items(queue.id))):
            found.append((queue, rows))
    return found


def _asked(dataset: PreparedDataset) -> set[int]:
    """Pairs of open queues, and those of closed ones on which somebody answered."""
    found: set[int] = set()
    for queue, rows in queues_of_pairs(dataset):
        said = {row for row, _ in Queues(data_dir()).given(queue)} if queue.closed else rows
        found |= rows & said
    return found


def _waiting(dataset: PreparedDataset) -> set[int]:
    """Pairs of open queues of which nobody described both replies so far."""
    found: set[int] = set()
    for queue, rows in queues_of_pairs(dataset):
        if not queue.closed:
            given = Counter(row for row, _ in Queues(data_dir()).given(queue))
            found |= {row for row in rows if given[row] < len(SIDES)}
    return found


@dataclass(frozen=True, slots=True)
class Described:
    """How many of an analysis' pairs people described by now: `whole`; `half`, one reply alone; and
    `unsure`, both replies, but a question that nobody could tell, or on which people split."""

    whole: int
    half: int = 0
    unsure: int = 0

    @property
    def sentence(self) -> str:
        """As in "By now people have described both replies of 12 of 300 pairs."; empty where nobody
        described any."""
        if not self.whole and not self.half and not self.unsure:
            return ""
        of = f"{self.whole:,} of {LEAST_REVIEWED} pairs"
        if self.whole >= LEAST_REVIEWED:
            of = f"{self.whole:,} pairs, {LEAST_REVIEWED} are needed"
        told = f"By now people have described both replies of {of}"
        others = [
            f"{count:,} more {what}"
            for count, what in (
                (self.half, "by one reply alone"),
                (self.unsure, "with a “can't tell” or as many for as against"),
            )
            if count
        ]
        return f"{told}. Not counted: {', '.join(others)}." if others else f"{told}."


def described(analysed: Analysed, labeler: str) -> Described:
    """What people described so far of the pairs that a labeler's numbers rest on."""
    row_ids = np.array(analysed.row_ids, dtype=np.int64)
    people = people_on(analysed.dataset, row_ids)
    if people is None:
        return Described(0)
    keys = analysed.features_of(labeler)
    inside = [analysed.entered(model, labeler) for model in analysed.models]
    most = max(inside, key=lambda one: people.on(one, keys))
    said = np.stack(
        [~np.isnan(own).all(axis=1) for own in (people.said.chosen, people.said.rejected)]
    )
    whole, both = people.on(most, keys), int((said.all(axis=0) & most).sum())
    return Described(whole, int((said.any(axis=0) & most).sum()) - both, both - whole)


@dataclass(frozen=True, slots=True)
class AskingOfPairs:
    """Asking people to describe both replies of `count` pairs of an analysis, drawn at random.

    `runs` are what the queue draws on, `groups` the screens that hold the labeler's features, and
    `minutes` how long all of it takes.
    """

    count: int
    runs: tuple[str, str]
    groups: tuple[str, ...]
    minutes: int

    @property
    def does(self) -> str:
        return f"Ask people to describe both replies of {number_of(self.count, 'pair')}"

    @property
    def terms(self) -> str:
        return f"free, {time_words(self.minutes)} in all"


def asked_of_pairs(dataset: str, run_ids: tuple[str, ...]) -> AskingOfPairs:
    """What an address asks for: an analysis of a dataset, and one of its labelers.

    Raises:
        BadInput: a run is gone or of other pairs, or nothing is left to ask.
    """
    found, labeler = named_analysis(run_ids, datasets.by_fingerprint(dataset))
    asking = asking_of_pairs(found, labeler, described(found, labeler))
    if asking is None:
        raise BadInput("Nothing is left to ask of these pairs.", "Invite people to the queues.")
    return asking


def whole_terms(dataset: str, items: int) -> str:
    """How long some replies take, and from how many pairs on it serves an imprint."""
    seconds = items * seconds_an_item(datasets.by_fingerprint(dataset), "describe")
    return (
        f"{time_words(round(seconds / 60)).capitalize()} of describing in all, at"
        f" {seconds / items:.0f} s a reply, shared by all who take part. From {LEAST_REVIEWED}"
        " whole pairs on an analysis shows what is rewarded as people label."
    )


def asking_of_pairs(analysed: Analysed, labeler: str, done: Described) -> AskingOfPairs | None:
    """What is left to ask until a labeler's imprint can be corrected; None where enough is asked,
    or too few pairs are there.

    Raises:
        BadInput: the pairs are no random sample of the dataset.
    """
    usable = set(usable_rows(analysed, labeler))
    if len(usable) < LEAST_REVIEWED:
        return None
    count = LEAST_REVIEWED - done.whole - len(usable & _waiting(analysed.dataset))
    if count <= 0:
        return None
    left = rows_to_ask(analysed, labeler)
    keys = {one.group for one in features(analysed.features_of(labeler))}
    groups = tuple(group for group in GROUPS if group in keys)
    count = min(count, len(left))
    taken = round(2 * count * seconds_an_item(analysed.dataset, "describe") / 60)
    return AskingOfPairs(count, (analysed.run.id, labeler), groups, taken)


def named_analysis(run_ids: Sequence[str], dataset: PreparedDataset) -> tuple[Analysed, str]:
    """The analysis of these pairs that a request names, and the labeler named with it, else its
    first.

    Raises:
        BadInput: it is no finished analysis of these pairs, or has no such labeler.
    """
    found = open_analysis(run_ids[0])
    if found.content != str(dataset.about["content"]):
        raise BadInput(
            f"Run {run_ids[0]} is an analysis of other pairs than {dataset.about['label']}.",
            "Choose an analysis of the same pairs.",
        )
    if len(run_ids) > 1 and run_ids[1] not in {one.run_id for one in found.labelers}:
        raise BadInput(
            f"Run {run_ids[0]} does not rest on labels of run {run_ids[1]}.",
            "Choose one of its labelers.",
        )
    return found, found.labeler(run_ids[1] if len(run_ids) > 1 else "").run_id
