"""What people could be asked about next, and the minutes that it takes them.

Pairs where the models of a comparison part, else where one goes against the choice, else any; and
the replies where two labelers differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BLIND_FIRST, Source, Task
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets, studies
from ivan_core.engine.studies import About
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.verdicts import ModelsDiffer, VerdictIs
from ivan_core.experiments.labels.numbers import named
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.lists.conditions import Condition, Filter, matching_rows
from ivan_core.models.names import is_authored
from ivan_core.review.pace import seconds_an_item
from ivan_core.review.queues import plan_queue, queue_request
from ivan_core.review.runs_on_pairs import comparisons, labelers_on, newest_labellings
from ivan_core.review.sources import MOST_ITEMS, QueueRequest

MOST_ASKED = 40
"""Of more pairs than these a random draw of `BLIND_FIRST` is asked."""
Asked = frozenset[tuple[Task, Source]]
"""What people were asked already, and where those items came from."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A review that could come next: `count` pairs, which take one person so many `minutes`.

    They are of `rows`, which the filter `wanted` finds in the comparison `run`, in words `where`;
    everybody begins with `first` random ones. Without a comparison all are random.
    """

    count: int
    minutes: int
    run: str = ""
    wanted: Filter | None = None
    rows: tuple[int, ...] = ()
    where: str = ""
    question: str = ""
    first: int = 0

    @property
    def does(self) -> str:
        """As in "Ask people about the 31 pairs where the models part"."""
        if not self.run:
            return f"Ask people about {number_of(self.count, 'random pair')}"
        of = len(self.rows)
        if self.count < of:
            return f"Ask people about {self.count} of the {of:,} pairs {self.where}"
        return f"Ask people about the {number_of(of, 'pair')} {self.where}"

    @property
    def why(self) -> str:
        if not self.run:
            return "How often would other people choose alike? No model can do better than that."
        first = f"Everybody first judges {self.first} random ones: only those enter the rates."
        return f"{self.question} {first}"

    @property
    def terms(self) -> str:
        return _terms(self.minutes)


@dataclass(frozen=True, slots=True)
class AskingOfReplies:
    """A review that could come next of the `of` replies where two labelers differ: the queue that
    asks about `count` of them, which takes one person so many `minutes`; everybody begins with
    `first` random ones.
    """

    queue: QueueRequest
    count: int
    of: int
    minutes: int
    first: int
    labelers: tuple[str, str]

    @property
    def does(self) -> str:
        """As in "Ask people about the 12 replies where two labelers differ"."""
        count = f"{self.count} of the {self.of:,} replies"
        if self.count == self.of:
            count = f"the {number_of(self.of, 'reply', 'replies')}"
        return f"Ask people about {count} where two labelers differ"

    @property
    def why(self) -> str:
        one, other = self.labelers
        first = f"Everybody first describes {self.first} random ones: only those enter the rates."
        return f"Who is right, {one} or {other}? {first}"

    @property
    def terms(self) -> str:
        return _terms(self.minutes)


def _terms(minutes: int) -> str:
    return f"free, about {minutes} min a person"


def asked_before(about: About) -> Asked:
    """What people were asked about the rows of a study, and where those items came from.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    return frozenset((queue.task, queue.source) for queue, _ in studies.queues_on(about))


def worth_asking(about: About, asked: Asked) -> Asking | None:
    """Which of a study's pairs people could be asked about; None where they were asked already.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    dataset = datasets.by_fingerprint(about.fingerprint)
    before = {source for task, source in asked if task == "better"}
    own = {run.id for run in studies.runs_of(about.id)}
    compared = next((run.id for run in comparisons(dataset) if run.id in own), None)
    if compared is None:
        count = min(BLIND_FIRST, about.rows)
        return None if before else Asking(count, _minutes(dataset, "better", count))
    if before - {"random"}:
        return None
    results = open_results(compared)
    rows, tied = listing(results), dataset.tied_rows
    for condition, where, question in _worth_a_look(results):
        wanted = Filter(LANGUAGE, (condition,))
        found = [row for row in matching_rows(rows, wanted) if row not in tied]
        if found:
            count = len(found) if len(found) <= MOST_ASKED else BLIND_FIRST
            first = min(BLIND_FIRST, dataset.rows)
            taking = _minutes(dataset, "better", count + first)
            return Asking(count, taking, compared, wanted, tuple(found), where, question, first)
    return None


def _worth_a_look(results: Results) -> Iterator[tuple[Condition, str, str]]:
    """Conditions on rows that people should see, the best first: where those lie, in words, and
    what one asks there.
    """
    if len(results.models) > 1:
        yield ModelsDiffer(), "where the models part", "With which of them do people side?"
    against = VerdictIs(model=results.models[0], verdict="disagree")
    # Of several models that never part the first speaks for all.
    who = "the models go" if len(results.models) > 1 else "the model goes"
    yield against, f"where {who} against the choice", "With whom do people side?"


def worth_describing(about: About, asked: Asked) -> AskingOfReplies | None:
    """Which of a study's replies people could describe, since its two newest labelers differ there;
    None where they differ nowhere, or people were asked already.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    if ("describe", "disagreements") in asked:
        return None
    dataset = datasets.by_fingerprint(about.fingerprint)
    own = {run.id for run in studies.runs_of(about.id)}
    # What an author wrote is known: nobody has to be asked who is right.
    if sum(not is_authored(name) for name in labelers_on(dataset, own)) < 2:
        return None
    both = [one for one in newest_labellings(dataset, own) if not one.authored][:2]
    if len(both) < 2:  # labels that are damaged count for nobody
        return None
    one, other = both
    fields = {
        "dataset": about.fingerprint,
        "task": "describe",
        "source": "disagreements",
        "sides": "both",
        "runs": (one.run.id, other.run.id),
        "count": MOST_ITEMS,
    }
    of = _differing(one, other, queue_request(fields))
    if not of:
        return None
    count = of if of <= MOST_ASKED else BLIND_FIRST
    first = min(BLIND_FIRST, dataset.rows)
    taking = _minutes(dataset, "describe", count + first)
    queue = queue_request({**fields, "count": count})
    return AskingOfReplies(queue, count, of, taking, first, (named(one), named(other)))


@lru_cache(maxsize=8)
def _differing(_: LabelResults, __: LabelResults, request: QueueRequest) -> int:
    """How many items there are for a queue that draws on two labellings."""
    try:
        return len(plan_queue(request).items)
    except BadInput:  # they differ nowhere, or share no label that is asked for
        return 0


def _minutes(dataset: PreparedDataset, task: Task, items: int) -> int:
    """How long some items take one person."""
    return max(1, round(items * seconds_an_item(dataset, task) / 60))
