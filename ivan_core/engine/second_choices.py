"""What people chose blindly on pairs, wherever they were asked: a second choice beside the first.

These are voices on single pairs. What enters rates is narrower: see `opinions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.annotations.queues import Queues
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Queue, by_rule
from ivan_core.engine.opinions import queues_on, said_in
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset


@dataclass(frozen=True, slots=True)
class SecondChoice:
    """What one person chose on a pair in a queue: chosen, rejected, none for no difference, or None
    for "can't tell"."""

    queue: int
    row_id: int
    answer: str | None

    @property
    def tells(self) -> bool:
        """Whether it says something of the two replies."""
        return self.answer in ("chosen", "rejected", NO_DIFFERENCE)

    @property
    def against(self) -> bool:
        """Whether the other reply is preferred."""
        return self.answer == "rejected"


def second_choices_on(dataset: PreparedDataset) -> list[SecondChoice]:
    """The blind choices of people on a dataset's pairs, the earliest of each person on each pair.

    Skipped ones, those changed once the choice could be known, those given in under a second and
    those of rules are left out.
    """
    asked = [queue for queue in queues_on(dataset) if queue.task == BETTER]
    said = [(queue.id, one) for queue in asked for one in said_in(queue)]
    said.sort(key=lambda one: (one[1].saved, one[0]))
    found: dict[tuple[str, int], SecondChoice] = {}
    for number, one in said:
        if one.skipped or one.quick or one.prefill or not one.blind or BETTER not in one.answers:
            continue
        if by_rule(one.reviewer):
            continue
        answer = one.answers[BETTER]
        choice = SecondChoice(number, one.row_id, None if answer is None else str(answer))
        found.setdefault((one.reviewer, one.row_id), choice)
    return list(found.values())


def second_look_queues(dataset: PreparedDataset) -> list[tuple[Queue, frozenset[int]]]:
    """The queues that mix listed pairs with random ones, and the listed rows of each."""
    found = []
    for queue in queues_on(dataset):
        if queue.source == "second-look" and queue.task == BETTER:
            listed = frozenset(
                one.row_id for one in Queues(data_dir()).items(queue.id) if one.listed
            )
            if listed:
                found.append((queue, listed))
    return found


def counted(found: Iterable[SecondChoice]) -> dict[int, tuple[int, int]]:
    """Of each row with a choice that tells: how many there are, and how many go against it."""
    counts: dict[int, tuple[int, int]] = {}
    for one in found:
        if one.tells:
            spoke, against = counts.get(one.row_id, (0, 0))
            counts[one.row_id] = (spoke + 1, against + one.against)
    return counts
