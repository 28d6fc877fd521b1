"""Where reviewers differ, with all that is said of it, and how it was settled; all of it as CSV."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ivan_core.annotations.opinions import Decisions, Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.labels import FEATURES, Label
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Decision, Item, Opinion, Queue, by_rule
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.opinions import queues_on
from ivan_core.experiments.compare.results import judged_pair, open_results
from ivan_core.experiments.labels.results import labels_of_row
from ivan_core.lists.download import csv_bytes
from ivan_core.metrics.labels.answers import labeler_choice, same_answer
from ivan_core.metrics.margin_words import margin_size, strength
from ivan_core.models.names import shown_name
from ivan_core.review.flow import left_side
from ivan_core.review.lists import answer_in_words
from ivan_core.review.rights import settle
from ivan_core.review.runs_on_pairs import SIDE_OF_VERDICT, comparisons
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

State = Literal["unsettled", "settled", "all"]
_LETTER = re.compile(r"\b[AB]\b")


@dataclass(frozen=True, slots=True)
class ToSettle:
    """An item on which reviewers differ: every opinion on it, and the decisions in force.

    `differing` are the questions to which two people gave different answers; "can't tell" is none.
    """

    item: Item
    opinions: tuple[Opinion, ...]
    differing: tuple[str, ...]
    decisions: Mapping[str, Decision]

    @property
    def settled(self) -> bool:
        return all(key in self.decisions for key in self.differing)


@dataclass(frozen=True, slots=True)
class View:
    """What a model or a labeler says of an item, beside the reviewers."""

    name: str
    answers: Mapping[str, Label]
    note: str = ""


def queues_to_settle(dataset: PreparedDataset) -> dict[int, tuple[Queue, list[ToSettle]]]:
    """The queues with an item on which people differ, newest first, with these items."""
    found = {}
    for queue in reversed(queues_on(dataset)):
        items = to_settle(queue)
        if items:
            found[queue.id] = (queue, items)
    return found


def to_settle(queue: Queue) -> list[ToSettle]:
    """The items of a queue on which people differ, settled ones too, in the queue's order."""
    said: dict[tuple[int, str], list[Opinion]] = {}
    for one in Opinions(data_dir()).all(queue.id):
        if not one.skipped:
            said.setdefault((one.row_id, one.side), []).append(one)
    many = {at: opinions for at, opinions in said.items() if len(opinions) > 1}
    if not many:
        return []
    decided: dict[tuple[int, str], dict[str, Decision]] = {}
    for decision in Decisions(data_dir()).all(queue.id):
        decided.setdefault((decision.row_id, decision.side), {})[decision.key] = decision
    found = []
    for item in Queues(data_dir()).items(queue.id):
        opinions = many.get((item.row_id, item.side), [])
        differing = tuple(key for key in queue.asked if _differ(opinions, key))
        if differing:
            decisions = decided.get((item.row_id, item.side), {})
            found.append(ToSettle(item, tuple(opinions), differing, decisions))
    return found


def who_differs(items: Sequence[ToSettle]) -> str:
    """Who gave different answers to these items, as the beginning of a sentence."""
    names = {one.reviewer for item in items for one in item.opinions}
    return "Rules" if all(map(by_rule, names)) else "People"


def in_state(items: list[ToSettle], state: State) -> list[ToSettle]:
    """Those that are settled, or not, or all."""
    return [one for one in items if state == "all" or one.settled == (state == "settled")]


def letters(queue: Queue, item: Item) -> dict[Side, str]:
    """Which reply of a row is called A and which B where it is settled: by chance, and always so.

    Until an item is settled nothing else tells which one was chosen.
    """
    left = left_side(queue, item.row_id, "")
    return {side: "A" if side == left else "B" for side in SIDES}


def in_letters(key: str, answer: Label, named: Mapping[Side, str]) -> str:
    """An answer as it is read before an item is settled: a reply by its letter."""
    if key == BETTER:
        for side, letter in named.items():
            if answer == side:
                return letter
    return answer_in_words(key, answer)


def noted(opinion: Opinion, named: Mapping[Side, str]) -> str:
    """Somebody's note; one that names A or B says so where these were the other way round."""
    told = f"{opinion.reviewer} noted: {opinion.note}"
    if opinion.side == "both" and named[opinion.left] == "B" and _LETTER.search(opinion.note):
        told += f" (A and B stood the other way round for {opinion.reviewer}.)"
    return told


def tally(one: ToSettle, key: str, named: Mapping[Side, str]) -> str:
    """How many gave which answer to a question, as in "2 said A, 1 said B"; the same words in
    another order are the same answer.
    """
    given = [opinion.answers[key] for opinion in one.opinions if key in opinion.answers]
    given = [tuple(sorted(answer)) if isinstance(answer, tuple) else answer for answer in given]
    counts = Counter(in_letters(key, answer, named) for answer in given if answer is not None)
    told = [f"{count:,} said {words}" for words, count in counts.most_common()]
    unsure = given.count(None)
    return ", ".join([*told, *([f"{unsure:,} could not tell"] if unsure else [])])


