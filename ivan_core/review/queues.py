"""Making queues: checked requests, what can be made of a dataset now; the queues there are, and how
far each is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.reviews import BETTER, BLIND_FIRST, Queue, Source, Task, by_rule
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.words import number_of, one_line
from ivan_core.engine import access, datasets, handling as runs
from ivan_core.engine.opened import datasets_of
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.schema import GROUPS, SCHEMA, check_keys
from ivan_core.review.flow import opinions, queues
from ivan_core.review.marks import reviews
from ivan_core.review.rights import verified_name
from ivan_core.review.runs_on_pairs import analyses, comparisons, labellings, open_labelling
from ivan_core.review.sources import LONGEST_TITLE, Drawn, QueueRequest, draw
from ivan_core.review.whole_pairs import whole_rows
from ivan_core.settings import data_dir

SOURCES: Mapping[Source, str] = {
    "random": "A random sample",
    "disagreements": "Where two labelers or models differ",
    "against": "Where all models go against the choice",
    "second-look": "Worth a second look: half from an analysis' list, half random",
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
_OPENED = 4
"""Of so many analyses their labelers are offered."""


PAIRS = "random-pairs"
"""The option that draws random pairs whole; the others are named as their sources."""
PAIR_WORDS = "Random pairs, both replies of each"


@dataclass(frozen=True, slots=True)
class SourceOption:
    """Whether items can be drawn from a source now; `why_not` says by task what is missing.

    `whole` is the random draw of pairs both replies of which are described.
    """

    source: Source
    words: str
    why_not: Mapping[Task, str]
    whole: bool = False

    @property
    def name(self) -> str:
        return PAIRS if self.whole else self.source

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
    """Every source, and by task why nothing can be drawn from it now (empty if it can); after the
    random sample that of whole pairs.

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
    no_list = "" if analyses(dataset) else "no analysis of these pairs is finished yet"
    why_not: Mapping[Source, tuple[str, str]] = {
        "random": ("", ""),
        "disagreements": (no_comparison, no_labels),
        "against": (no_comparison, no_comparison),
        "second-look": (no_list, "it asks which of two replies is better"),
        "low-agreement": ("it is asked of single replies", no_labels),
        "starred": (no_star, no_star),
        "rows": ("", ""),
    }
    found = [
        SourceOption(source, words, {"better": why_not[source][0], "describe": why_not[source][1]})
        for source, words in SOURCES.items()
    ]
    pairs = SourceOption("random", PAIR_WORDS, {"better": "replies are described one by one"}, True)
    return [found[0], pairs, *found[1:]]


def runs_to_draw_on(fingerprint: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The finished comparisons, labellings and analyses of a dataset by id, named: the newest of
    each."""
    dataset = datasets.by_fingerprint(fingerprint)
    compared = {run.id: run.label for run in comparisons(dataset)[:MOST_OFFERED]}
    labelled = runs.opened(labellings(dataset)[:MOST_OFFERED], open_labels)
    analysed = {run.id: run.label for run in analyses(dataset)[:MOST_OFFERED]}
    return compared, label_numbers.names_of(list(labelled)), analysed


def drawn_by_pairs(fingerprint: str, also: Sequence[str] = ()) -> dict[tuple[str, ...], str]:
    """What random pairs can be drawn from, by the runs to draw on, named: all pairs of a dataset,
    or those of an analysis with labels of one of its labelers, the newest first; and of older ones
    those that are named."""
    dataset = datasets.by_fingerprint(fingerprint)
    found: dict[tuple[str, ...], str] = {(): "All pairs of the dataset"}
    every = analyses(dataset)
    offered = every[:_OPENED] + [run for run in every[_OPENED:] if run.id in also]
    for one in runs.opened(offered, open_analysis):
        for who in one.readers:
            found[one.run.id, who.run_id] = f"Run {one.run.id}, labels of {who.named}"
    return found


def _asked(request: QueueRequest) -> QueueRequest:
    """The request with the keys that are asked; none where people choose the better reply."""
    unknown = [group for group in request.groups if group not in GROUPS]
    if unknown:
        raise BadInput(f"There is no group {unknown[0]!r}.", f"The groups are {', '.join(GROUPS)}.")
    groups = request.groups or DESCRIBE_GROUPS
    keys = request.keys or tuple(one.key for one in SCHEMA if one.group in groups)
    return request.model_copy(update={"keys": () if request.task == BETTER else check_keys(keys)})


def _title(request: QueueRequest, drawn: Drawn) -> str:
    if request.task == "describe" and request.source == "random" and request.sides == "both":
        pairs = number_of(len(drawn.items) // 2, "random pair")
        return f"Describe both replies of {pairs}"
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
    included; `verified` are those who logged in; `begun` is how many finished none so far. Of
    `pairs` of which both replies are asked for, `whole` have both described, `halves` one."""

    queue: Queue
    items: int
    enough: int
    opinions: int
    people: dict[str, int]
    verified: frozenset[str]
    begun: int
    whole: int = 0
    halves: int = 0
    pairs: int = 0

    @property
    def of_pairs(self) -> str:
        """How many whole pairs there are, as in "Of 12 of 300 pairs both replies are described";
        empty where both replies of a pair are not asked for."""
        if not self.pairs:
            return ""
        told = f"Of {self.whole:,} of {number_of(self.pairs, 'pair')} both replies are described"
        more = number_of(self.halves, "pair has", "pairs have")
        return f"{told}; {more} one described, which does not count." if self.halves else f"{told}."

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
            f"{name}{'' if name in self.verified or by_rule(name) else ' (not verified)'} {count:,}"
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
            "People": sum(not by_rule(name) for name in self.people),
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
    pairs = whole_rows(queues().items(queue.id)) if queue.task == "describe" else frozenset()
    done = Counter(row for row, _ in queues().given(queue) if row in pairs) if pairs else Counter()
    whole = sum(sides == len(SIDES) for sides in done.values())
    counts = (whole, len(done) - whole, len(pairs))
    return QueueState(queue, total, enough, given, dict(people), verified, begun, *counts)
