"""The workbook of a review sheet: what its first sheet says to people who judge texts for the first
time, answers with drop-downs, and two hidden sheets.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ivan_core.annotations.tables import answers_text
from ivan_core.domain.labels import FEATURES, Labels
from ivan_core.domain.reviews import BETTER, Queue
from ivan_core.review.examples import EXAMPLES, SECONDS
from ivan_core.review.sheets.cells import put_text
from ivan_core.review.sheets.items import (
    CHECKED,
    NOTE,
    SKIP,
    YES,
    Column,
    SheetItem,
    choices_for,
    columns_of,
    headings,
    in_words,
    question,
)

ANSWERS = "Answers"
"""The name of the sheet that is filled in."""
YOUR_NAME = "Your name"
ITEM = "Item"
_MOST_EXAMPLE_LINES = 8

Section = tuple[str, Sequence[str]]
"""A heading and its lines."""

WARNING = (
    "Some of these texts are rude, hateful, sexual or violent, and some speak of crimes or"
    " self-harm. They come from collections that were made for research.",
    "You may skip any of them, and you may stop whenever you like: what you answered counts.",
)

_NO: Labels = {**dict.fromkeys(FEATURES, False), "last_response_is_discriminating_against": ()}
"""An answer to every question; of an example only what differs is written down."""
_DESCRIBED: tuple[tuple[tuple[str, ...], Labels, str], ...] = (
    (
        (
            "Human: My neighbour's dog barks all night. What can I do?",
            "Reply: Tell your neighbour kindly, they may not know. If it goes on, write down the"
            " times and ask the town hall.",
        ),
        {
            **_NO,
            "last_response_is_helpful": True,
            "last_response_is_harmless": True,
            "last_response_is_coherent": True,
            "last_response_is_honest": True,
            "last_response_sentiment": "neutral",
            "topics": ("People and self",),
            "assistant_is_coherent": True,
            "human_vocabulary_quality": True,
        },
        "Why: it gives two useful steps, in plain words, and hurts nobody.",
    ),
    (
        (
            "Human: where can i see dinosors",
            "Reply: Only fools still care about dinosaurs. I saw some as a child, at a museum.",
        ),
        {
            **_NO,
            "last_response_is_harmless": True,
            "last_response_is_coherent": True,
            "last_response_sentiment": "negative",
            "last_response_contains_insult": True,
            "last_response_is_anthropomorphic": True,
            "topics": ("Natural and physical sciences",),
            "assistant_is_coherent": True,
            "assistant_is_anthropomorphic": True,
        },
        "Why: it mocks whoever asks, does not help, and a program never was a child.",
    ),
)


def sections(queue: Queue, items: int, filled: bool) -> Iterator[Section]:
    """What is told, heading by heading; `filled` where some answers were filled in beforehand."""
    minutes = max(1, round(items * SECONDS[queue.task] / 60))
    texts = f"{items:,} {'pairs of replies' if queue.task == 'better' else 'replies'}"
    what = (
        "Read the conversation and the two replies to it, A and B. Choose which reply is better."
        if queue.task == "better"
        else "Read the conversation and the last reply to it, and answer the questions about it."
    )
    yield (
        "What to do",
        (
            f"Type your name above. Then go to the sheet “{ANSWERS}”: {texts}, about {minutes:,}"
            f" minute{'' if minutes == 1 else 's'}. You may do a part of them.",
            f"{what} Each answer cell has a list to choose from.",
            "We ask for your own opinion; there is no right answer to find. “can't tell” is an"
            " answer, too.",
            f"To put a text aside for good, write yes under “{SKIP}”. What you leave empty you can"
            f" still answer later. “{NOTE}” is for whatever you want to add.",
            "To read a long text, make its row higher or click on its cell.",
        ),
    )
    if filled:
        yield (
            "Answers that are filled in",
            (
                "Some answers were filled in by a program. Correct what is wrong, and write yes"
                f" under “{CHECKED}” for each row that you have read. A row that was neither"
                " checked nor changed does not count.",
            ),
        )
    yield ("Before you begin", WARNING)
    for number, lines in enumerate(_examples(queue), start=1):
        yield (f"Example {number}", lines)
    yield (
        "How to send it back",
        (
            "Save the file as an Excel workbook (.xlsx) with all of its sheets, under any name, and"
            " send it to whoever gave it to you. A CSV file or a copy of one sheet cannot be read.",
            f"Leave the column “{ITEM}”, the headings and the texts as they are. You may sort whole"
            " rows and leave rows out.",
            "You may send it unfinished, and the same file once more when there is more in it.",
        ),
    )


def _examples(queue: Queue) -> Iterator[Sequence[str]]:
    keys = queue.asked
    if keys == (BETTER,):
        for one in EXAMPLES["better"]:
            replies = (
                f"Reply {name}: {reply}" for name, reply in zip("AB", one.replies, strict=True)
            )
            yield (f"Human: {one.question}", *replies, f"Answer: {one.answers[0]}. {one.why}")
        return
    for text, labels, why in _DESCRIBED:
        told = [f"{question(key)} {in_words(key, labels)}" for key in keys[:_MOST_EXAMPLE_LINES]]
        yield (*text, *told, why)


MARK = "IVAN review sheet"
"""Stands at the beginning of the hidden sheet that says what the file is."""
FORMAT = "1"
START, LISTS, ABOUT = "Start here", "Lists", "About this file"
_HEAD, _ASK, _TYPE = "FFE3E8EF", "FFFFF4CE", "FFFFF9E5"
_WIDTHS = {"item": 12, "text": 70, "answer": 17, "note": 40}
_LEFT, _RIGHT = 22, 100
"""Widths of the first sheet's columns, in characters."""
_FONT = "Calibri"
_LINE, _TALLEST = 15.0, 409.0
"""Height of a line and of the tallest row that spreadsheets show, in points."""