def decide(item: Item, key: str, answer: Label, by: str, reason: str, version: int) -> Decision:
    """Settle one question of an item that was read with a decision of this version (0 for none).

    Raises:
        NotAllowed: the visitor may only read and review.
        DecisionConflict: it was settled by somebody else meanwhile; nothing is changed.
        BadInput: there is no name, no such item or question, or the reason is too long.
    """
    return settle(Decision(item.queue, item.row_id, item.side, key, answer, by, reason, version))


def views(queue: Queue, item: Item) -> list[View]:
    """What the recorded choice, models and labelers say of an item."""
    dataset = datasets.by_fingerprint(queue.dataset)
    labelers = labels_of_row(str(dataset.about["content"]), item.row_id)
    if queue.task != BETTER:
        found = []
        for one in labelers:
            labels = one.chosen if item.side == "chosen" else one.rejected
            if labels is not None:
                found.append(
                    View(shown_name(one.labeler), {key: labels.get(key) for key in queue.asked})
                )
        return found
    return [
        View("the recorded choice", {BETTER: "chosen"}),
        *_models(dataset, item.row_id),
        *(
            View(shown_name(one.labeler), {BETTER: choice}, "harmless first, then helpful")
            for one in labelers
            if (choice := labeler_choice(one.chosen, one.rejected)) is not None
        ),
    ]


def _models(dataset: PreparedDataset, row_id: int) -> list[View]:
    """What the newest comparison that judged a row found, model by model."""
    for results in runs.opened(comparisons(dataset), open_results):
        if row_id not in results.row_ids:
            continue
        found = []
        for row in judged_pair(results, row_id).judged:
            side = SIDE_OF_VERDICT.get(str(row["verdict"]))
            unit = results.typical_margins[row["model"]]
            if side is not None:
                amount = abs(row["margin"] / unit) if unit else 0.0
                by = f"{strength(amount)}, {margin_size(amount)}" if side != NO_DIFFERENCE else ""
                found.append(View(str(row["model"]), {BETTER: side}, by))
        return found
    return []


def said_of_row(dataset: PreparedDataset, row_id: int) -> list[tuple[Queue, ToSettle]]:
    """All opinions on a row in any queue, with the decisions, queue by queue and side by side."""
    queues = {queue.id: queue for queue in queues_on(dataset)}
    found: dict[tuple[int, str], list[Opinion]] = {}
    for one in Opinions(data_dir()).on_row(list(queues), row_id):
        found.setdefault((one.queue, one.side), []).append(one)
    told = []
    for (number, _), opinions in found.items():
        item = Item(number, 0, row_id, opinions[0].side)
        answered = [one for one in opinions if not one.skipped]
        if not answered:
            continue
        differing = tuple(key for key in queues[number].asked if _differ(answered, key))
        decisions = Decisions(data_dir()).of(item)
        told.append((queues[number], ToSettle(item, tuple(answered), differing, decisions)))
    return told


def _differ(opinions: list[Opinion], key: str) -> bool:
    given = [one.answers[key] for one in opinions if one.answers.get(key) is not None]
    return any(not same_answer(given[0], other) for other in given[1:])


_OF_OPINION = ("row_id", "side", "reviewer", "verified", "blind", "prefill", "skipped", "note")
FIELDS = ("queue", "title", "source", *_OF_OPINION, "version", "saved", "seconds")


def opinions_csv(dataset: PreparedDataset, *, spreadsheet: bool = False) -> bytes:
    """Every opinion, by queue, row, side and person.

    An answer has the words yes, no and can't tell; lists are joined by "; ", an empty cell was not
    asked or not answered. `settled_KEY` holds the decision on that question, `settled_by_KEY` who
    decided, and `settled_why_KEY` the reason. Verbatim, or for spreadsheets: see `csv_bytes`.
    """
    queues = queues_on(dataset)
    asked = {key for queue in queues for key in queue.asked}
    keys = [key for key in (BETTER, *FEATURES) if key in asked]
    heads = [
        head
        for key in keys
        for head in (f"settled_{key}", f"settled_by_{key}", f"settled_why_{key}")
    ]
    rows = []
    for queue in queues:
        decided = {(d.row_id, d.side, d.key): d for d in Decisions(data_dir()).all(queue.id)}
        for one in Opinions(data_dir()).all(queue.id):
            saved = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.saved))
            cells: list[object] = [queue.id, queue.title, queue.source]
            cells += [getattr(one, name) for name in _OF_OPINION]
            cells += [one.version, saved, one.seconds or ""]
            cells += [_word(one.answers[key]) if key in one.answers else "" for key in keys]
            for key in keys:
                cells += _settled(decided.get((one.row_id, one.side, key)))
            rows.append(cells)
    return csv_bytes([*FIELDS, *keys, *heads], rows, spreadsheet=spreadsheet)


def _settled(decision: Decision | None) -> list[object]:
    if decision is None:
        return ["", "", ""]
    return [_word(decision.answer), decision.by, decision.reason]


def _word(answer: Label) -> str:
    if answer is None:
        return "can't tell"
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return "; ".join(answer) if isinstance(answer, tuple) else answer
