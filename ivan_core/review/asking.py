"""Pairs that people could be asked about next: where the models of a comparison part, else where
one goes against the choice, else any; and the minutes that it takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ivan_core.domain.reviews import BLIND_FIRST, Source
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets, studies
from ivan_core.engine.opinions import used_opinions
from ivan_core.engine.studies import About
from ivan_core.experiments.compare.conditions import LANGUAGE, ModelsDiffer, VerdictIs, listing
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.lists.conditions import Condition, Filter, matching_rows
from ivan_core.review.examples import SECONDS
from ivan_core.review.pace import paces
from ivan_core.review.runs_on_pairs import comparisons

MOST_ASKED = 40
"""Of more pairs than these a random draw of `BLIND_FIRST` is asked."""
_ENOUGH = 10
"""Answers from which on their own pace is taken."""


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
        return f"free, about {self.minutes} min a person"


def asked_before(about: About) -> frozenset[Source]:
    """Where the items come from that people were asked about, of the rows of a study.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    return frozenset(queue.source for queue, _ in studies.queues_on(about))


def worth_asking(about: About, asked: frozenset[Source]) -> Asking | None:
    """What people could be asked of a study's pairs; None where they were asked already, by where
    the items that they were asked about come from.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    dataset = datasets.by_fingerprint(about.fingerprint)
    pace = paces(used_opinions(dataset)).get("better")
    seconds = pace.median if pace and pace.n >= _ENOUGH else SECONDS["better"]

    def minutes(items: int) -> int:
        return max(1, round(items * seconds / 60))

    own = {run.id for run in studies.runs_of(about.id)}
    compared = next((run.id for run in comparisons(dataset) if run.id in own), None)
    if compared is None:
        count = min(BLIND_FIRST, about.rows)
        return None if asked else Asking(count, minutes(count))
    if asked - {"random"}:
        return None
    results = open_results(compared)
    rows, tied = listing(results), dataset.tied_rows
    for condition, where, question in _worth_a_look(results):
        wanted = Filter(LANGUAGE, (condition,))
        found = [row for row in matching_rows(rows, wanted) if row not in tied]
        if found:
            count = len(found) if len(found) <= MOST_ASKED else BLIND_FIRST
            first = min(BLIND_FIRST, dataset.rows)
            taking = minutes(count + first)
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