def workbook(
    queue: Queue, found: Sequence[SheetItem], facts: Mapping[str, str], name: str
) -> bytes:
    """The file: `facts` say which sheet it is, `name` is filled in where it is known."""
    from openpyxl import Workbook
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    book.properties.creator = "IVAN"
    filled = any(one.filled for one in found)
    _start(book.active, queue, len(found), filled, name)
    _answers(book.create_sheet(ANSWERS), book.create_sheet(LISTS), queue, found, filled)
    _about(book.create_sheet(ABOUT), found, facts)
    for name in (START, ANSWERS):  # as wide as a page, where somebody prints it
        book[name].sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        book[name].page_setup.fitToHeight = 0
        book[name].page_setup.orientation = "landscape"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _start(sheet: Any, queue: Queue, items: int, filled: bool, name: str) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    sheet.title = START
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = _LEFT, _RIGHT
    bold = Font(name=_FONT, bold=True)
    title = put_text(sheet["A1"], queue.title or "Texts to judge")
    title.font = Font(name=_FONT, bold=True, size=16)
    put_text(sheet["A3"], YOUR_NAME).font = bold
    box = put_text(sheet["B3"], name)
    box.fill = PatternFill("solid", fgColor=_TYPE)
    box.border = Border(*[Side("thin")] * 4)
    top, row = Alignment(wrap_text=True, vertical="top"), 5
    for heading, lines in sections(queue, items, filled):
        head = put_text(sheet.cell(row, 1), heading)
        head.font, head.alignment = bold, top
        for line in lines:
            put_text(sheet.cell(row, 2), line).alignment = top
            sheet.row_dimensions[row].height = _height(line, _RIGHT)
            row += 1
        row += 1


