"""What people say of pairs and texts: notes, guesses, queues, opinions, decisions. Names are as
typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ivan_core.domain.errors import IvanError
from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Side, other_side
from ivan_core.domain.words import number_of

Task = Literal["better", "describe"]
"""`better` asks which reply is better; `describe` asks questions about one reply."""
Source = Literal[
    "random", "disagreements", "against", "second-look", "low-agreement", "starred", "rows"
]
"""Where the items of a queue come from. Only random ones say how often something is the case."""
ItemSide = Literal["chosen", "rejected", "both"]
Choice = Literal["A", "B", "none"]
"""What is guessed while the choice is hidden: A is the reply on the left, B on the right."""

LONGEST_NOTE = 10_000
LONGEST_NAME = 80
"""Characters."""

BETTER = "better"
"""The one key of the task `better`: its answer is chosen, rejected, or none for no difference."""
NO_DIFFERENCE = "none"
QUICK_SECONDS = 1.0
"""Nobody reads an item in less: such an answer is kept, but enters no rates unless asked for."""
RULE = "Rule: "
"""How the name of a reviewer begins whose answers a rule gave: they enter no rate of people."""
BLIND_FIRST = 30
"""So many of a person's first items are drawn at random and shown without anybody's labels."""


def by_rule(reviewer: str) -> bool:
    """Whether a reviewer is a rule, by the name."""
    return reviewer.startswith(RULE)


def reviewers_in_words(names: Collection[str]) -> str:
    """How many reviewers there are, as in "3 people", "2 rules" or "2 rules and 1 person"."""
    rules = sum(by_rule(name) for name in names)
    people = len(names) - rules
    told = [number_of(rules, "rule")] if rules else []
    if people or not rules:
        told.append(number_of(people, "person", "people"))
    return " and ".join(told)


@dataclass(frozen=True, slots=True)
class Mark:
    """What one author says of one row. `version` counts the saves; 0 is nothing saved yet."""

    dataset: str
    row_id: int
    author: str
    starred: bool = False
    note: str = ""
    version: int = 0
    saved: float = 0.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A choice made while the dataset's was hidden: A is the reply on the left, B on the right.

    `left` says which side was shown left; `sided_with` is what was picked, None for no difference.
    """

    dataset: str
    row_id: int
    name: str
    choice: Choice
    left: Side
    made: float

    @property
    def sided_with(self) -> Side | None:
        if self.choice == "none":
            return None
        other = other_side(self.left)
        return self.left if self.choice == "A" else other


@dataclass(frozen=True, slots=True)
class Queue:
    """Items that wait for opinions.

    `dataset` is a fingerprint; `keys` are the features asked for, empty for the task `better`;
    `prefill` is the run whose labels are filled in beforehand, empty for none; `assigned` is the
    one person who is asked, empty for all who have the link; `opinions` is how many opinions an
    item needs; `companion` is the random queue that gives each person's first items, 0 for a
    random queue, which is its own. `token` is the secret part of the invitation. `tells` says that
    people hear what was chosen after each pair, before the next one; else at the end only.
    """

    id: int
    token: str
    dataset: str
    title: str
    task: Task
    source: Source
    keys: tuple[str, ...] = ()
    prefill: str = ""
    assigned: str = ""
    opinions: int = 2
    seed: int = 0
    companion: int = 0
    made: float = 0.0
    made_by: str = ""
    closed: bool = False
    tells: bool = False

    @property
    def random(self) -> bool:
        return self.source == "random"

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys of the answers to an item."""
        return (BETTER,) if self.task == "better" else self.keys

    def answered(self, answers: Mapping[str, Label]) -> bool:
        """Whether all questions of an item are answered; "can't tell" is an answer."""
        return all(key in answers for key in self.asked)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to judge: a pair (`side` is both) or one text of it.

    `listed` says that it is of the list of pairs worth a second look, in a queue that holds random
    pairs beside these.
    """

    queue: int
    position: int
    row_id: int
    side: ItemSide = "both"
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person says of one item. `version` counts the saves; 0 is nothing saved yet.

    `answers` holds a label for each key, None for "can't tell". `skipped` is an item put aside
    without an answer. `left` is the side that was shown left. `blind` says that nobody's labels
    were shown; only blind answers to items of a random queue enter rates. `seconds` is how long it
    was looked at. `verified` says that the name comes from a login.
    """

    queue: int
    row_id: int
    side: ItemSide
    reviewer: str
    answers: Mapping[str, Label] = field(default_factory=dict)
    note: str = ""
    skipped: bool = False
    left: Side = "chosen"
    blind: bool = True
    prefill: str = ""
    seconds: float = 0.0
    verified: bool = False
    version: int = 0
    saved: float = 0.0

    @property
    def quick(self) -> bool:
        """Whether it was given before anybody can have read the item; 0 seconds is not known."""
        return 0 < self.seconds < QUICK_SECONDS


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the history: what somebody's answer was before and after, who, when and why."""

    queue: int
    row_id: int
    side: ItemSide
    reviewer: str
    version: int
    before: str
    after: str
    by: str
    reason: str
    made: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What settles one question of one item where people differ; it stands beside the opinions."""

    queue: int
    row_id: int
    side: ItemSide
    key: str
    answer: Label
    by: str
    reason: str = ""
    version: int = 0
    made: float = 0.0


class MarkConflict(IvanError):
    """Somebody saved the same mark meanwhile; `current` is what they saved. Nothing was changed."""

    def __init__(self, current: Mark) -> None:
        super().__init__(
            "This note was changed in another window meanwhile.",
            "Read what stands there now, then save again.",
        )
        self.current = current


class OpinionConflict(IvanError):
    """The same opinion was saved in another window meanwhile; `current` is what stands there."""

    def __init__(self, current: Opinion) -> None:
        super().__init__(
            "This answer was changed in another window meanwhile.",
            "Read what stands there now, then save again.",
        )
        self.current = current


class DecisionConflict(IvanError):
    """The same question was settled in another window meanwhile; `current` is how."""

    def __init__(self, current: Decision) -> None:
        super().__init__(
            "This question was settled in another window meanwhile.",
            "Read the decision that stands there now, then save again.",
        )
        self.current = current
