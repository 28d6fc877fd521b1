"""Reading a review sheet that came back: found by its headings, checked cell by cell."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ivan_core.annotations.tables import name_of, note_of, read_answers
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, Labels
from ivan_core.domain.reviews import Queue
from ivan_core.domain.words import one_line
from ivan_core.review.sheets.cells import Grid, same_text
from ivan_core.review.sheets.items import (
    CHECKED,
    NO,
    NOTE,
    SKIP,
    YES,
    Column,
    NotAnAnswer,
    SheetItem,
    answers_from,
    choice_in,
    choices_for,
    columns_of,
    folded,
    headings,
    question,
)
from ivan_core.review.sheets.layout import FORMAT, ITEM, MARK, YOUR_NAME

FACTS = ("queue", "sheet", "dataset", "made", "proof")
_SEARCHED_ROWS = 20
_TOLD = 10


class SheetRefused(BadInput):
    """A sheet of which nothing was imported; `problems` says in sentences why.

    `good` counts the rows that could be taken all the same; `wrong` are the numbers of the others.
    """

    def __init__(self, *problems: str, good: int = 0, wrong: Sequence[int] = ()) -> None:
        first, *rest = problems
        if not rest:
            super().__init__(f"Nothing was imported. {first}")
        else:
            more = f" … and {len(problems) - _TOLD:,} more." if len(problems) > _TOLD else ""
            super().__init__(
                f"Nothing was imported: {len(problems):,} things in this sheet are not right.",
                " ".join(problems[:_TOLD]) + more,
            )
        self.problems = problems
        self.good = good
        self.wrong = tuple(wrong)


@dataclass(frozen=True, slots=True)
class About:
    """What the hidden sheet says: which sheet this is, and the items that it had when it left.

    `items` gives by id the labels that were filled in and the hashes of the texts.
    """

    facts: Mapping[str, str]
    items: Mapping[str, tuple[Labels, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says. `row` is its number; a row without answers may still have a note."""

    row: int
    item: SheetItem
    answers: Mapping[str, Label] = field(default_factory=dict)
    skipped: bool = False
    note: str = ""
    unchecked: bool = False

    @property
    def judged(self) -> bool:
        return bool(self.answers) or self.skipped


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of a sheet say: those that are right, and what is wrong with others.

    `wrong` are the numbers of the others, `codes` the ids of theirs that are known; of an item
    that has a wrong row no row is right.
    """

    right: tuple[Said, ...]
    problems: tuple[str, ...] = ()
    wrong: tuple[int, ...] = ()
    codes: frozenset[str] = frozenset()

    @property
    def good(self) -> int:
        """How many rows have an answer that can be taken."""
        return sum(one.judged for one in self.right)


def read_about(grids: Sequence[Grid]) -> About:
    """What the file is. Raises SheetRefused where the hidden sheet is lost or damaged."""
    found = [grid for grid in grids if grid.at(1, 0) == MARK]
    if len(found) != 1:
        raise SheetRefused(
            "The hidden sheet that says which texts were judged is not in this file. Import the"
            " workbook itself, with all of its sheets, as it was sent back."
        )
    if str(found[0].at(1, 1)) != FORMAT:
        raise SheetRefused("This sheet was made by another version of IVAN. Export it anew.")
    lines = [cells for row, cells in sorted(found[0].rows.items()) if row > 1]
    facts = {str(cells[0]): str(cells[1]) for cells in lines[: len(FACTS)] if len(cells) > 1}
    try:
        items = {
            str(cells[0]): (read_answers(str(cells[1] or "")), tuple(str(one) for one in cells[2:]))
            for cells in lines[len(FACTS) :]
        }
        float(facts["made"]), int(facts["queue"])
        if set(facts) != set(FACTS):
            raise KeyError("facts")
    except (json.JSONDecodeError, KeyError, ValueError, AttributeError, IndexError) as error:
        raise SheetRefused("The hidden sheet of this file was changed. Export it anew.") from error
    return About(facts, items)


def read_name(grids: Sequence[Grid]) -> str:
    """The name that was typed beside "Your name". Raises SheetRefused where there is none."""
    for grid in grids:
        for number, cells in sorted(grid.rows.items())[:_SEARCHED_ROWS]:
            for place, cell in enumerate(cells):
                if isinstance(cell, str) and folded(cell).rstrip(":") == folded(YOUR_NAME):
                    typed = next((one for one in cells[place + 1 :] if one is not None), "")
                    try:
                        return name_of(_typed(typed))
                    except BadInput as error:
                        where = f"{_at(grid, number, place + 1)}, beside “{YOUR_NAME}”"
                        raise SheetRefused(f"{error.message} It belongs into {where}.") from error
    raise SheetRefused(f"There is no cell “{YOUR_NAME}” in this file. Put it back, and the name.")


def read_rows(
    grids: Sequence[Grid],
    queue: Queue,
    found: Mapping[str, SheetItem],
    changed: Collection[str] = (),
) -> Rows:
    """What each row says; `found` are the items that the sheet may hold, by id, with their texts.

    `changed` are the ids of those whose texts are other ones now: their rows are not right.

    Raises:
        SheetRefused: a heading is not right, so that no row can be read.
    """
    grid, head = _answer_grid(grids, queue)
    columns = columns_of(queue)
    needed = [ITEM, *(column.heading for column in columns)]
    names = [folded(str(cell)) if cell is not None else "" for cell in grid.rows[head]]
    wanted = [*needed, *headings(queue), SKIP, CHECKED, NOTE]
    places = {one: names.index(folded(one)) for one in wanted if folded(one) in names}
    problems = [
        f"The column “{one}” of {_named(grid)} is missing." for one in needed if one not in places
    ]
    problems += [
        f"The column “{one}” of {_named(grid)} is there twice."
        for one in wanted
        if names.count(folded(one)) > 1
    ]
    if problems:
        raise SheetRefused(*problems)
    problems = [f"The text of item {code} is another one now." for code in changed]
    rows: dict[str, Said] = {}
    answered: dict[str, list[int]] = {}
    wrong: set[int] = set()
    codes: set[str] = set(changed)
    for number in sorted(row for row in grid.rows if row > head):
        reader = _Row(grid, number, places, problems)
        code = reader.code
        if code in changed:
            wrong.add(number)
            continue
        before = len(problems)
        said = reader.said(columns, found)
        if len(problems) > before:
            wrong.add(number)
            codes |= {code} & found.keys()
        if said is None:
            continue
        if said.judged or said.note:
            answered.setdefault(code, []).append(number)
        first = rows.get(code)
        if first is None or not (first.judged or first.note):
            rows[code] = said
        elif (said.judged or said.note) and replace(said, row=first.row) != first:
            codes.add(code)
            problems.append(
                f"Item {code} is answered in rows {first.row} and {number} of {_named(grid)}, not"
                " in the same way."
            )
    wrong.update(number for code in codes for number in answered.get(code, ()))
    right = tuple(said for code, said in rows.items() if code not in codes)
    return Rows(right, tuple(problems), tuple(sorted(wrong)), frozenset(codes))


def _answer_grid(grids: Sequence[Grid], queue: Queue) -> tuple[Grid, int]:
    """The sheet with the answers and the row of its headings."""
    asked = {folded(column.heading) for column in columns_of(queue)}
    found = []
    for grid in grids:
        for number, cells in sorted(grid.rows.items())[:_SEARCHED_ROWS]:
            names = {folded(cell) for cell in cells if isinstance(cell, str)}
            if folded(ITEM) in names and names & asked:
                found.append((grid, number))
                break
    if not found:
        raise SheetRefused(
            f"No sheet of this file has a column “{ITEM}” beside the questions. Put the headings"
            " back as they were."
        )
    if len(found) > 1:
        both = " and ".join(_named(grid) for grid, _ in found)
        raise SheetRefused(f"{both} both hold answers. Remove the one that does not count.")
    return found[0]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of answers; what is wrong with it is added to `problems`."""

    grid: Grid
    number: int
    places: Mapping[str, int]
    problems: list[str]

    def value(self, heading: str) -> Any:
        place = self.places.get(heading)
        return None if place is None else self.grid.at(self.number, place)

    @property
    def code(self) -> str:
        """The id in the row; empty where there is none."""
        return folded(str(self.value(ITEM) or ""))

    def said(self, columns: Sequence[Column], found: Mapping[str, SheetItem]) -> Said | None:
        """What the row says; None for one without an id, or with one that is not known."""
        if not self.code:
            asked = [*(column.heading for column in columns), SKIP, NOTE]
            if any(self.value(heading) is not None for heading in asked):
                self._wrong(ITEM, f"is empty, but row {self.number} has answers.")
            return None
        item = found.get(self.code)
        if item is None:
            shown = _shown(self.value(ITEM))
            self._wrong(ITEM, f"names an item that this sheet did not have: {shown}.")
            return None
        for heading, text in item.texts:
            shown = self.value(heading)
            if isinstance(shown, str) and not same_text(shown, text):
                self._wrong(
                    heading,
                    f"is not the text of item {item.code}: it was edited, or only some columns were"
                    " sorted.",
                )
        return self._read(columns, item)

    def _read(self, columns: Sequence[Column], item: SheetItem) -> Said:
        cells = [(one, self._choice(one.heading, one.choices)) for one in columns]
        answers, odd = answers_from(cells, item.left)
        for key in odd:
            self.problems.append(
                f"Row {self.number} of {_named(self.grid)} says both yes and can't tell to"
                f" “{question(key)}”: take one of them back."
            )
        skipped = self._choice(SKIP, (YES, NO)) == YES
        checked = self._choice(CHECKED, (YES, NO)) == YES
        untouched = bool(item.filled) and all(
            choice == choices_for(column, item.filled) for column, choice in cells
        )
        if skipped and answers and not untouched:
            self._wrong(SKIP, f"skips item {item.code}, which is answered: take one of them back.")
        unchecked = untouched and not checked and not skipped
        note = self._note()
        if skipped or unchecked:
            answers = {}
        return Said(self.number, item, answers, skipped, note, unchecked)

    def _choice(self, heading: str, choices: Sequence[str]) -> str:
        try:
            return choice_in(self.value(heading), choices)
        except NotAnAnswer as error:
            *most, last = choices
            self._wrong(heading, f"says “{error}”; “{heading}” takes {', '.join(most)} or {last}.")
            return ""

    def _note(self) -> str:
        try:
            return note_of(_typed(self.value(NOTE)))
        except BadInput as error:
            self._wrong(NOTE, f"is too long. {error.message}")
            return ""

    def _wrong(self, heading: str, what: str) -> None:
        self.problems.append(f"{_at(self.grid, self.number, self.places[heading])} {what}")


def by_code(found: Sequence[SheetItem], about: About) -> tuple[dict[str, SheetItem], list[str]]:
    """The items that the sheet left with, and the ids of those whose texts are other ones now."""
    kept, changed = {}, []
    for one in found:
        if one.code in about.items:
            filled, hashes = about.items[one.code]
            if hashes != one.hashes:
                changed.append(one.code)
            kept[one.code] = replace(one, filled=filled)
    return kept, changed


def _typed(value: Any) -> str:
    """What somebody typed into a free cell; programs make numbers and dates of some of it."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown(value: object) -> str:
    return f"“{one_line(str(value), 40)}”"


def _named(grid: Grid) -> str:
    return f"the sheet “{grid.title}”"


def _at(grid: Grid, row: int, column: int) -> str:
    """The name of a cell, columns counted from 0: `Answers!C7`."""
    from openpyxl.utils import get_column_letter

    return f"{grid.title}!{get_column_letter(column + 1)}{row}"
