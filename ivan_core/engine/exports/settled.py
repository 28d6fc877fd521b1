"""What people settled of pairs: which reply they prefer, where they were asked and agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ivan_core.annotations.opinions import Decisions, Opinions
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import BETTER, Decision, by_rule
from ivan_core.engine.opinions import queues_on
from ivan_core.interchange.content import Content, Row, flipped
from ivan_core.interchange.format import Format
from ivan_core.settings import data_dir

Wanted = Literal["keep", "flip", "drop"]
WANTED: tuple[Wanted, ...] = get_args(Wanted)
"""What is done with a preference against which people settled: nothing, turned round, left out."""
LEAST = 2
"""So many people who all say the same settle a pair; a decision settles it alone."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What people prefer of a pair: chosen, rejected or none; empty where nothing is settled.

    `people` is how many said so, or how many said anything where nothing is settled.
    """

    answer: Literal["", "chosen", "rejected", "none"]
    people: int

    @property
    def other(self) -> bool:
        """Whether people settled on the reply that was not chosen."""
        return self.answer == "rejected"


NOTHING = Settled("", 0)


def settled_pairs(dataset: PreparedDataset) -> dict[int, Settled]:
    """What people said of pairs and how it stands, by row id.

    A decision in force settles a pair, the latest of several; else all who answered do, if they are
    at least two and agree.
    """
    said: dict[int, dict[str, str]] = {}
    decided: dict[int, Decision] = {}
    for queue in queues_on(dataset):
        if queue.task != "better":
            continue
        for one in Opinions(data_dir()).all(queue.id):
            answer = one.answers.get(BETTER)
            if not one.skipped and answer is not None and not by_rule(one.reviewer):
                said.setdefault(one.row_id, {})[one.reviewer] = str(answer)
        for decision in Decisions(data_dir()).all(queue.id):
            before = decided.get(decision.row_id)
            if decision.key == BETTER and (before is None or decision.made >= before.made):
                decided[decision.row_id] = decision
    return {row: _settled(said.get(row, {}), decided.get(row)) for row in {*said, *decided}}


def _settled(said: Mapping[str, str], decision: Decision | None) -> Settled:
    answers = set(said.values())
    if decision is not None and decision.answer is not None:
        agree = {name for name, answer in said.items() if answer == decision.answer}
        return Settled(_answer(str(decision.answer)), len(agree | {decision.by}))
    if len(said) >= LEAST and len(answers) == 1:
        return Settled(_answer(answers.pop()), len(said))
    return Settled("", len(said))


def _answer(answer: str) -> Literal["", "chosen", "rejected", "none"]:
    sides: tuple[Side, Side] = ("chosen", "rejected")
    return next((side for side in sides if side == answer), "none")


def as_settled(content: Content, dataset: PreparedDataset, wanted: Wanted) -> Content:
    """The same pairs as people settled them, with how that stands beside each.

    Raises:
        BadInput: there is no such way.
    """
    if wanted not in WANTED:
        raise BadInput(f"{wanted!r} is no way to settle.", f"One of {', '.join(WANTED)}.")

    def rows() -> Iterator[Row]:
        settled = settled_pairs(dataset)
        for row in content.rows():
            yield _as_settled(row, settled.get(row.pair.row_id, NOTHING), wanted)

    types = {**content.labels, "done": str, "settled": str, "people": int}
    return replace(content, labels=types, rows=rows)


def _as_settled(row: Row, found: Settled, wanted: Wanted) -> Row:
    flips = wanted == "flip" and found.other
    drops = wanted == "drop" and found.answer in ("rejected", "none")
    done = "flipped" if flips else "kept"
    labels = {"done": done, "settled": found.answer or None, "people": found.people}
    counted = [f"settled for {found.answer}"] if found.answer else []
    told = replace(
        row,
        labels={**row.labels, **labels},
        dropped="people settled otherwise" if drops else row.dropped,
        counted=(*row.counted, *([] if drops else [done]), *counted),
    )
    return flipped(told) if flips else told


def settled_in(dataset: PreparedDataset, row_ids: Sequence[int], wanted: Format) -> Counter[str]:
    """How many pairs of a file people settled, by what they prefer: chosen, rejected or none.

    Pairs that the format leaves out in any case are not among them.
    """
    settled = {row: one.answer for row, one in settled_pairs(dataset).items() if one.answer}
    rows = [row for row in row_ids if row in settled] if settled else []
    found = (pair for pair in dataset.pairs(rows) if not wanted.left_out(pair))
    return Counter(settled[pair.row_id] for pair in found)
