"""Cells of sheets: text stays text, nothing is lost silently, and hostile files are turned away."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from given.filled_sheets import Filled, ask, better, dataset, describe, make
from hypothesis import given, settings, strategies as st
from openpyxl import Workbook, load_workbook

from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Queue
from ivan_core.labels.schema import TOPICS
from ivan_core.review.sheets.cells import (
    CUT_MARK,
    LONGEST_CELL,
    MOST_BYTES,
    MOST_ROWS,
    cell_text,
    plain_text,
    read_grids,
    same_text,
)
from ivan_core.review.sheets.sheets import export_queue, import_sheet

FORMULAS = ['=HYPERLINK("http://x.example","y")', "+1+1", "-2", "@SUM(A1)", "#N/A", "\t=1", "1/2"]
XML_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def replies(data_dir, texts):
    """A sheet of replies to be described."""
    pairs = [(f"{ask(row)}{text}", f"{ask(row)}Bad {row}") for row, text in enumerate(texts)]
    queue = Queue(0, "", dataset(data_dir, pairs), "", "describe", "random", ("topics",))
    return make(data_dir, queue, [(row, "chosen") for row in range(len(texts))])


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def test_text_that_looks_like_a_formula_stays_text(data_dir):
    queue = replies(data_dir, [text.strip() for text in FORMULAS])
    data = export_queue(queue.id)
    sheet = load_workbook(io.BytesIO(data))["Answers"]
    cells = [sheet.cell(row, 3) for row in range(2, 2 + len(FORMULAS))]
    assert [cell.value for cell in cells] == [text.strip() for text in FORMULAS]
    assert {(cell.data_type, cell.quotePrefix) for cell in cells} == {("s", True)}
    assert not any("<f>" in part for name, part in parts(data).items() if "worksheets" in name)


def test_a_formula_in_the_title_or_the_name_stays_text(data_dir):
    queue = describe(data_dir, title="=1+1", assigned="=cmd|' /C calc'!A0")
    sheet = load_workbook(io.BytesIO(export_queue(queue.id)))["Start here"]
    assert [(sheet[at].value, sheet[at].data_type) for at in ("A1", "B3")] == [
        ("=1+1", "s"),
        ("=cmd|' /C calc'!A0", "s"),
    ]


def test_control_characters_are_escaped_as_excel_does_and_come_back():
    text = "bell \x07 null \x00 escape \x1b[31m return \r tab \t end \ufffe\nnext"
    cell = cell_text(text)
    assert cell == (
        "bell _x0007_ null _x0000_ escape _x001B_[31m return _x000D_ tab \t end _xFFFE_\nnext"
    )
    assert plain_text(cell) == text
    assert plain_text(cell_text("_x0007_ typed, and _x0041_")) == "_x0007_ typed, and _x0041_"
    assert cell_text("half \ud83d of one") == "half \N{REPLACEMENT CHARACTER} of one"
    assert plain_text("_x0041_ is no control character") == "_x0041_ is no control character"


def test_texts_with_control_characters_go_out_and_come_in(data_dir):
    queue = replies(data_dir, ["bell \x07 and \x1b[0m \r\n null \x00", "_x0041_ as typed"])
    filled = Filled(queue)
    assert filled.cell(0, "Reply").value == "bell _x0007_ and _x001B_[0m _x000D_\n null _x0000_"
    assert filled.cell(1, "Reply").value == "_x005F_x0041_ as typed"
    filled.put(0, arts="yes", note="bell _x0007_").put(1, arts="no")
    assert import_sheet(filled.bytes()).new == 2


@given(st.text(max_size=60))
def test_any_text_comes_back_from_a_cell_that_xml_can_hold(text):
    cell = cell_text(text)
    assert XML_TEXT.fullmatch(cell)
    assert plain_text(cell) == re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    assert same_text(cell, text)


def test_a_long_text_is_cut_with_a_mark_that_is_seen():
    exact = "x" * LONGEST_CELL
    assert cell_text(exact) == exact
    cut = cell_text(exact + "y")
    assert len(cut) == LONGEST_CELL and cut.endswith(CUT_MARK)
    # An emoji is two characters to a spreadsheet, and half of one is none.
    smiling = cell_text("a" + "😀" * 20_000)
    assert len(smiling.encode("utf-16-le")) // 2 <= LONGEST_CELL
    assert smiling.removesuffix(CUT_MARK).strip("a😀") == ""
    # An escape is kept whole or left out.
    room = LONGEST_CELL - len(CUT_MARK)
    torn = cell_text("x" * (room - 3) + "\x07" + "y" * 100)
    assert torn == "x" * (room - 3) + CUT_MARK


def test_a_cut_text_is_judged_and_imported_like_any_other(data_dir):
    queue = replies(data_dir, ["long " * 10_000])
    filled = Filled(queue).put(0, arts="yes")
    assert filled.cell(0, "Reply").value.endswith(CUT_MARK)
    assert import_sheet(filled.bytes()).new == 1


def test_drop_downs_refer_to_a_hidden_sheet_and_a_list_has_a_column_a_value(data_dir):
    keys = ("last_response_is_discriminating_against", "topics", "last_response_sentiment")
    filled = Filled(describe(data_dir, keys=keys))
    assert filled.book["Lists"].sheet_state == "hidden"
    assert filled.book["About this file"].sheet_state == "veryHidden"
    rules = filled.answers.data_validations.dataValidation
    lists = {}
    for rule in rules:
        assert re.fullmatch(r"Lists!\$[A-Z]\$1:\$[A-Z]\$\d", rule.formula1)
        first, last = rule.formula1.removeprefix("Lists!").split(":")
        cells = filled.book["Lists"][first.replace("$", "") : last.replace("$", "")]
        places = [
            (cell.row, cell.column) for row in filled.answers[str(rule.sqref)] for cell in row
        ]
        (column,) = {column for _, column in places}
        lists[filled.headings[column - 1]] = [row[0].value for row in cells]
        assert [row for row, _ in places] == [2, 3, 4, 5]
        assert len(rule.prompt or "") <= 255 and len(rule.error) <= 255
    asked = [
        heading
        for heading in filled.headings
        if heading not in ("Item", "Conversation", "Reply", "Note")
    ]
    assert list(lists) == asked and len(asked) == 12 + 12 + 1 + 1
    assert lists["What tone does the reply have?"] == [
        "negative",
        "neutral",
        "positive",
        "can't tell",
    ]
    # A value with commas is one column, where an inline list would have made three choices of it.
    assert lists["If it puts people down: for what? Race, Color, and Sex"] == [
        "yes",
        "no",
        "can't tell",
    ]
    assert [f"What is the conversation about? {topic}" in lists for topic in TOPICS] == [True] * 12


def test_rows_are_as_high_as_their_texts_and_no_higher_than_programs_show(data_dir):
    filled = Filled(replies(data_dir, ["short", "line\n" * 9 + "line", "long " * 5_000]))
    heights = [filled.answers.row_dimensions[row].height for row in (2, 3, 4)]
    assert heights == [15 + 3, 10 * 15 + 3, 409]
    told = [
        filled.start.row_dimensions[cell.row].height for cell in filled.start["B"] if cell.value
    ]
    assert len(told) > 10 and all(height >= 15 for height in told if height)


def bomb(name: str = "xl/worksheets/sheet1.xml", size: int = 80 * 2**20) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(name, b" " * size)
    return written.getvalue()


def crowded(name: str, tags: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(name, b"<c/>" * tags)
    return written.getvalue()


def with_entity(data: bytes) -> bytes:
    """The same workbook, with an entity that unfolds to more and more."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/workbook.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + content
            new.writestr(name, content)
    return written.getvalue()


