"""Reviewing without the app: a queue as a spreadsheet, the answers in it taken back in, and what
that did, in sentences.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace as with_changes
from pathlib import Path

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.annotations.tables import name_of
from ivan_core.datasets.limits import check_regular
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, Change, Item, Opinion, OpinionConflict, Queue
from ivan_core.domain.words import one_line
from ivan_core.engine import access
from ivan_core.review.rights import verified_name
from ivan_core.review.sheets.cells import MOST_BYTES, check_package, read_grids
from ivan_core.review.sheets.items import (
    SheetItem,
    all_items,
    in_words,
    proof,
    question,
    texts_of,
    waiting_items,
    with_texts,
)
from ivan_core.review.sheets.layout import workbook
from ivan_core.review.sheets.reading import (
    About,
    Rows,
    Said,
    SheetRefused,
    by_code,
    read_about,
    read_name,
    read_rows,
)
from ivan_core.settings import data_dir

MOST_LINES = 20
_MOST = 60
"""Letters of a note that are shown."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Counts of items, but for `cant_tell`, which counts answers.

    `changed` and `kept` are sentences, one an item: what the sheet changed, and what it did not
    because something newer stood there. `empty` items have no answer in the sheet, `unchecked` ones
    only what was filled in, `notes_only` ones a note that nothing was answered to; `missing` ones
    were left out of it. `wrong` are the numbers of rows that were not taken, `problems` says why.
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
    wrong: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()

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
        if self.problems:
            told.append(f"Left out: {rows_in_words(self.wrong)}. Correct it and import it again:")
            told += _listed(self.problems)
        return tuple(told)


def rows_in_words(rows: Sequence[int]) -> str:
    """Rows of a sheet by their numbers, as in "rows 3, 7 and 9"; of many, the first of them."""
    if not rows:
        return "items whose texts are others now"
    if len(rows) == 1:
        return f"row {rows[0]:,}"
    shown = [f"{row:,}" for row in rows[:MOST_LINES]]
    rest = len(rows) - len(shown)
    *most, last = [*shown, *([f"{rest:,} more"] if rest else [])]
    return f"rows {', '.join(most)} and {last}"


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
    return f"Pair {before.row_id}{side}: {'; '.join(told)}."


MOST_ITEMS = 3_000
"""Items in a sheet: more than anybody judges, and few enough to open everywhere."""
_TRIES = 3
_REASON = "sheet "
"""How the reason of a change begins that a sheet made; the number of the sheet follows."""
_Place = tuple[int, int, str]


def export_queue(queue_id: int, reviewer: str = "") -> bytes:
    """A queue as an .xlsx file to be filled in and sent back.

    For a named person, or the one a queue is assigned to, it leaves out what they judged already.
    The sides are shuffled anew in every file, and nothing in it tells how.

    Raises:
        BadInput: there is no such queue, it is closed, too large, or nothing is left to judge.
    """
    queue = Queues(data_dir()).get(queue_id)
    if queue.closed:
        raise BadInput("This queue is closed.", "Open it again, or export another one.")
    name = name_of(reviewer) if reviewer.strip() else ""
    if name and queue.assigned and name.casefold() != queue.assigned.casefold():
        raise BadInput(f"This queue is for {queue.assigned}, not for {name}.")
    name = queue.assigned or name
    sheet, made = secrets.token_hex(8), repr(time.time())
    found = waiting_items(queue, sheet, name)
    if not found:
        raise BadInput(f"Nothing is left for {name or 'anybody'} to judge in this queue.")
    if len(found) > MOST_ITEMS:
        raise BadInput(
            f"A sheet holds at most {MOST_ITEMS:,} items; this one would have {len(found):,}.",
            "Make a smaller queue.",
        )
    stated = {"queue": str(queue.id), "sheet": sheet, "dataset": queue.dataset, "made": made}
    facts = {**stated, "proof": proof(queue, *list(stated.values())[1:])}
    data = workbook(queue, with_texts(found, labels=True), facts, name)
    check_package(data, "This sheet")  # what we could not read back is not sent to anybody
    return data


