"""Queues and opinions of people whose every answer is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import BETTER, Item, ItemSide, Opinion, Queue, Source, Task


class Said:
    """Makes queues on one dataset, and lets people say things of their items."""

    def __init__(self, data_dir: Path, dataset: str) -> None:
        self.data_dir = data_dir
        self.dataset = dataset

    def queue(
        self,
        items: list[tuple[int, ItemSide]],
        keys: tuple[str, ...] = (),
        source: Source = "random",
        first: list[tuple[int, ItemSide]] | None = None,
        **fields: object,
    ) -> Queue:
        task: Task = "describe" if keys else "better"
        queue = Queue(0, "", self.dataset, f"{source} {task}", task, source, keys)
        made = replace(queue, **fields)  # type: ignore[arg-type]
        return Queues(self.data_dir).make(made, items, first or items[:1])

    def pairs(self, rows: int, **fields: object) -> Queue:
        """A queue that asks which reply is better of the first rows."""
        return self.queue([(row, "both") for row in range(rows)], **fields)  # type: ignore[arg-type]

    def choose(self, queue: Queue, person: str, sides: Mapping[int, Label], **how: object) -> None:
        """A person's choices by row."""
        for row, side in sides.items():
            self.say(queue, person, row, "both", {BETTER: side}, **how)

    def say(
        self,
        queue: Queue,
        person: str,
        row: int,
        side: ItemSide,
        answers: Mapping[str, Label],
        **how: object,
    ) -> Opinion:
        """What a person answers of one item, over whatever they said before."""
        old = Opinions(self.data_dir).of(Item(queue.id, 0, row, side), person)
        new = replace(old, answers=dict(answers), **how)  # type: ignore[arg-type]
        return Opinions(self.data_dir).save(new)
