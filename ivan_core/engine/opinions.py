"""Which opinions enter rates: blind answers to random items, the earliest of each person.

All others are kept and shown; here they are only counted, so that it can be said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.labels import Label, TextKey
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import BETTER, Opinion, Queue, Task, by_rule
from ivan_core.engine import datasets
from ivan_core.metrics.intervals import Groups, design_effect, units_of
from ivan_core.metrics.label_noise import Ceiling, ceiling, no_ceiling_sentence
from ivan_core.metrics.labels.answers import majority
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

Stamp = tuple[Path, str, tuple[int, ...], tuple[int, int, float], bool]
"""A data folder, a dataset's content, its queues, what changes with every save in them, and whether
answers in under a second count."""

Texts = Mapping[TextKey, Mapping[str, Label]]
_LEFT_OUT = {
    "not_random": "on items that were not drawn at random",
    "prefilled": "given with labels shown beforehand",
    "changed": "changed once the choice could be known",
    "too_quick": "given in under a second",
    "repeated": "by somebody who had answered the same before",
    "skipped": "skipped",
}
"""Why an opinion may be in no rate."""


class Timed(NamedTuple):
    """One whole answer to an item: by whom, in how many seconds (0 is not known), and how many
    questions it had."""

    reviewer: str
    seconds: float
    questions: int


@dataclass(frozen=True)
class Used:
    """The opinions that enter rates, and how many others there are.

    `choices` are those of the task `better`: by person and row, None for "can't tell"; `seconds`
    is the earliest of them on each row that no rule gave. `texts` are the answers to questions by
    person and text. An opinion is left out where its item was not drawn at random, where labels
    were shown beforehand, where it was changed once the choice was told, where it was given in
    under a second (`quick`, unless they are asked for), or where the same person had answered it in
    another queue before.
    `timed` are those that answer an item whole, by task. `dataset` is the one they were asked for.
    """

    choices: Mapping[str, Mapping[int, str | None]]
    texts: Mapping[str, Mapping[TextKey, Mapping[str, Label]]]
    seconds: Mapping[int, str | None]
    stamp: Stamp
    opinions: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    quick: tuple[Opinion, ...] = ()
    quick_counted: int = 0
    timed: Mapping[Task, tuple[Timed, ...]] = field(default_factory=dict)
    dataset: PreparedDataset | None = None

    @property
    def prompts(self) -> Groups | None:
        """The group of each row of the dataset, by its prompt."""
        return self.dataset.prompt_groups if self.dataset is not None else None

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody with an opinion that counts, in alphabetical order."""
        return tuple(sorted({*self.choices, *self.texts}))

    @property
    def all_rules(self) -> bool:
        """Whether no person is among them."""
        return bool(self.people) and all(by_rule(name) for name in self.people)

    @property
    def called(self) -> str:
        """What they are together."""
        return "rules" if self.all_rules else "reviewers"

    @property
    def left_out_sentence(self) -> str:
        """What is not counted in any rate, and why; empty where all is."""
        counts = ((self.left_out.get(why, 0), words) for why, words in _LEFT_OUT.items())
        told = [f"{count:,} {words}" for count, words in counts if count]
        sentence = f"Kept but in no rate: {', '.join(told)}." if told else ""
        if self.quick_counted:
            sentence += f" Counted although given in under a second: {self.quick_counted:,}."
        return sentence.strip()


def queues_on(dataset: PreparedDataset) -> list[Queue]:
    """All queues on these pairs, companions included, oldest first."""
    content = str(dataset.about["content"])
    return [
        queue
        for queue in reversed(Queues(data_dir()).all())
        if datasets.content_of(queue.dataset) == content
    ]


def used_opinions(dataset: PreparedDataset, *, quick: bool = False) -> Used:
    """The opinions on a dataset's pairs that enter rates; with `quick` all quick ones too."""
    queues = queues_on(dataset)
    ids = tuple(queue.id for queue in queues)
    content = str(dataset.about["content"])
    stamp = (data_dir(), content, ids, Opinions(data_dir()).stamp(ids), quick)
    return replace(opinions_at(stamp), dataset=dataset)


@lru_cache(maxsize=8)
def opinions_at(stamp: Stamp) -> Used:
    """The opinions that a stamp belongs to; read again only when something was saved."""
    root, _, ids, _, _ = stamp
    said: list[tuple[Queue, Opinion]] = []
    for queue in (Queues(root).get(number) for number in ids):
        said += ((queue, opinion) for opinion in said_in(queue, root))
    return _select(said, stamp)


def said_in(queue: Queue, root: Path | None = None) -> list[Opinion]:
    """What people said in a queue; of choices what each said first, before the choice was told."""
    opinions = Opinions(root or data_dir())
    own = opinions.all(queue.id)
    if queue.task == BETTER and any(one.version > 1 for one in own):
        return _as_first_given(own, opinions.first(queue.id), queue.tells)
    return own


