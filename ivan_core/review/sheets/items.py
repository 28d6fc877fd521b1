"""The rows of a review sheet: which items, in which words, and under ids that tell nothing.

A sheet says neither which reply was chosen nor whose labels it may hold. The order of A and B and
the ids follow from the queue's token, which stays here, and the number of the sheet.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Labels
from ivan_core.domain.pairs import Pair, Side
from ivan_core.domain.reviews import BLIND_FIRST, Item, Queue
from ivan_core.domain.transcripts import Dialogue, Turn
from ivan_core.engine import datasets
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
