"""The way of a person through a queue: which item comes next, what its screen holds, and saving
what they say of it, with what that means for the rates.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, Labels, TextKey
from ivan_core.domain.pairs import Pair, Side
from ivan_core.domain.reviews import BETTER, Item, ItemSide, Opinion, Queue
from ivan_core.engine import datasets
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.schema import GROUPS, feature, features, is_label
from ivan_core.review.rights import say
from ivan_core.review.runs_on_pairs import labels_on
from ivan_core.settings import data_dir


@dataclass(frozen=True, slots=True)
class Place:
    """What is on a person's screen: an item, and which group of its questions."""

    queue: int
    row_id: int
    side: ItemSide = "both"
    screen: int = 0

    @property
    def item(self) -> Item:
        return Item(self.queue, 0, self.row_id, self.side)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a queue and in the one that gives its first items.

    `said` are their opinions, the one saved last at the end; `done` counts the items answered or
    skipped to the end, `total` all that they are asked.
    """

    queue: Queue
    name: str
    companion: Queue | None
    said: tuple[Opinion, ...]
    done: int
    total: int

    def queue_of(self, place: Opinion | Place | Item) -> Queue:
        """The queue of the two that something belongs to."""
        if self.companion is not None and place.queue == self.companion.id:
            return self.companion
        return self.queue


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: what is read, what is asked, and what this person said of it before.

    `screens` is how many screens the item has; `keys` are the questions of this one, under the
    heading `group`; `suggested` are labels shown in advance, none where the item is blind. `told`
    says that this person may know by now what was chosen: each pair tells it, or the end was
    reached.
    """

    queue: Queue
    place: Place
    pair: Pair
    opinion: Opinion
    left: Side
    screens: int = 1
    group: str = ""
    keys: tuple[str, ...] = ()
    suggested: Labels = field(default_factory=dict)
    told: bool = False

    @property
    def again(self) -> bool:
        """Whether this was answered or skipped before."""
        return self.opinion.version > 0 and not any(
            key not in self.opinion.answers for key in self.keys if not self.opinion.skipped
        )


def queues() -> Queues:
    """The queues of this data folder, or of the team's database."""
    return Queues(data_dir())


def opinions() -> Opinions:
    """What people said of the items of queues."""
    return Opinions(data_dir())


def standing(queue: Queue, name: str) -> Standing:
    """Where a person stands in a queue."""
    companion = queues().get(queue.companion) if queue.companion else None
    both = (queue, *([companion] if companion else []))
    said = [one for each in both for one in opinions().all(each.id, name)]
    said.sort(key=lambda opinion: opinion.saved)
    done, total = queues().judged(queue, name)
    return Standing(queue, name, companion, tuple(said), done, total)


def screens_of(queue: Queue) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The screens of an item: a heading and its questions, in the order of the schema's groups."""
    if queue.task == "better":
        return (("", (BETTER,)),)
    asked = features(queue.asked)
    grouped = ((group, tuple(one.key for one in asked if one.group == group)) for group in GROUPS)
    return tuple((group, keys) for group, keys in grouped if keys)


def next_place(now: Standing) -> Place | None:
    """What comes next: what was begun, then what the queue gives; None where all is done."""
    item = queues().next_item(now.queue, now.name)
    if item is None:
        return None
    here = (item.queue, item.row_id, item.side)
    begun = next((one for one in now.said if (one.queue, one.row_id, one.side) == here), None)
    answered = begun.answers if begun else {}
    screens = screens_of(now.queue_of(item))
    at = next(i for i, (_, keys) in enumerate(screens) if any(k not in answered for k in keys))
    return Place(*here, at)


def place_before(now: Standing, place: Place | None) -> Place | None:
    """What was on the screen before a place (None stands for the end); None at the beginning."""
    if place is not None and place.screen:
        return replace(place, screen=place.screen - 1)
    here = [(one.queue, one.row_id, one.side) for one in now.said]
    at = len(here)
    if place is not None and (place.queue, place.row_id, place.side) in here:
        at = here.index((place.queue, place.row_id, place.side))
    if not at:
        return None
    before = now.said[at - 1]
    last = len(screens_of(now.queue_of(before))) - 1
    return Place(before.queue, before.row_id, before.side, last)


