"""What reviewers are told: the invitation, who may begin, how long it takes, how they agreed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median

from ivan_core.annotations.tables import name_of
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import other_side
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Opinion, Queue, Task
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets
from ivan_core.lists.short import snippet
from ivan_core.metrics.labels.answers import same_answer
from ivan_core.review.examples import SECONDS
from ivan_core.review.flow import Standing, opinions, standing
from ivan_core.review.pace import time_words
from ivan_core.review.rights import verified_name

_MOST_TOLD = 20
_ENOUGH = 10
"""Opinions from which their own pace is told."""


def may_begin(queue: Queue, name: str) -> str:
    """The name, tidied, if whoever bears it may judge this queue.

    Raises:
        BadInput: there is no name, the queue is closed or somebody else's, or the name belongs to
            somebody who logged in.
    """
    tidy = name_of(name)
    if queue.closed:
        raise BadInput(
            "This invitation is closed: its texts have been judged.",
            "Thank you all the same. Whoever sent the link can open it again.",
        )
    if queue.assigned and queue.assigned.casefold() != tidy.casefold():
        raise BadInput(
            f"This invitation is for {queue.assigned}.",
            "If that is you, use that name; else ask whoever sent the link for one of your own.",
        )
    folded = tidy.casefold()
    if verified_name() != tidy and any(
        verified and known.casefold() == folded for _, known, _, verified in opinions().reviewers()
    ):
        raise BadInput(
            f"{tidy} is the name of somebody who logged in.", "Log in too, or use another name."
        )
    return queue.assigned or tidy


@dataclass(frozen=True, slots=True)
class Namesake:
    """Whoever has judged under a name, as they spell it: how many items here, and elsewhere.

    A name is one queue's until its bearer says that they are the same person: whoever judges under
    it in two queues counts as one.
    """

    name: str
    here: int
    elsewhere: int

    @property
    def sentence(self) -> str:
        """As in "Somebody called Ada has judged 12 of these.", and that nobody has."""
        if self.here:
            return f"Somebody called {self.name} has judged {self.here:,} of these."
        if self.elsewhere:
            return (
                f"Somebody called {self.name} has judged {self.elsewhere:,} in another review, and"
                " none of these."
            )
        return f"Nobody called {self.name} has judged any of these yet."

    @property
    def known(self) -> bool:
        return bool(self.here or self.elsewhere)


def namesake(queue: Queue, name: str) -> Namesake:
    """Who has judged under a name before, in this queue or another, whatever its capitals.

    A queue that is one person's has that person's spelling.
    """
    exact = name_of(name)
    counts: Counter[str] = Counter()
    here = 0
    for number, known, count, _ in opinions().reviewers():
        if known.casefold() == exact.casefold():
            counts[known] += count
            here += count if number in (queue.id, queue.companion) else 0
    known_so = exact if exact in counts or not counts else counts.most_common(1)[0][0]
    return Namesake(queue.assigned or known_so, here, counts.total() - here)


def minutes(queue: Queue, items: int) -> int:
    """How many minutes so many items of a queue take, by the pace of those who judged so far."""
    said = opinions().all(queue.id)
    whole = [one for one in said if not one.skipped and queue.answered(one.answers)]
    paces = [one.seconds for one in whole if one.seconds]
    pace = median(paces) if len(paces) >= _ENOUGH else SECONDS[queue.task]
    return max(1, round(items * pace / 60))


THING: dict[Task, str] = {"better": "pair", "describe": "text"}
"""What is judged in a task."""


def how_long(queue: Queue, name: str = "") -> str:
    """How much a queue asks of a person, as in "20 pairs, about 10 minutes"."""
    total = standing(queue, name or queue.assigned or "?").total
    took = time_words(minutes(queue, total))
    return f"{number_of(total, THING[queue.task])}, {took}"


_ASKS: dict[Task, str] = {
    "better": "would you read a few questions to a computer assistant, each with two replies, and"
    " say which reply you find better?",
    "describe": "would you read a few replies of a computer assistant and answer plain questions"
    " about them?",
}


def invitation(queue: Queue, link: str, tunnel: str = "") -> str:
    """A message to copy and send: what is asked, how long it takes, what may come up, the link.

    `tunnel` is a command that whoever gets it types first, where the link needs one.
    """
    told = [
        f"Hello {queue.assigned}," if queue.assigned else "Hello,",
        f"{_ASKS[queue.task]} It is {how_long(queue)}; a phone will do. There is nothing to"
        " install and no account, and no right answer: your judgement counts.",
        "Some texts are unpleasant: insults, violence, sex or self-harm may come up. You may skip"
        " any of them and stop whenever you like; the same link goes on where you stopped.",
    ]
    if tunnel:
        told[1] = told[1].replace("; a phone will do", "")
        told.append(f"First type this into a terminal and leave it open:\n{tunnel}")
        told.append(f"Then open:\n{link}")
    else:
        told.append(link)
    return "\n\n".join(told)


_CHOOSERS = {
    "people's choice": ("people chose", "the people before you"),
    "authored choice": ("the author chose", "the author"),
}


def _chooser(chosen_by: str) -> tuple[str, str]:
    """Who chose, with and without the verb, by what a dataset's card says."""
    return _CHOOSERS.get(chosen_by, ("the data prefers", "the data"))


