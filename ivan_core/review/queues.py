"""Making queues: checked requests, what can be made of a dataset now; the queues there are, and how
far each is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, BLIND_FIRST, Queue, Source, Task
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.words import number_of, one_line
from ivan_core.engine import access, datasets, handling as runs
from ivan_core.engine.opened import datasets_of
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.schema import GROUPS, SCHEMA, check_keys
from ivan_core.review.flow import opinions, queues
from ivan_core.review.marks import reviews
from ivan_core.review.rights import verified_name
from ivan_core.review.runs_on_pairs import comparisons, labellings, open_labelling
from ivan_core.review.sources import LONGEST_TITLE, Drawn, QueueRequest, draw
from ivan_core.settings import data_dir

SOURCES: Mapping[Source, str] = {
    "random": "A random sample",
    "disagreements": "Where two labelers or models differ",
    "second-look": "Worth a second look: all models go against the choice",
    "low-agreement": "The labels on which two labelers agree least",
    "starred": "Starred pairs",
    "rows": "Rows that you name",
}
"""Each source as a person reads it. Only a random sample gives rates."""
TASKS = {"better": "Which reply is better?", "describe": "Describe this reply"}
DESCRIBE_GROUPS = GROUPS[:3]
"""The screens that are asked unless others are named."""
MOST_OFFERED = 50
"""How many runs of a kind can be chosen from in the form, newest first."""


@dataclass(frozen=True, slots=True)
class SourceOption:
    """Whether items can be drawn from a source now; `why_not` says by task what is missing."""

    source: Source
    words: str
    why_not: Mapping[Task, str]

    def possible(self, task: Task) -> bool:
        return not self.why_not.get(task, "")


def queue_request(fields: dict[str, Any]) -> QueueRequest:
    """A request from a form or command line. Raises BadInput, which names the field."""
    try:
        return QueueRequest(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][:1])
        raise BadInput(
            f"{name}: {first['msg']}.", "Correct it; the other answers are kept."
        ) from None


def plan_queue(request: QueueRequest) -> Drawn:
    """What a queue would hold. Nothing has happened yet. Raises BadInput as `make_queue`."""
    dataset = datasets.by_fingerprint(request.dataset)
    if request.prefill:
        if request.task == BETTER:
            raise BadInput(
                "There is nothing to fill in where people choose the better reply.",
                "Leave the labels that are shown beforehand empty.",
            )
        open_labelling(request.prefill, dataset)
    return draw(dataset, _asked(request))


def make_queue(request: QueueRequest) -> Queue:
    """Make a queue of what its source gives; returns it with its number and token.

    Unless it is random it comes with a companion: 30 random items of the dataset (all if there are
    fewer), blind, which each person judges first. Where random items stand beside listed ones, the
    companion is empty, and the title does not tell of the list: nobody may guess which is which.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: the source has nothing to give, a row or run is unknown, or what is asked makes no
            sense; the sentence says why.
    """
    access.require(access.Action.QUEUE)
    drawn = plan_queue(request)
    dataset = datasets.by_fingerprint(request.dataset)
    first = []
    if request.source != "random" and not drawn.listed:
        changed: dict[str, Any] = {
            "source": "random",
            "keys": drawn.keys,
            "groups": (),
            "count": BLIND_FIRST,
            "runs": (),
            "row_ids": (),
            "prefill": "",
            "sides": "one",
        }
        first = draw(dataset, _asked(request.model_copy(update=changed))).items
    queue = Queue(
        0,
        "",
        request.dataset,
        one_line(request.title, LONGEST_TITLE) or _title(request, drawn),
        request.task,
        request.source,
        drawn.keys,
        request.prefill,
        request.assigned,
        request.opinions,
        request.seed,
        made_by=verified_name(),
        tells=request.tells,
    )
    return Queues(data_dir()).make(queue, drawn.items, first, drawn.listed)


def queues_of(dataset: str | None = None, companions: bool = False) -> list[Queue]:
    """The queues, newest first; of one dataset if its fingerprint is given.

    Companions, which no invitation leads to, only where they are asked for.
    """
    found = Queues(data_dir()).all(dataset)
    hidden = set() if companions else {queue.companion for queue in found}
    return [queue for queue in found if queue.id not in hidden]


def sources_for(fingerprint: str) -> list[SourceOption]:
    """Every source, and by task why nothing can be drawn from it now (empty if it can).

    Raises:
        BadInput: the dataset is gone.
    """
    dataset = datasets.by_fingerprint(fingerprint)
    compared, labelled = bool(comparisons(dataset)), len(labellings(dataset))
    starred = bool(reviews().starred_rows(fingerprint))
    no_comparison = "" if compared else "no comparison of these pairs is finished yet"
    two = {0: "nobody has labelled these pairs yet", 1: "only one labelling is finished"}
    no_labels = two.get(labelled, "")
    no_star = "" if starred else "nothing is starred yet"
    why_not: Mapping[Source, tuple[str, str]] = {
        "random": ("", ""),
        "disagreements": (no_comparison, no_labels),
        "second-look": (no_comparison, no_comparison),
        "low-agreement": ("it is asked of single replies", no_labels),
        "starred": (no_star, no_star),
        "rows": ("", ""),
    }
    return [
        SourceOption(source, words, {"better": why_not[source][0], "describe": why_not[source][1]})
        for source, words in SOURCES.items()
    ]


def runs_to_draw_on(fingerprint: str) -> tuple[dict[str, str], dict[str, str]]:
    """The finished comparisons and labellings of a dataset by id, named: the newest of each."""
    dataset = datasets.by_fingerprint(fingerprint)
    compared = {run.id: run.label for run in comparisons(dataset)[:MOST_OFFERED]}
    labelled = runs.opened(labellings(dataset)[:MOST_OFFERED], open_labels)
    return compared, label_numbers.names_of(list(labelled))


def _asked(request: QueueRequest) -> QueueRequest:
    """The request with the keys that are asked; none where people choose the better reply."""
    unknown = [group for group in request.groups if group not in GROUPS]
    if unknown:
        raise BadInput(f"There is no group {unknown[0]!r}.", f"The groups are {', '.join(GROUPS)}.")
    groups = request.groups or DESCRIBE_GROUPS
    keys = request.keys or tuple(one.key for one in SCHEMA if one.group in groups)
    return request.model_copy(update={"keys": () if request.task == BETTER else check_keys(keys)})


def _title(request: QueueRequest, drawn: Drawn) -> str:
    source = SOURCES[request.source].partition(":")[0]
    asked = TASKS[request.task] if request.task == BETTER else f"{TASKS[request.task]}:"
    items = number_of(len(drawn.items), "item")
    return f"{asked} {items}" + ("" if drawn.listed else f", {source[0].lower()}{source[1:]}")


def datasets_to_review(first: str = "") -> dict[str, str]:
    """The datasets that are here, by fingerprint and with their names; at least the sample.

    After `first`, the one that is looked at, come those with queues, newest first, then those that
    runs looked at.
    """
    wanted = [first, *(queue.dataset for queue in queues().all())]
    wanted += datasets_of("compare")
    found = {}
    for fingerprint in dict.fromkeys(wanted):
        try:
            about = datasets.by_fingerprint(fingerprint).about
            found[fingerprint] = DatasetRequest(**about["request"]).label
        except BadInput:
            continue  # its texts are gone, so nobody can review them
    sample = None if found else datasets.find(DatasetRequest(source=SAMPLE))
    if sample is not None:
        found.setdefault(sample.fingerprint, str(sample.about["label"]))
    return found


@dataclass(frozen=True, slots=True)
class QueueState:
    """How far a queue is. `people` counts the finished opinions of each person, its first items
    included; `verified` are those who logged in; `begun` is how many finished none so far."""

    queue: Queue
    items: int
    enough: int
    opinions: int
    people: dict[str, int]
    verified: frozenset[str]
    begun: int

    @property
    def name(self) -> str:
        """The number and title: several queues may have the same title."""
        return f"{self.queue.id} · {self.queue.title}"

    @property
    def sentence(self) -> str:
        """As in "3 of 20 items have 2 opinions; Ada 12, Bo 7; 1 more person has begun."."""
        each = number_of(self.queue.opinions, "opinion")
        told = f"{self.enough:,} of {self.items:,} items have {each}"
        named = [
            f"{name}{'' if name in self.verified else ' (not verified)'} {count:,}"
            for name, count in sorted(self.people.items(), key=lambda one: -one[1])
        ]
        more = "more " if named else ""
        begun = number_of(self.begun, f"{more}person has begun", f"{more}people have begun")
        clauses = [told, *([", ".join(named)] if named else []), *([begun] if self.begun else [])]
        return f"{'; '.join(clauses if len(clauses) > 1 else [told, 'nobody has begun'])}."

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
    both = (queue.id, *([queue.companion] if queue.companion else []))
    every = [one for number in both for one in opinions().all(number)]
    said = [one for one in every if not one.skipped and queue.answered(one.answers)]
    people = Counter(one.reviewer for one in said)
    verified = frozenset(one.reviewer for one in said if one.verified)
    begun = len({one.reviewer for one in every} - people.keys())
    return QueueState(queue, total, enough, given, dict(people), verified, begun)