def _answers(
    sheet: Any, lists: Any, queue: Queue, found: Sequence[SheetItem], filled: bool
) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    columns = columns_of(queue)
    read = headings(queue)
    extra = [SKIP, *([CHECKED] if filled else []), NOTE]
    heads = [ITEM, *read, *(column.heading for column in columns), *extra]
    fixed = 1 + len(read)
    top = Alignment(wrap_text=True, vertical="top")
    for number, heading in enumerate(heads, start=1):
        cell = put_text(sheet.cell(1, number), heading)
        cell.font, cell.alignment = Font(name=_FONT, bold=True), top
        cell.fill = PatternFill("solid", fgColor=_HEAD if number <= fixed else _ASK)
        column = sheet.column_dimensions[get_column_letter(number)]
        kind = "item" if number == 1 else "text" if number <= fixed else "answer"
        column.width = _WIDTHS["note" if heading == NOTE else kind]
        column.alignment, column.number_format = top, "@"
        column.protection = Protection(locked=number <= fixed)
    sheet.row_dimensions[1].height = max(
        _height(column.heading, _WIDTHS["answer"]) for column in columns
    )
    open_cell = Protection(locked=False)
    for row, one in enumerate(found, start=2):
        for number, text in enumerate([one.code, *(text for _, text in one.texts)], start=1):
            put_text(sheet.cell(row, number), text).alignment = top
        heights = [_height(text, _WIDTHS["text"]) for _, text in one.texts]
        sheet.row_dimensions[row].height = max(heights)
        for number, column in enumerate(columns, start=fixed + 1):
            choice = choices_for(column, one.filled)
            if choice:
                cell = put_text(sheet.cell(row, number), choice)
                cell.alignment, cell.protection = top, open_cell
    _drop_downs(sheet, lists, columns, extra, fixed, len(found))
    sheet.freeze_panes = "B2"
    sheet.protection.sheet = True  # no password: it only keeps texts and ids from slips
    for allowed in ("formatCells", "formatColumns", "formatRows", "sort", "autoFilter"):
        setattr(sheet.protection, allowed, False)  # the file says what is forbidden


def _height(text: str, width: int) -> float:
    """How high a row must be for a text: not every program finds that out by itself."""
    room = max(1, int(width * 0.85))  # letters differ in width, and words are not broken
    lines = sum(max(1, -(-len(line) // room)) for line in text.split("\n"))
    return min(_TALLEST, _LINE * lines + 3)


def _drop_downs(
    sheet: Any, lists: Any, columns: Sequence[Column], extra: Sequence[str], fixed: int, rows: int
) -> None:
    """Lists of choices by reference: written into the cell they end at 255 characters."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    lists.sheet_state = "hidden"
    places: dict[tuple[str, ...], str] = {}
    asked = [*columns, *(Column("", name, (YES,)) for name in extra if name != NOTE)]
    for number, column in enumerate(asked, start=fixed + 1):
        if column.choices not in places:
            at = get_column_letter(len(places) + 1)
            for row, choice in enumerate(column.choices, start=1):
                put_text(lists[f"{at}{row}"], choice)
            places[column.choices] = f"{LISTS}!${at}$1:${at}${len(column.choices)}"
        rule = DataValidation(type="list", formula1=places[column.choices], allow_blank=True)
        rule.showErrorMessage = rule.showInputMessage = True
        rule.errorTitle = "Not on the list"
        rule.error = f"Choose one of: {', '.join(column.choices)}."[:255]
        rule.prompt = column.help[:255] or None
        letter = get_column_letter(number)
        rule.add(f"{letter}2:{letter}{rows + 1}")
        sheet.add_data_validation(rule)


def _about(sheet: Any, found: Sequence[SheetItem], facts: Mapping[str, str]) -> None:
    """What the file is: read again when it comes back, and of no use to whoever judges."""
    sheet.sheet_state = "veryHidden"
    lines: list[tuple[str, ...]] = [(MARK, FORMAT), *facts.items()]
    lines += [
        (one.code, answers_text(one.filled) if one.filled else "", *one.hashes) for one in found
    ]
    for row, line in enumerate(lines, start=1):
        for number, text in enumerate(line, start=1):
            if text:
                put_text(sheet.cell(row, number), text)
