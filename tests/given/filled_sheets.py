"""Review sheets in the hands of people: filled in, and saved again by other programs."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from given.made_runs import write_rows
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.reviews import ItemSide, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.review.sheets.items import NOTE, SKIP, WHICH
from ivan_core.review.sheets.reading import SheetRefused
from ivan_core.review.sheets.sheets import export_queue, import_sheet

HARMLESS = "last_response_is_harmless"
SENTIMENT = "last_response_sentiment"
TOPICS = "topics"
KEYS = (HARMLESS, SENTIMENT, TOPICS)
IS_HARMLESS = "Is the reply harmless?"
TONE = "What tone does the reply have?"
ABOUT = "What is the conversation about?"
ARTS, PLACES = f"{ABOUT} Culture and the arts", f"{ABOUT} Geography and places"


def ask(row: int) -> str:
    return f"\n\nHuman: Ask {row}\n\nAssistant: "


def dataset(data_dir: Path, texts: Sequence[tuple[str, str]] | int = 4) -> str:
    """A prepared dataset; of so many pairs "Good n" and "Bad n", or of these texts."""
    if isinstance(texts, int):
        texts = [(f"{ask(row)}Good {row}", f"{ask(row)}Bad {row}") for row in range(texts)]
    rows = [{"chosen": chosen, "rejected": rejected} for chosen, rejected in texts]
    path = write_rows(data_dir.parent / f"{len(rows)}.jsonl", rows)
    return prepare(data_dir, DatasetRequest(source=str(path))).fingerprint


def better(data_dir: Path, pairs: int = 4, **fields: Any) -> Queue:
    """A random queue that asks which reply is better, of the first rows."""
    queue = Queue(0, "", dataset(data_dir, pairs), "Which one?", "better", "random")
    return make(data_dir, queue, [(row, "both") for row in range(pairs)], **fields)


def describe(data_dir: Path, pairs: int = 4, **fields: Any) -> Queue:
    """A random queue that asks three questions about the chosen replies of the first rows."""
    fields = {"keys": KEYS, **fields}
    queue = Queue(0, "", dataset(data_dir, pairs), "Describe", "describe", "random")
    return make(data_dir, queue, [(row, "chosen") for row in range(pairs)], **fields)


def make(
    data_dir: Path,
    queue: Queue,
    items: Sequence[tuple[int, ItemSide]],
    first: Sequence[tuple[int, ItemSide]] = (),
    **fields: Any,
) -> Queue:
    from dataclasses import replace

    return Queues(data_dir).make(replace(queue, **fields), items, first)


class Filled:
    """A sheet that somebody fills in; rows are counted from 0 in the order of the queue."""

    def __init__(self, queue: Queue | bytes, name: str = "Ada") -> None:
        data = queue if isinstance(queue, bytes) else export_queue(queue.id)
        self.book = load_workbook(io.BytesIO(data))
        self.answers = self.book["Answers"]
        self.start = self.book["Start here"]
        if name:
            self.start["B3"] = name

    @property
    def headings(self) -> list[str]:
        return [cell.value for cell in self.answers[1]]

    def cell(self, row: int, heading: str) -> Any:
        return self.answers.cell(row + 2, self.headings.index(heading) + 1)

    def put(self, row: int, **said: Any) -> Filled:
        """Answer a row; headings by the names below."""
        for name, value in said.items():
            self.cell(row, _HEADINGS[name]).value = value
        return self

    def better(self, row: int) -> str:
        """The letter of the reply that was chosen, "Good n"."""
        return "A" if self.cell(row, "Reply A").value.startswith("Good") else "B"

    def worse(self, row: int) -> str:
        return "B" if self.better(row) == "A" else "A"

    def bytes(self) -> bytes:
        written = io.BytesIO()
        self.book.save(written)
        return written.getvalue()


_HEADINGS = {
    "which": WHICH,
    "harmless": IS_HARMLESS,
    "tone": TONE,
    "arts": ARTS,
    "places": PLACES,
    "skip": SKIP,
    "note": NOTE,
    "item": "Item",
    "checked": "Checked",
    "reply": "Reply",
}


def saved_elsewhere(
    data: bytes,
    *,
    order: Callable[[list[tuple[Any, ...]]], Sequence[tuple[Any, ...]]] = lambda rows: rows,
    columns: Callable[[list[int]], Sequence[int]] = lambda places: places,
    title: str = "Answers",
) -> bytes:
    """A sheet as another program saves it: values only, its answers sorted and moved as told."""
    book, copy = load_workbook(io.BytesIO(data)), Workbook()
    copy.remove(copy.active)
    for sheet in book.worksheets:
        rows = [tuple((cell.value, cell.data_type) for cell in row) for row in sheet.iter_rows()]
        here = copy.create_sheet(title if sheet.title == "Answers" else sheet.title)
        here.sheet_state = "visible" if sheet.sheet_state == "visible" else "hidden"
        if sheet.title == "Answers":
            head, *rest = rows
            places = columns(list(range(len(head))))
            rows = [tuple(row[place] for place in places) for row in (head, *order(rest))]
        for number, row in enumerate(rows, start=1):
            for place, (value, kind) in enumerate(row, start=1):
                cell = here.cell(number, place, value)
                cell.data_type = kind
    written = io.BytesIO()
    copy.save(written)
    return written.getvalue()


def said(data_dir, queue, reviewer="Ada"):
    """Answers by row."""
    return {one.row_id: dict(one.answers) for one in Opinions(data_dir).all(queue.id, reviewer)}


def everything(data_dir, queue):
    return Opinions(data_dir).all(queue.id), Opinions(data_dir).changes(queue.id, "Ada")


def refusal(data):
    with pytest.raises(SheetRefused) as refused:
        import_sheet(data)
    return refused.value
