"""What the columns of a review sheet ask, which answers they take, and what an answer means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Queue
from ivan_core.domain.words import one_line
from ivan_core.labels.schema import GROUPS, Feature, feature, features
from ivan_core.review.sheets.cells import Formula

YES, NO, CANT_TELL = "yes", "no", "can't tell"
A, B, NEITHER = "A", "B", "no difference"
SKIP, CHECKED, NOTE = "Skip this one", "Checked", "Note"
WHICH = "Which reply is better?"
_NOBODY_PUT_DOWN = ("last_response_is_discriminatory", "last_response_is_discriminating_against")
"""The second asks for what the first says yes to, and is left empty where the first says no."""

_OTHER_WORDS = {
    YES: ("y", "true", "1", "x"),
    NO: ("n", "false", "0"),
    CANT_TELL: ("cant tell", "cannot tell", "can not tell", "can`t tell"),
    A: ("a is better", "reply a"),
    B: ("b is better", "reply b"),
    NEITHER: ("nodifference", "none", "same"),
}
_SPACES = re.compile(r"[\s\u200b\ufeff]+")


class NotAnAnswer(ValueError):
    """A cell says what its column does not take; the text is what it says, shortened."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of answers: the key that it answers, its heading and what may stand in it.

    `word` is the value that a column of a list asks about; several columns then answer one key.
    """

    key: str
    heading: str
    choices: tuple[str, ...]
    help: str = ""
    word: str = ""
    group: str = ""


def columns_of(queue: Queue) -> tuple[Column, ...]:
    """The columns of answers, in the order of the screens of the app."""
    if queue.task == "better":
        return (Column(BETTER, WHICH, (A, B, NEITHER, CANT_TELL), "The one you would rather get."),)
    asked = features(queue.keys)
    return tuple(
        column
        for group in GROUPS
        for one in asked
        if one.group == group
        for column in _columns(one)
    )


def _columns(one: Feature) -> tuple[Column, ...]:
    if one.kind == "list":
        choices = (YES, NO, CANT_TELL)
        about = f"{one.help} One yes or no is enough: the rest of this question is then a no."
        return tuple(
            Column(one.key, f"{one.question} {word}", choices, about, word, one.group)
            for word in one.values
        )
    words: tuple[str, ...] = (YES, NO) if one.kind == "boolean" else one.values
    return (Column(one.key, one.question, (*words, CANT_TELL), one.help, "", one.group),)


def folded(text: str) -> str:
    """Text as headings and answers are compared: no capitals, one kind of space and apostrophe."""
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return _SPACES.sub(" ", plain).strip().casefold()


def choice_in(value: Any, choices: Sequence[str]) -> str:
    """What a cell says, in the words of its drop-down; empty for nothing.

    Programs turn words into truth values and numbers, and people leave out apostrophes.

    Raises:
        NotAnAnswer: it is none of the choices.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        value = YES if value else NO
    elif isinstance(value, int | float):
        value = f"{value:g}"
    said = folded(str(value)).rstrip(".")
    if not said:
        return ""
    if not isinstance(value, Formula):
        for choice in choices:
            if said == folded(choice) or said in _OTHER_WORDS.get(choice, ()):
                return choice
    raise NotAnAnswer(one_line(str(value), 40))


def answers_from(
    said: Sequence[tuple[Column, str]], left: Side
) -> tuple[dict[str, Label], tuple[str, ...]]:
    """The answers that a row's choices mean, and the keys of lists that contradict themselves.

    An unanswered key is left out; "can't tell" is None. A list has the values that say yes, once
    one of its columns says yes or no.
    """
    answers: dict[str, Label] = {}
    lists: dict[str, dict[str, str]] = {}
    for column, choice in said:
        if column.word:
            if choice:
                lists.setdefault(column.key, {})[column.word] = choice
        elif choice:
            answers[column.key] = _label(column, choice, left)
    odd = []
    for key, words in lists.items():
        yes = tuple(word for word in feature(key).values if words.get(word) == YES)
        unsure = CANT_TELL in words.values()
        if unsure and yes:
            odd.append(key)
        answers[key] = None if unsure else yes
    first, then = _NOBODY_PUT_DOWN
    if answers.get(first) is False and any(column.key == then for column, _ in said):
        answers.setdefault(then, ())
    return answers, tuple(odd)


def _label(column: Column, choice: str, left: Side) -> Label:
    if choice == CANT_TELL:
        return None
    if column.key == BETTER:
        right = "rejected" if left == "chosen" else "chosen"
        return {A: left, B: right}.get(choice, NO_DIFFERENCE)
    return {YES: True, NO: False}.get(choice, choice)


def choices_for(column: Column, answers: Mapping[str, Label]) -> str:
    """What to fill into a column for labels; empty where there is none."""
    label = answers.get(column.key)
    if label is None:
        return ""
    if isinstance(label, tuple):
        return YES if column.word in label else NO
    return (YES if label else NO) if isinstance(label, bool) else label


def question(key: str) -> str:
    """How a key is asked."""
    return WHICH if key == BETTER else feature(key).question


def in_words(key: str, answers: Mapping[str, Label]) -> str:
    """An answer as whoever owns the queue reads it."""
    if key not in answers:
        return "no answer"
    label = answers[key]
    if label is None:
        return CANT_TELL
    if key == BETTER:
        return NEITHER if label == NO_DIFFERENCE else f"the {label} reply"
    if isinstance(label, tuple):
        return ", ".join(label) or "none of them"
    return (YES if label else NO) if isinstance(label, bool) else label
