"""How long people take for an item: measured at their presses, for the answers that enter rates."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

from ivan_core.domain.reviews import Task
from ivan_core.domain.words import number_of
from ivan_core.engine.opinions import Timed, Used, used_opinions
from ivan_core.review.examples import SECONDS

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

PAUSE_SECONDS = 600.0
"""Who takes longer for one item has probably done something else meanwhile."""
MEASURED = (
    "The time runs from when an item is sent to the browser until its answer is saved, all visits "
    "to it together. Pauses are in it; a median is hardly moved by them."
)
_ENOUGH = 4
"""Answers from which on it is told between what the middle half lies."""
_OWN = 10
"""Answers from which on the pace of the people here is taken for what is to come."""
_WHAT: dict[Task, tuple[str, str]] = {
    "better": ("Choosing the better reply", "pair"),
    "describe": ("Describing a reply", "text"),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds an item of one task, over `n` answers by `people`.

    `low` and `high` hold the middle half; `paused` counts the answers over `PAUSE_SECONDS`, which
    are in the median too; `untimed` those without a time, as from a spreadsheet, which are not.
    `questions` is how many an item had at least and at most.
    """

    task: Task
    n: int
    people: int
    median: float
    low: float
    high: float
    paused: int = 0
    untimed: int = 0
    questions: tuple[int, int] = (1, 1)

    @property
    def sentence(self) -> str:
        """As in "Choosing the better reply took 12 s a pair (median of 47 answers by 3 people; the
        middle half took 9 to 15 s)."."""
        what, thing = _WHAT[self.task]
        fewest, most = self.questions
        if self.task == "describe":
            asked = str(most) if fewest == most else f"{fewest} to {most}"
            thing += f" with {asked} question{'' if most == 1 else 's'}"
        of = f"{number_of(self.n, 'answer')} by {number_of(self.people, 'person', 'people')}"
        half = ""
        if self.n >= _ENOUGH:
            half = f"; the middle half took {_number(self.low)} to {_number(self.high)} s"
        told = [f"{what} took {_number(self.median)} s a {thing} (median of {of}{half})."]
        if self.paused:
            took = f"{self.paused:,} of them took over ten minutes, perhaps with a pause"
            told.append(f"{took}; {'it is' if self.paused == 1 else 'they are'} counted.")
        if self.untimed:
            have = "has" if self.untimed == 1 else "have"
            told.append(f"{number_of(self.untimed, 'more answer')} {have} no time, as in a sheet.")
        return " ".join(told)


def seconds_an_item(dataset: PreparedDataset, task: Task) -> float:
    """How long an item takes: the median of the people here once ten answers were timed."""
    pace = paces(used_opinions(dataset)).get(task)
    return pace.median if pace and pace.n >= _OWN else SECONDS[task]


def time_words(minutes: int) -> str:
    """As in "about a minute", "about 20 minutes", "about 15 hours"."""
    if minutes < 120:
        return f"about {minutes} minutes" if minutes > 1 else "about a minute"
    return f"about {round(minutes / 60):,} hours"


def paces(used: Used) -> dict[Task, Pace]:
    """The pace of each task in which the time of an answer is known."""
    found: dict[Task, Pace] = {}
    for task, timed in used.timed.items():
        known = [one for one in timed if one.seconds]
        if known:
            found[task] = _pace(task, known, len(timed) - len(known))
    return found


def _pace(task: Task, known: list[Timed], untimed: int) -> Pace:
    seconds = [one.seconds for one in known]
    low, _, high = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    questions = [one.questions for one in known]
    return Pace(
        task,
        len(known),
        len({one.reviewer for one in known}),
        median(seconds),
        low,
        high,
        sum(one > PAUSE_SECONDS for one in seconds),
        untimed,
        (min(questions), max(questions)),
    )


def _number(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 9.95 else f"{seconds:,.0f}"
