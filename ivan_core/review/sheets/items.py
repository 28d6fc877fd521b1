"""What a review sheet holds: its rows, and the columns with what they ask and what an answer means.

Rows are items in their words, under ids that tell nothing. A sheet says neither which reply was
chosen nor whose labels it may hold. The order of A and B and the ids follow from the queue's token,
which stays here, and the number of the sheet.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, Labels
from ivan_core.domain.pairs import Pair, Side, other_side
from ivan_core.domain.reviews import BETTER, BLIND_FIRST, NO_DIFFERENCE, Item, Queue
from ivan_core.domain.transcripts import Dialogue, Turn
from ivan_core.domain.words import one_line
from ivan_core.engine import datasets
from ivan_core.labels.schema import GROUPS, Feature, feature, features
from ivan_core.review.sheets.cells import Formula
from ivan_core.settings import data_dir

CONVERSATION, REPLY = "Conversation", "Reply"
REPLY_A, REPLY_B = "Reply A", "Reply B"
NO_REPLY = "(there is no reply: the conversation ends with the human)"
_LETTERS = "bcdfghjklmnpqrstvwxz"
"""No vowels: neither words nor months, which a spreadsheet would turn into dates."""


@dataclass(frozen=True, slots=True)
class SheetItem:
    """A row of a sheet.

    `code` is the id that stands in it; `left` is the reply that is called A; `texts` are what is
    read, by heading; `hashes` those of the whole texts in the order shown; `filled` are labels that
    are filled in beforehand.
    """

    code: str
    queue: Queue
    item: Item
    left: Side = "chosen"
    texts: tuple[tuple[str, str], ...] = ()
    hashes: tuple[str, ...] = ()
    filled: Labels = field(default_factory=dict)


def proof(queue: Queue, sheet: str, *facts: str) -> str:
    """What only this database can say of a sheet of this queue, 32 hex digits."""
    return _digest(queue, "sheet", sheet, *facts).hex()[:32]


def headings(queue: Queue) -> tuple[str, ...]:
    """The columns with what is to be read."""
    return (CONVERSATION, REPLY_A, REPLY_B) if queue.task == "better" else (CONVERSATION, REPLY)


def all_items(queue: Queue, sheet: str) -> list[SheetItem]:
    """Every item that a sheet of this queue may have, without its texts.

    Those of the companion come first: each person's first items are random and blind.
    """
    found: list[SheetItem] = []
    if queue.companion:
        companion = Queues(data_dir()).get(queue.companion)
        first = Queues(data_dir()).items(companion.id)[:BLIND_FIRST]
        found = [_bare(queue, companion, item, sheet, place) for place, item in enumerate(first)]
    own = Queues(data_dir()).items(queue.id)
    start = len(found)
    return found + [_bare(queue, queue, one, sheet, start + n) for n, one in enumerate(own)]


def waiting_items(queue: Queue, sheet: str, reviewer: str = "") -> list[SheetItem]:
    """The items that a sheet asks: all, or those that a person has not done to the end yet."""
    found = all_items(queue, sheet)
    if not reviewer:
        return found
    asked = set(queue.asked)
    said = {
        (one.queue, one.row_id, one.side)
        for number in {item.queue.id for item in found}
        for one in Opinions(data_dir()).all(number, reviewer)
        if one.skipped or asked <= one.answers.keys()
    }
    return [one for one in found if _place(one.item) not in said]


def with_texts(found: Sequence[SheetItem], *, labels: bool) -> list[SheetItem]:
    """The same items with what is read, and with the labels that their queue shows in advance.

    Without `labels` they keep those that they have.

    Raises:
        BadInput: the texts or the labels are gone.
    """
    if not found:
        return []
    dataset = texts_of(found[0].queue)
    pairs = dataset.pairs([one.item.row_id for one in found])
    filled = _filled(found) if labels else {_place(one.item): one.filled for one in found}
    return [
        _read(one, pair, filled.get(_place(one.item), {}))
        for one, pair in zip(found, pairs, strict=True)
    ]


def texts_of(queue: Queue) -> PreparedDataset:
    """The dataset of a queue. Raises BadInput if it is gone."""
    try:
        return datasets.by_fingerprint(queue.dataset)
    except BadInput as error:
        raise BadInput(
            "The texts of this queue are no longer in the data folder.",
            "Judge the same dataset once again to read them anew.",
        ) from error


def _bare(own: Queue, queue: Queue, item: Item, sheet: str, place: int) -> SheetItem:
    digest = _digest(own, "item", sheet, str(item.queue), str(item.row_id), item.side)
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:5])
    left: Side = "chosen"
    if item.side == "both" and _digest(own, "left", sheet, str(item.row_id))[0] % 2:
        left = "rejected"
    return SheetItem(f"{place + 1}-{letters}", queue, item, left)


def _digest(queue: Queue, *facts: str) -> bytes:
    return hmac.digest(queue.token.encode(), "|".join(facts).encode(), "sha256")


def _place(item: Item) -> tuple[int, int, str]:
    return item.queue, item.row_id, item.side


def _read(one: SheetItem, pair: Pair, filled: Labels) -> SheetItem:
    if one.item.side != "both":
        text = pair.chosen if one.item.side == "chosen" else pair.rejected
        shown: tuple[str, ...] = _parts(text)
        hashes: tuple[str, ...] = (text.hash,)
    else:
        left, right = pair.chosen, pair.rejected
        if one.left == "rejected":
            left, right = right, left
        shared = pair.shared_turns
        same = left.preamble == right.preamble
        begin = _transcript(left.preamble if same else "", shared)
        shown = (begin, *(_rest(text, len(shared), same) for text in (left, right)))
        hashes = (left.hash, right.hash)
    texts = tuple(zip(headings(one.queue), shown, strict=True))
    return SheetItem(one.code, one.queue, one.item, one.left, texts, hashes, filled)


def _parts(text: Dialogue) -> tuple[str, str]:
    """A dialogue as what comes before its last reply, and the reply."""
    if not text.turns:
        return "", text.preamble.strip()
    if text.ends_in_human_turn:
        return _transcript(text.preamble, text.turns), NO_REPLY
    return _transcript(text.preamble, text.turns[:-1]), text.turns[-1].words


def _rest(text: Dialogue, shared: int, same_preamble: bool) -> str:
    """A side after what both share: the bare reply where nothing else is left."""
    rest = text.turns[shared:]
    preamble = "" if same_preamble else text.preamble
    if len(rest) == 1 and rest[0].role == "Assistant" and not preamble:
        return rest[0].words
    return _transcript(preamble, rest) or NO_REPLY


def _transcript(preamble: str, turns: Sequence[Turn]) -> str:
    told = [preamble.strip(), *(f"{turn.role}: {turn.words}" for turn in turns)]
    return "\n\n".join(part for part in told if part)


def _filled(found: Sequence[SheetItem]) -> dict[tuple[int, int, str], Labels]:
    """The labels shown in advance, by item; an item that its labeler left out has none."""
    from ivan_core.experiments.labels.results import open_labels
    from ivan_core.review.runs_on_pairs import labels_on

    labels: dict[tuple[int, int, str], Labels] = {}
    for queue in {one.queue.id: one.queue for one in found if one.queue.prefill}.values():
        wanted = {(one.item.row_id, one.item.side) for one in found if one.queue.id == queue.id}
        rows = {row_id for row_id, _ in wanted}
        for text, given in labels_on(open_labels(queue.prefill), rows, queue.asked).items():
            if (text.row_id, text.preference) in wanted:
                labels[queue.id, text.row_id, text.preference] = {
                    key: label for key, label in given.items() if label is not None
                }
    return labels


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
        right = other_side(left)
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
