"""The datasets that can be reviewed, and what a queue looks like to its owner."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.plurals import number_of
from ivan_core.domain.reviews import Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.engine.finished_runs import datasets_of
from ivan_core.review.flow import opinions, queues
from ivan_core.review.queues import SOURCES

TASKS = {"better": "Which reply is better?", "describe": "Describe this reply"}


def datasets_to_review() -> dict[str, str]:
    """The datasets that are here, by fingerprint and with their names; at least the sample.

    First come those with queues, newest first, then those that runs looked at.
    """
    wanted = [queue.dataset for queue in queues().all()]
    wanted += datasets_of("compare")
    found = {}
    for fingerprint in dict.fromkeys(wanted):
        try:
            found[fingerprint] = str(datasets.by_fingerprint(fingerprint).about["label"])
        except BadInput:
            continue  # its texts are gone, so nobody can review them
    sample = datasets.find(DatasetRequest(source=SAMPLE))
    if sample is not None:
        found.setdefault(sample.fingerprint, str(sample.about["label"]))
    return found


@dataclass(frozen=True, slots=True)
class QueueState:
    """How far a queue is. `people` counts the finished opinions of each person, its first items
    included; `verified` are those who logged in."""

    queue: Queue
    items: int
    enough: int
    opinions: int
    people: dict[str, int]
    verified: frozenset[str]

    @property
    def name(self) -> str:
        """The number and title: several queues may have the same title."""
        return f"{self.queue.id} · {self.queue.title}"

    @property
    def sentence(self) -> str:
        """As in "3 of 20 items have 2 opinions; Ada 12, Bo 7."."""
        each = number_of(self.queue.opinions, "opinion")
        told = f"{self.enough:,} of {self.items:,} items have {each}"
        named = [
            f"{name}{'' if name in self.verified else ' (not verified)'} {count:,}"
            for name, count in sorted(self.people.items(), key=lambda one: -one[1])
        ]
        return f"{told}; {', '.join(named)}." if named else f"{told}; nobody has begun."

    @property
    def row(self) -> dict[str, object]:
        """A line of the owner's table, by its headings."""
        queue = self.queue
        return {
            "Queue": self.name,
            "Asks": TASKS[queue.task],
            "Items from": SOURCES[queue.source].partition(":")[0],
            "Done": 100 * self.enough / self.items if self.items else 0.0,
            "Items": self.items,
            "Opinions": self.opinions,
            "People": len(self.people),
            "For": queue.assigned or "whoever has the link",
            "State": "closed" if queue.closed else "open",
        }


def state_of(queue: Queue) -> QueueState:
    """How far a queue is, and who judged how much of it."""
    total, enough, given = queues().progress(queue.id)
    said = [
        one
        for number in (queue.id, *([queue.companion] if queue.companion else []))
        for one in opinions().all(number)
        if not one.skipped and all(key in one.answers for key in queue.asked)
    ]
    people = Counter(one.reviewer for one in said)
    verified = frozenset(one.reviewer for one in said if one.verified)
    return QueueState(queue, total, enough, given, dict(people), verified)