def revealed(now: Standing, chosen_by: str) -> str:
    """What the dataset's choice was on the pair answered last; empty where there is none to tell,
    and where the queue keeps it for the end.

    `chosen_by` says in words whose choice that was, as a dataset's card does.
    """
    last = next(iter(reversed(now.said)), None) if now.queue.tells else None
    if last is None or last.skipped or BETTER not in last.answers:
        return ""
    letters: dict[str, str] = {last.left: "A", other_side(last.left): "B"}
    letter = "A" if last.left == "chosen" else "B"
    said = letters.get(str(last.answers[BETTER]), "")
    if not said:
        return f"The last pair: {_chooser(chosen_by)[0]} {letter}."
    same = "like you" if said == letter else f"you {said}"
    return f"The last pair: {_chooser(chosen_by)[0]} {letter}, {same}."


def differed(now: Standing, chosen_by: str) -> list[str]:
    """The pairs on which a person preferred the other reply, a sentence each, newest first.

    For the end only: before, it would teach people the taste of the data. At most `_MOST_TOLD`, and
    then how many more there are.
    """
    others = [one for one in reversed(now.said) if one.answers.get(BETTER) == "rejected"]
    dataset = datasets.by_fingerprint(now.queue.dataset)
    who = _chooser(chosen_by)[0]
    found = []
    for one in others[:_MOST_TOLD]:
        pair = dataset.pair(one.row_id)
        chosen, rejected = snippet(pair.chosen.reply), snippet(pair.rejected.reply)
        found.append(f"{who[0].upper()}{who[1:]} “{chosen}”, you “{rejected}”")
    more = len(others) - len(found)
    if more:
        found.append(f"{more:,} earlier {'one is' if more == 1 else 'ones are'} not listed.")
    return found


@dataclass(frozen=True, slots=True)
class Went:
    """How it went for a person: counts, and in how many of how many answers they agreed."""

    judged: int
    skipped: int
    choice: tuple[int, int]
    others: tuple[int, int]
    chosen_by: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the last screen says; nothing of a comparison that there is no case of."""
        told = []
        (met, named), (same, both) = self.choice, self.others
        if named:
            told.append(
                f"You chose the same reply as {_chooser(self.chosen_by)[1]} in {met:,} of the"
                f" {number_of(named, 'pair')} where you chose one."
            )
        if both:
            told.append(
                f"Another person and you gave the same answer {same:,} of the"
                f" {number_of(both, 'time')} you both answered."
            )
        return tuple(told)


def how_it_went(now: Standing, chosen_by: str) -> Went:
    """How often a person agreed with the dataset's choice, and with others on the same questions.

    "Can't tell" is left out of both; no difference is left out of the first.
    """
    answered = [one for one in now.said if not one.skipped]
    picks = [one.answers.get(BETTER) for one in answered]
    picks = [pick for pick in picks if pick is not None and pick != NO_DIFFERENCE]
    own = {(one.queue, one.row_id, one.side): one for one in answered}
    same = total = 0
    for queue in {one.queue for one in answered}:
        for other in opinions().all(queue):
            mine = own.get((other.queue, other.row_id, other.side))
            if mine is None or other.skipped or other.reviewer == now.name:
                continue
            for key, label in other.answers.items():
                if label is None or mine.answers.get(key) is None:
                    continue
                total += 1
                same += same_answer(label, mine.answers[key])
    return Went(
        len(answered),
        len(now.said) - len(answered),
        (picks.count("chosen"), len(picks)),
        (same, total),
        chosen_by,
    )


def answer_words(opinion: Opinion) -> str:
    """An answer to which reply is better, as the buttons of the screen call it."""
    if opinion.skipped:
        return "skipped"
    answer = opinion.answers.get(BETTER)
    if answer is None:
        return "can't tell"
    if answer == NO_DIFFERENCE:
        return "no difference"
    return "A is better" if answer == opinion.left else "B is better"