def _as_first_given(
    said: Iterable[Opinion],
    first: Mapping[tuple[int, str, str], tuple[float, Mapping[str, Label]]],
    told: bool,
) -> list[Opinion]:
    """Opinions at the time when each was first given; where that told the choice, as they were."""
    found = []
    for one in said:
        made, answers = first.get((one.row_id, one.side, one.reviewer), (one.saved, one.answers))
        answers = answers if told else one.answers
        found.append(one if one.skipped else replace(one, answers=answers, saved=made))
    return found


def _select(said: Iterable[tuple[Queue, Opinion]], stamp: Stamp) -> Used:
    """Of opinions with their queues, those that enter rates."""
    choices: dict[str, dict[int, str | None]] = {}
    texts: dict[str, dict[TextKey, dict[str, Label]]] = {}
    seconds: dict[int, str | None] = {}
    left_out: Counter[str] = Counter()
    opinions = quick_counted = 0
    quick: list[Opinion] = []
    timed: dict[Task, list[Timed]] = {}
    for queue, opinion in sorted(said, key=lambda one: (one[1].saved, one[0].id)):
        why = _left_out(queue, opinion)
        if not why and opinion.quick:
            quick.append(opinion)
            why = "" if stamp[4] else "too_quick"
        if why:
            left_out[why] += 1
            continue
        if queue.task == BETTER:
            own = choices.setdefault(opinion.reviewer, {})
            new = opinion.row_id not in own
            if new:
                answer = opinion.answers.get(BETTER)
                own[opinion.row_id] = str(answer) if answer is not None else None
                if not by_rule(opinion.reviewer):
                    seconds.setdefault(opinion.row_id, own[opinion.row_id])
        else:
            side: Side = "chosen" if opinion.side == "chosen" else "rejected"
            on_text = texts.setdefault(opinion.reviewer, {}).setdefault(
                TextKey(opinion.row_id, side), {}
            )
            new = not opinion.answers.keys() <= on_text.keys()
            on_text.update({**opinion.answers, **on_text})
        opinions += new
        if new and queue.answered(opinion.answers) and not by_rule(opinion.reviewer):
            own_time = Timed(opinion.reviewer, opinion.seconds, len(queue.asked))
            timed.setdefault(queue.task, []).append(own_time)
        left_out["repeated"] += not new
        quick_counted += new and opinion.quick
    return Used(
        choices,
        texts,
        seconds,
        stamp,
        opinions,
        left_out,
        tuple(quick),
        quick_counted,
        {task: tuple(own) for task, own in timed.items()},
    )


def unnamed(used: Used) -> Used:
    """The same with numbers in place of the names of people, in alphabetical order, and without the
    list of quick answers."""
    people = (name for name in used.people if not by_rule(name))
    called = {name: f"Person {place}" for place, name in enumerate(people, start=1)}
    return replace(
        used,
        choices={called.get(name, name): own for name, own in used.choices.items()},
        texts={called.get(name, name): own for name, own in used.texts.items()},
        quick=(),
        timed={
            task: tuple(one._replace(reviewer=called[one.reviewer]) for one in own)
            for task, own in used.timed.items()
        },
    )


def described_by_people(used: Used) -> Used:
    """The same without what rules answered to questions about replies."""
    return replace(used, texts={who: own for who, own in used.texts.items() if not by_rule(who)})


def texts_of_majority(used: Used, keys: Sequence[str], without: str = "") -> Texts:
    """What most people say of each text, who is named left out; None where no answer has most."""
    by_text: dict[TextKey, list[Mapping[str, Label]]] = {}
    for name, own in used.texts.items():
        if name != without:
            for text, said in own.items():
                by_text.setdefault(text, []).append(said)
    return {
        text: {key: majority(one.get(key) for one in said) for key in keys}
        for text, said in sorted(by_text.items(), key=lambda one: one[0].custom_id)
    }


def second_choices(used: Used) -> tuple[int, int, int]:
    """Blind second choices that met the recorded one, all that named a side, and the others."""
    named = list(_named(used).values())
    return named.count("chosen"), len(named), len(used.seconds) - len(named)


def ceiling_of(dataset: PreparedDataset) -> Ceiling | None:
    """How often a model could side with the choice at best; None while that is not known."""
    return _ceiling(used_opinions(dataset))


def ceiling_sentence(used: Used) -> str:
    """The ceiling, or why there is none; empty where nobody chose a second time."""
    found = _ceiling(used)
    if found is not None:
        return found.sentence
    agreed, n, undecided = second_choices(used)
    return no_ceiling_sentence(agreed, n, undecided) if n or undecided else ""


def _ceiling(used: Used) -> Ceiling | None:
    named = _named(used)
    met = np.array([side == "chosen" for side in named.values()], dtype=np.bool_)
    design = design_effect(met.astype(np.float64), units_of(list(named), used.prompts))
    return ceiling(*second_choices(used), design=design)


def _named(used: Used) -> dict[int, str]:
    """The second choices that named a side, by row."""
    return {row: side for row, side in used.seconds.items() if side in ("chosen", "rejected")}


def _left_out(queue: Queue, opinion: Opinion) -> str:
    if opinion.skipped:
        return "skipped"
    if not queue.random:
        return "not_random"
    if opinion.prefill:
        return "prefilled"
    return "" if opinion.blind else "changed"
