"""How the first good row of a dataset was read: for a person who looks before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.layouts.known import named
from ivan_core.datasets.layouts.shape import Layout
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.reading import CHOSEN_REPLY, ITEM, MODELS, PLACES, REJECTED_REPLY, STRENGTH
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import number_of, one_line

_LONGEST_TOLD = 160
"""Characters of a text in a line."""
_LOOKED_AT = 1_024
"""Pairs among which those of the first row are: no layout makes more of one row."""
_LONGEST_MODEL = 60
MOST_SHOWN = 8
"""Replies of a row that are shown; the others are counted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the row: whether it is one of the better ones, who wrote it where that is known,
    and its place in the row, the first 1."""

    dialogue: Dialogue
    better: bool
    model: str
    place: int


@dataclass(frozen=True, slots=True)
class FirstRow:
    """What was made of a row: its replies in the order of the row, as far as pairs tell it."""

    layout: Layout
    replies: tuple[Reply, ...]
    tied: bool
    subset: str
    strength: float | None

    @property
    def better(self) -> int:
        """How many of the replies are better than the others."""
        return sum(reply.better for reply in self.replies)

    @property
    def prompts_differ(self) -> bool:
        """The replies do not all follow the same dialogue."""
        first = self.replies[0].dialogue
        return not all(first.same_prompt(reply.dialogue) for reply in self.replies[1:])

    def shown(self) -> list[Reply]:
        """The first replies in their order; a better one is among them, where there is one."""
        shown = list(self.replies[:MOST_SHOWN])
        if self.better and not any(reply.better for reply in shown):
            shown[-1] = next(reply for reply in self.replies if reply.better)
        return shown

    def not_shown(self) -> str:
        """How many replies more there are, and how many of them are better; "" if none."""
        shown = self.shown()
        more = len(self.replies) - len(shown)
        better = self.better - sum(reply.better for reply in shown)
        if not more:
            return ""
        told = f", {better} of them better" if better else ""
        return f"{number_of(more, 'more reply', 'more replies')}{told}"

    def strength_told(self) -> str:
        """How strong the preference is, or in rows with several that of the first pair."""
        if self.strength is None:
            return ""
        of = " of the first pair" if len(self.replies) > 2 else ""
        return f"strength{of}: {self.strength:g}"

    def lines(self) -> list[str]:
        """The row in lines: layout, system text, prompt, replies, subset, strength."""
        first = self.replies[0].dialogue
        told = [f"Layout: {self.layout.title}. {self.layout.said}".strip(), "The first row:"]
        told += [
            f"  {role.lower()}: {_told(text)}"
            for role, text in first.messages[: -1 if first.reply is not None else None]
        ]
        if self.prompts_differ:
            told.append("  (that is before the first reply: others follow other dialogues)")
        for reply in self.shown():
            told.append(f"  {self._name(reply)}: {_told(reply.dialogue.reply or '')}")
        if more := self.not_shown():
            told.append(f"  and {more}")
        if self.tied:
            told.append(f"  {'neither' if len(self.replies) == 2 else 'none'} is better: a tie")
        told += [f"  subset: {one_line(self.subset, _LONGEST_TOLD)}"] if self.subset else []
        told += [f"  {strength}"] if (strength := self.strength_told()) else []
        return told

    def _name(self, reply: Reply) -> str:
        if len(self.replies) == 2:
            name = "reply" if self.tied else "better reply" if reply.better else "other reply"
        else:
            name = f"reply {reply.place}{', better' if reply.better else ''}"
        model = one_line(reply.model, _LONGEST_MODEL)
        return f"{name} ({model})" if model else name


def _told(text: str) -> str:
    return one_line(text, _LONGEST_TOLD) or "(empty)"


def first_row(layout: Layout | None, pairs: Iterable[tuple[Pair, Mapping[str, Any]]]) -> FirstRow:
    """What the first pairs tell of the row that they are of; there is one at least."""
    replies: dict[int, Reply] = {}
    first: tuple[Pair, Mapping[str, Any]] | None = None
    for pair, labels in pairs:
        if first is None:
            first = pair, labels
        elif labels.get(ITEM) is None or labels[ITEM] != first[1].get(ITEM):
            break
        sides = (pair.chosen, not pair.tied), (pair.rejected, False)
        at = int(labels.get(CHOSEN_REPLY, 0)), int(labels.get(REJECTED_REPLY, 1))
        for place, (dialogue, better), name in zip(at, sides, MODELS, strict=True):
            model = labels.get(name)
            named = model if isinstance(model, str) else ""
            replies.setdefault(place, Reply(dialogue, better, named, place + 1))
    if first is None:
        raise ValueError("no pair")
    pair, labels = first
    return FirstRow(
        layout or PAIRS,
        tuple(replies[place] for place in sorted(replies)),
        pair.tied,
        pair.subset,
        _strength(labels.get(STRENGTH)),
    )


def _strength(value: object) -> float | None:
    """A number; a table has NaN where a row has none."""
    return float(value) if isinstance(value, int | float) and value == value else None


def layout_of(dataset: PreparedDataset) -> Layout:
    """The layout that a dataset was read by; that of two sides where an older reading kept none."""
    try:
        return named(str(dataset.about["layout"]))
    except (KeyError, BadInput):
        return PAIRS


def first_row_of(dataset: PreparedDataset) -> FirstRow:
    """The first row of a dataset that has been read."""
    return first_row(layout_of(dataset), _first_pairs(dataset))


def _first_pairs(dataset: PreparedDataset) -> Iterable[tuple[Pair, Mapping[str, Any]]]:
    if ITEM not in dataset.row(0):
        return [(dataset.pair(0), dataset.row(0))]
    rows = range(min(dataset.rows, _LOOKED_AT))
    there = [name for name in (*PLACES, STRENGTH, *MODELS) if name in dataset.row(0)]
    labels = dataset.some_numbers(there, rows).to_dict("records")
    return zip(dataset.pairs(rows), labels, strict=True)