def export_file(queue_id: int, path: Path, reviewer: str = "") -> str:
    """Write a queue to a new file, and say so. Raises as `export_queue`.

    Raises:
        BadInput: there is such a file, which may hold somebody's answers, or no such folder.
    """
    data = export_queue(queue_id, reviewer)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise BadInput(
            f"{path} is there already, perhaps with answers in it.", "Name a new file."
        ) from error
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Name another.") from error
    return f"{path}: send it to whoever judges, and import it when it comes back."


def import_file(path: Path, *, replace: bool = False, partly: bool = False) -> ImportReport:
    """Take in the answers of a file. Raises as `import_sheet`, and BadInput for no such file."""
    access.require(access.Action.SHEET)
    try:
        check_regular(path)
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path.name} is larger than any sheet of IVAN; nothing was read.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    return import_sheet(data, replace=replace, name=path.name, partly=partly)


def import_sheet(
    data: bytes, *, replace: bool = False, name: str = "The file", partly: bool = False
) -> ImportReport:
    """Take in the answers of a sheet: all of them, or none where something in it is not right.

    With `partly` the rows that are right are taken, and the report names the others. What was said
    in the app after the sheet was made is kept, unless `replace` is asked for. The same file once
    more changes nothing. `name` is what sentences about the file call it.

    Raises:
        NotAllowed: the visitor may only read and review.
        SheetRefused: what is wrong with the sheet, in sentences, and how many of its rows are right
            all the same; nothing is changed.
        BadInput: it is no such file, or the core refuses an answer; nothing is changed.
    """
    access.require(access.Action.SHEET)
    grids = read_grids(data, name)
    about = read_about(grids)
    queue = _queue(about)
    reviewer = _reviewer(queue, read_name(grids))
    found = all_items(queue, about.facts["sheet"])
    left_with = [one for one in found if one.code in about.items]
    known, changed = by_code(with_texts(left_with, labels=False), about)
    rows = read_rows(grids, queue, known, changed)
    if rows.problems and not (partly and rows.good):
        raise SheetRefused(*rows.problems, good=rows.good, wrong=rows.wrong)
    for _ in range(_TRIES - 1):
        try:
            return _take_in(about, queue, reviewer, rows, replace)
        except OpinionConflict:  # somebody saved between our reading and our writing
            continue
    return _take_in(about, queue, reviewer, rows, replace)


def _queue(about: About) -> Queue:
    """The queue of a sheet, if the sheet was made here, from it."""
    facts = about.facts
    try:
        queue = Queues(data_dir()).get(int(facts["queue"]))
    except BadInput:
        queue = None
    stated = (facts["sheet"], facts["dataset"], facts["made"])
    if queue is None or proof(queue, *stated) != facts["proof"]:
        raise SheetRefused(
            "This sheet belongs to no queue of this data folder. Import it where it was made."
        )
    if queue.dataset != facts["dataset"]:
        raise SheetRefused("This sheet is about another dataset than its queue.")
    if queue.closed:
        raise SheetRefused("The queue of this sheet is closed. Open it again to import answers.")
    texts_of(queue)
    return queue


def _reviewer(queue: Queue, name: str) -> str:
    if queue.assigned and queue.assigned.casefold() != name.casefold():
        raise SheetRefused(
            f"This queue is for {queue.assigned}; the sheet was filled in by {name}."
        )
    return queue.assigned or name


