"""What importing a review sheet did, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from ivan_core.domain.one_line import one_line
from ivan_core.domain.reviews import BETTER, Opinion, Queue
from ivan_core.review.sheets.questions import in_words, question

MOST_LINES = 20
_MOST = 60
"""Letters of a note that are shown."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts of items, but for `cant_tell`, which counts answers.

    `changed` and `kept` are sentences, one an item: what the sheet changed, and what it did not
    because something newer stood there. `empty` items have no answer in the sheet, `unchecked` ones
    only what was filled in, `notes_only` ones a note that nothing was answered to; `missing` ones
    were left out of it.
    """

    queue: Queue
    reviewer: str
    new: int = 0
    same: int = 0
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    skipped: int = 0
    cant_tell: int = 0
    empty: int = 0
    unchecked: int = 0
    notes_only: int = 0
    missing: int = 0

    @property
    def wrote(self) -> bool:
        """Whether anything was changed."""
        return bool(self.new or self.changed)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The whole report; no line is longer than a change of one item."""
        counts = f"{self.new:,} new, {len(self.changed):,} changed, {self.same:,} as before"
        told = [f"{self.reviewer} on “{self.queue.title or f'queue {self.queue.id}'}”: {counts}."]
        if not self.wrote:
            told.append("Nothing was changed.")
        besides = [
            (self.skipped, "skipped"),
            (self.cant_tell, "answered “can't tell”"),
            (self.empty, "left empty"),
            (self.unchecked, "filled in, but neither checked nor changed, so not counted"),
            (self.notes_only, "with a note but no answer, not counted"),
            (self.missing, "not in the sheet any more"),
        ]
        said = [f"{count:,} {what}" for count, what in besides if count]
        if said:
            told.append(f"{'; '.join(said)}.")
        told += _listed(self.changed)
        if self.kept:
            told.append(
                f"{len(self.kept):,} kept as they are: what stands there is newer than this sheet."
                " Ask to replace if the sheet is right."
            )
            told += _listed(self.kept)
        return tuple(told)


def _listed(lines: tuple[str, ...]) -> list[str]:
    rest = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"… and {rest:,} more."] if rest > 0 else [])]


def difference(before: Opinion, after: Opinion) -> str:
    """What an opinion says otherwise than another of the same item."""
    side = "" if before.side == "both" else f", {before.side}"
    told = []
    if before.skipped != after.skipped:
        told.append("skipped → answered" if before.skipped else "answered → skipped")
    if not after.skipped:
        for key in sorted({*before.answers, *after.answers}):
            was, now = (in_words(key, one.answers) for one in (before, after))
            if was != now:
                told.append(f"{'' if key == BETTER else question(key) + ' '}{was} → {now}")
    if before.note != after.note:
        told.append(f"note “{one_line(before.note, _MOST)}” → “{one_line(after.note, _MOST)}”")
    return f"Row {before.row_id}{side}: {'; '.join(told)}."