def number_in_queue(now: Standing, place: Place) -> int:
    """The how manieth item of all a place is for a person: one gone back to keeps its number."""
    here = [(one.queue, one.row_id, one.side) for one in now.said]
    at = (place.queue, place.row_id, place.side)
    return min(here.index(at) if at in here else now.done, now.total - 1) + 1


def open_screen(now: Standing, place: Place) -> Screen:
    """All that is shown at a place.

    Raises:
        BadInput: the texts or the row are gone.
    """
    queue = now.queue_of(place)
    dataset = datasets.by_fingerprint(queue.dataset)
    opinion = opinions().of(place.item, now.name)
    group, keys = screens_of(queue)[place.screen]
    return Screen(
        queue,
        place,
        dataset.pair(place.row_id),
        opinion,
        left_side(queue, place.row_id, now.name),
        len(screens_of(queue)),
        group,
        keys,
        suggestions(queue, place),
        is_told(now, queue),
    )


def is_told(now: Standing, queue: Queue) -> bool:
    """Whether a person may know what was chosen on what they answered in a queue of the two: each
    pair tells it, or the end was reached."""
    return queue.tells or now.done >= now.total


def left_side(queue: Queue, row_id: int, name: str) -> Side:
    """Which reply a person sees left: by chance, but the same whenever they come back."""
    return random.Random(f"review|{queue.token}|{row_id}|{name}").choice(("chosen", "rejected"))


def suggestions(queue: Queue, place: Place) -> Labels:
    """The labels that are shown in advance, of the run that the queue names; none if it is blind.

    A run that is gone, or does not know the text, suggests nothing.
    """
    if not queue.prefill or place.side == "both":
        return {}
    try:
        given = labels_on(open_labels(queue.prefill), [place.row_id], queue.asked)
    except BadInput:
        return {}
    own = given.get(TextKey(place.row_id, place.side), {})
    return {key: label for key, label in own.items() if label is not None}


def save_better(screen: Screen, answer: Label, note: str = "", seconds: float = 0.0) -> Opinion:
    """Say which reply is better, as a press on this screen does.

    An answer that is changed once the choice was told is kept, but is not blind any more.

    Raises:
        OpinionConflict: another window said something else meanwhile; nothing is changed.
        BadInput: that is no answer, or as `Opinions.save`.
    """
    return _save(screen, {BETTER: answer}, note, seconds)


def save_described(
    screen: Screen, answers: Mapping[str, Label], note: str = "", seconds: float = 0.0
) -> Opinion:
    """Answer the questions of this screen; None is "can't tell". Raises as `save_better`."""
    missing = [key for key in screen.keys if key not in answers]
    if missing:
        raise BadInput(
            f"Still open: {feature(missing[0]).question}", "Answer it, or press can't tell."
        )
    for key in screen.keys:
        if answers[key] is not None and not is_label(feature(key), answers[key]):
            raise BadInput(
                f"That is no answer to: {feature(key).question}", "Pick one of those shown."
            )
    return _save(screen, {key: answers[key] for key in screen.keys}, note, seconds)


def skip(screen: Screen, note: str = "", seconds: float = 0.0) -> Opinion:
    """Put the item aside without an answer. Raises as `save_better`."""
    before = screen.opinion
    return say(
        replace(
            before,
            answers={},
            skipped=True,
            note=note,
            left=screen.left,
            blind=_blind(screen) and not (screen.told and BETTER in before.answers),
            prefill=screen.queue.prefill,
            seconds=before.seconds + seconds,
        )
    )


def _save(screen: Screen, answers: Labels, note: str, seconds: float) -> Opinion:
    before = screen.opinion
    changed = BETTER in before.answers and before.answers[BETTER] != answers.get(BETTER)
    return say(
        replace(
            before,
            answers={**before.answers, **answers},
            skipped=False,
            note=note,
            left=screen.left,
            blind=_blind(screen) and not (screen.told and changed),
            prefill=screen.queue.prefill,
            seconds=before.seconds + seconds,
        )
    )


def _blind(screen: Screen) -> bool:
    """Whether nothing that others said of the item was shown so far."""
    return not screen.queue.prefill and (screen.opinion.blind or not screen.opinion.version)