@dataclass(slots=True)
class _Plan:
    """What is to be saved, and what is told of it."""

    save: list[Opinion] = field(default_factory=list)
    new: int = 0
    same: int = 0
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def _take_in(about: About, queue: Queue, name: str, read: Rows, replacing: bool) -> ImportReport:
    """Decide row by row, then save all at once. Raises OpinionConflict where that is outdated."""
    from ivan_core.review.flow import is_told, standing

    rows = read.right
    store = Opinions(data_dir())
    numbers = {queue.id, *(one.item.queue.id for one in rows)}
    before = {_place(one): one for number in numbers for one in store.all(number, name)}
    if any(one.verified for one in before.values()):
        raise SheetRefused(
            f"{name} is the name of somebody who logged in, and a sheet cannot show who filled it"
            " in. Have another name typed into it."
        )
    last: dict[_Place, Change] = {}
    for number in numbers:
        last |= {_place(one): one for one in store.changes(number, name)}
    reason = f"{_REASON}{about.facts['sheet']}"
    now = standing(queue, name)
    plan = _Plan()
    notes_only = 0
    for said in rows:
        current = before.get(_place(said.item.item))
        change = last.get(_place(said.item.item))
        came_by = change.reason if change else ""
        ours = came_by == reason
        newer = current is not None and current.saved > float(about.facts["made"]) and not ours
        if current is None and not said.judged:
            notes_only += bool(said.note)
            continue
        # A sheet tells nothing; the app may.
        told = is_told(now, said.item.queue) and not came_by.startswith(_REASON)
        after = _after(said, name, current, told)
        _decide(plan, said, current, after, keep=newer and not replacing)
    if plan.save:
        store.save_all(plan.save, by=verified_name() or "import", reason=reason)
    judged = [said for said in rows if said.judged]
    left_out = len(about.items) - len(rows) - len(read.codes)
    return ImportReport(
        queue,
        name,
        plan.new,
        plan.same,
        tuple(plan.changed),
        tuple(plan.kept),
        skipped=sum(said.skipped for said in judged),
        cant_tell=_unsure(judged),
        empty=sum(not (said.judged or said.note or said.unchecked) for said in rows),
        unchecked=sum(said.unchecked for said in rows),
        notes_only=notes_only,
        missing=left_out,
        wrong=read.wrong,
        problems=read.problems,
    )


def _decide(
    plan: _Plan, said: Said, current: Opinion | None, after: Opinion, *, keep: bool
) -> None:
    if current is None:
        plan.new += 1
        plan.save.append(after)
    elif _content(current) == _content(after):
        plan.same += said.judged
    elif keep:
        plan.kept.append(difference(current, after))
    else:
        plan.changed.append(difference(current, after))
        plan.save.append(after)


def _after(said: Said, name: str, current: Opinion | None, told: bool) -> Opinion:
    """What stands there once the row is taken in; what a row leaves empty stays as it was.

    Another answer is not blind where what was chosen was told, and nobody knows how long it took.
    """
    one, item = said.item, said.item.item
    fresh = Opinion(
        item.queue,
        item.row_id,
        item.side,
        name,
        dict(said.answers),
        said.note,
        said.skipped,
        one.left,
        blind=not one.filled,
        prefill=one.queue.prefill if one.filled else "",
    )
    if current is None:
        return fresh
    answers, skipped = fresh.answers, fresh.skipped
    if not said.judged:
        answers, skipped = current.answers, current.skipped
    elif not skipped and not current.skipped:
        answers = {**current.answers, **answers}
    changed = answers != current.answers
    revealed = told and changed and BETTER in current.answers
    return with_changes(
        fresh,
        answers=answers,
        skipped=skipped,
        note=said.note or current.note,
        blind=fresh.blind and current.blind and not revealed,
        seconds=0.0 if changed else current.seconds,
        version=current.version,
    )


def _content(opinion: Opinion) -> tuple[object, ...]:
    plain = {
        key: frozenset(label) if isinstance(label, tuple) else label
        for key, label in opinion.answers.items()
    }
    return plain, opinion.skipped, opinion.note


def _unsure(rows: Iterable[Said]) -> int:
    return sum(label is None for said in rows for label in said.answers.values())


def _place(one: Item | Opinion | Change | SheetItem) -> _Place:
    item = one.item if isinstance(one, SheetItem) else one
    return item.queue, item.row_id, item.side
