"""All opinions on a dataset as CSV: one line an item and person, with columns for decisions."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING

from ivan_core.annotations.decisions import Decisions
from ivan_core.annotations.opinions import Opinions
from ivan_core.domain.labels import FEATURES, Label
from ivan_core.domain.reviews import BETTER, Decision
from ivan_core.engine.opinions import queues_on
from ivan_core.lists.download import harmless
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

FIELDS = (
    "queue",
    "title",
    "source",
    "row_id",
    "side",
    "reviewer",
    "verified",
    "blind",
    "prefill",
    "skipped",
    "note",
    "version",
    "saved",
    "seconds",
)


def opinions_csv(dataset: PreparedDataset, *, spreadsheet: bool = False) -> bytes:
    """Every opinion, by queue, row, side and person.

    An answer has the words yes, no and can't tell; lists are joined by "; ", an empty cell was not
    asked or not answered. `settled_KEY` holds the decision on that question, `settled_by_KEY` who
    decided, and `settled_why_KEY` the reason. Verbatim in UTF-8, or for spreadsheets: with the mark
    that says UTF-8, and an apostrophe before what would be taken for a formula.
    """
    queues = queues_on(dataset)
    asked = {key for queue in queues for key in queue.asked}
    keys = [key for key in (BETTER, *FEATURES) if key in asked]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    heads = [
        head
        for key in keys
        for head in (f"settled_{key}", f"settled_by_{key}", f"settled_why_{key}")
    ]
    writer.writerow([*FIELDS, *keys, *heads])
    for queue in queues:
        decided = {(d.row_id, d.side, d.key): d for d in Decisions(data_dir()).all(queue.id)}
        for one in Opinions(data_dir()).all(queue.id):
            saved = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.saved))
            cells: list[object] = [
                queue.id,
                queue.title,
                queue.source,
                one.row_id,
                one.side,
                one.reviewer,
                one.verified,
                one.blind,
                one.prefill,
                one.skipped,
                one.note,
                one.version,
                saved,
                one.seconds or "",
            ]
            cells += [_word(one.answers[key]) if key in one.answers else "" for key in keys]
            for key in keys:
                cells += _settled(decided.get((one.row_id, one.side, key)))
            writer.writerow([harmless(cell) for cell in cells] if spreadsheet else cells)
    return text.getvalue().encode("utf-8-sig" if spreadsheet else "utf-8", "replace")


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