def open_document() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", "<x/>")
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"Item,Which reply is better?\n1-bcdfg,A\n", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "password"),
        (b"GIF89a\x00", "no Excel workbook"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (open_document(), "no Excel workbook"),
        (bomb(), "would unpack to more than 64 MiB"),
        (bomb(size=10), "damaged"),
        (bomb(size=10_000).replace(b"\xed\xc1", b"\xff\xff"), "damaged"),
        (crowded("xl/worksheets/sheet1.xml", 1_600_000), "more cells or styles"),
        (crowded("xl/styles.xml", 110_000), "more cells or styles"),
        (b"PK" + b"x" * MOST_BYTES, "weighs more than 20 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_sheet_is_refused_in_a_sentence(data, says):
    with pytest.raises(BadInput) as refused:
        read_grids(data)
    assert says in refused.value.message and refused.value.hint


def test_entities_are_refused_before_anything_is_parsed(data_dir):
    with pytest.raises(BadInput, match="defines entities"):
        read_grids(with_entity(export_queue(better(data_dir).id)))


def test_a_sheet_with_endless_rows_is_refused_and_far_away_empty_ones_do_no_harm():
    book = Workbook()
    book.active.cell(2**20, 1).value = "far away"
    written = io.BytesIO()
    book.save(written)
    (grid,) = read_grids(written.getvalue())
    assert list(grid.rows) == [2**20]
    for row in range(1, MOST_ROWS + 2):
        book.active.cell(row, 1).value = "x"
    written = io.BytesIO()
    book.save(written)
    with pytest.raises(BadInput, match="more than 10,000 rows"):
        read_grids(written.getvalue())


@settings(max_examples=50)
@given(st.data())
def test_a_workbook_with_a_broken_part_never_fails_otherwise(data):
    book = Workbook()
    book.active["A1"] = "IVAN review sheet"
    written = io.BytesIO()
    book.save(written)
    name = data.draw(st.sampled_from(sorted(parts(written.getvalue()))))
    broken = io.BytesIO()
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(broken, "w") as new:
        for one in old.namelist():
            content = old.read(one)
            if one == name:
                at = data.draw(st.integers(0, len(content)))
                content = content[:at] + data.draw(st.binary(max_size=8)) + content[at + 4 :]
            new.writestr(one, content)
    try:
        read_grids(broken.getvalue())
    except BadInput as refused:
        assert refused.message
