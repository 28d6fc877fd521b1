"""What is wrong with a sheet is named, cell by cell, and nothing of it is imported."""

from __future__ import annotations

from dataclasses import replace

import pytest
from given.filled_sheets import Filled, better, describe, everything, refusal, said

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, Item
from ivan_core.engine import access
from ivan_core.review.sheets.reading import SheetRefused
from ivan_core.review.sheets.sheets import export_queue, import_file, import_sheet


def in_app(data_dir, queue, row, answers, **fields):
    """Save an opinion as the page does, over what stands there."""
    now = Opinions(data_dir).of(Item(queue.id, 0, row), "Ada")
    return Opinions(data_dir).save(replace(now, answers=answers, skipped=False, **fields))


def test_a_wrong_answer_is_named_by_its_cell_and_nothing_is_imported(data_dir):
    queue = describe(data_dir)
    filled = Filled(queue).put(0, harmless="yes").put(1, harmless="maybe", tone="jolly")
    filled.put(2, arts="yes", places="can't tell").put(3, skip="yes", harmless="no")
    filled.cell(0, "What tone does the reply have?").value = "=A1"
    refused = refusal(filled.bytes())
    assert refused.message == "Nothing was imported: 5 things in this sheet are not right."
    assert refused.problems == (
        "Answers!E2 says “=A1”; “What tone does the reply have?” takes negative, neutral,"
        " positive or can't tell.",
        "Answers!D3 says “maybe”; “Is the reply harmless?” takes yes, no or can't tell.",
        "Answers!E3 says “jolly”; “What tone does the reply have?” takes negative, neutral,"
        " positive or can't tell.",
        "Row 4 of the sheet “Answers” says both yes and can't tell to “What is the conversation"
        " about?”: take one of them back.",
        f"Answers!R5 skips item {filled.cell(3, 'Item').value}, which is answered: take one of"
        " them back.",
    )
    assert everything(data_dir, queue) == ([], [])


def test_unknown_ids_and_answers_without_an_id_are_named(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A").put(1, which="A", item="2-zzzzz")
    filled.put(2, which="B", item=None)
    assert refusal(filled.bytes()).problems == (
        "Answers!A3 names an item that this sheet did not have: “2-zzzzz”.",
        "Answers!A4 is empty, but row 4 has answers.",
    )
    other = Filled(queue)
    pasted = Filled(queue).put(0, item=other.cell(0, "Item").value, which="A")
    assert "did not have" in refusal(pasted.bytes()).message
    assert everything(data_dir, queue) == ([], [])


def test_texts_that_do_not_go_with_their_id_are_named(data_dir):
    filled = Filled(describe(data_dir)).put(0, reply="Good 3", harmless="yes")
    code = filled.cell(0, "Item").value
    assert refusal(filled.bytes()).message == (
        f"Nothing was imported. Answers!C2 is not the text of item {code}: it was edited, or only"
        " some columns were sorted."
    )


def test_a_name_is_needed(data_dir):
    filled = Filled(better(data_dir), name="").put(0, which="A")
    assert refusal(filled.bytes()).message == (
        "Nothing was imported. There is no name. It belongs into Start here!B3, beside “Your name”."
    )
    filled.start["A3"] = None
    assert "no cell “Your name”" in refusal(filled.bytes()).message


def test_a_sheet_of_another_place_or_another_queue_is_refused(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A")
    about = filled.book["About this file"]
    assert [about.cell(row, 1).value for row in range(1, 7)] == [
        "IVAN review sheet",
        "queue",
        "sheet",
        "dataset",
        "made",
        "proof",
    ]
    other = better(data_dir)
    for row, value in [(2, str(other.id)), (2, "999"), (4, "0" * 16), (5, "1.5"), (6, "0" * 32)]:
        kept = about.cell(row, 2).value
        about.cell(row, 2).value = value
        assert "belongs to no queue of this data folder" in refusal(filled.bytes()).message
        about.cell(row, 2).value = kept
    about.cell(7, 3).value = "f" * 32
    assert "is another one now" in refusal(filled.bytes()).message
    about.cell(2, 2).value = "many"
    assert "was changed" in refusal(filled.bytes()).message
    del filled.book["About this file"]
    assert "hidden sheet" in refusal(filled.bytes()).message
    assert everything(data_dir, queue) == ([], [])


def test_a_closed_queue_gives_and_takes_no_sheet(data_dir):
    queue = better(data_dir)
    data = Filled(queue).put(0, which="A").bytes()
    Queues(data_dir).close(queue.id)
    assert "is closed" in refusal(data).message
    with pytest.raises(BadInput, match="closed"):
        export_queue(queue.id)


def test_an_assigned_queue_takes_one_persons_sheet(data_dir):
    queue = better(data_dir, assigned="Ada")
    filled = Filled(queue, name="").put(0, which="A")
    assert import_sheet(filled.bytes()).reviewer == "Ada"
    filled.start["B3"] = "Bob"
    assert "is for Ada" in refusal(filled.bytes()).message
    filled.start["B3"] = "ada"
    assert import_sheet(filled.bytes()).reviewer == "Ada"


def test_a_verified_person_is_not_overwritten_by_a_typed_name(data_dir):
    queue = better(data_dir)
    in_app(data_dir, queue, 0, {BETTER: "rejected"}, verified=True)
    filled = Filled(queue).put(1, which="A")
    assert "somebody who logged in" in refusal(filled.bytes()).message
    assert said(data_dir, queue) == {0: {BETTER: "rejected"}}


def test_importing_is_for_those_who_are_trusted(data_dir, tmp_path):
    queue = better(data_dir)
    data = Filled(queue).put(0, which="A").bytes()
    access.set_provider(lambda: access.Visitor(local=False))
    try:
        for act in (lambda: import_sheet(data), lambda: import_file(tmp_path / "none.xlsx")):
            with pytest.raises(access.NotAllowed):
                act()
        assert export_queue(queue.id)
    finally:
        access.set_provider(lambda: access.LOCAL)
    assert everything(data_dir, queue) == ([], [])


def test_of_a_sheet_with_a_wrong_cell_the_other_rows_are_taken_when_asked_for(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A").put(1, which="maybe").put(2, which="B")
    refused = refusal(filled.bytes())
    assert (refused.good, refused.wrong) == (2, (3,))
    assert everything(data_dir, queue) == ([], [])
    report = import_sheet(filled.bytes(), partly=True)
    assert (report.new, report.missing, report.empty, report.wrong) == (2, 0, 1, (3,))
    assert report.sentences == (
        "Ada on “Which one?”: 2 new, 0 changed, 0 as before.",
        "1 left empty.",
        "Left out: row 3. Correct it and import it again:",
        "Answers!E3 says “maybe”; “Which reply is better?” takes A, B, no difference or can't"
        " tell.",
    )
    assert [one.row_id for one in Opinions(data_dir).all(queue.id)] == [0, 2]
    corrected = import_sheet(filled.put(1, which="can't tell").bytes())
    assert (corrected.new, corrected.same, corrected.problems) == (1, 2, ())


def test_an_item_answered_twice_or_under_no_id_leaves_out_all_its_rows(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A").put(1, which="B").put(2, which="A", item=None)
    code = filled.cell(0, "Item").value
    filled.put(3, which="B", item=code)
    for heading in ("Conversation", "Reply A", "Reply B"):
        filled.cell(3, heading).value = filled.cell(0, heading).value
    refused = refusal(filled.bytes())
    assert (refused.good, refused.wrong) == (1, (2, 4, 5))
    report = import_sheet(filled.bytes(), partly=True)
    assert (report.new, report.missing) == (1, 2)
    assert report.sentences[2] == "Left out: rows 2, 4 and 5. Correct it and import it again:"
    assert [one.row_id for one in Opinions(data_dir).all(queue.id)] == [1]


def test_a_sheet_of_which_no_row_is_right_or_that_nobody_named_is_taken_in_no_part(data_dir):
    queue = better(data_dir)
    wrong = Filled(queue).put(0, which="maybe").bytes()
    nameless = Filled(queue, name="").put(0, which="A").put(1, which="maybe").bytes()
    for data in (wrong, nameless):
        with pytest.raises(SheetRefused) as refused:
            import_sheet(data, partly=True)
        assert refused.value.good == 0
    assert everything(data_dir, queue) == ([], [])


def test_a_right_row_of_an_item_that_another_row_has_wrong_is_named_with_it(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="maybe").put(1, which="B")
    filled.put(3, which="A", item=filled.cell(0, "Item").value)
    for heading in ("Conversation", "Reply A", "Reply B"):
        filled.cell(3, heading).value = filled.cell(0, heading).value
    refused = refusal(filled.bytes())
    assert (refused.good, refused.wrong) == (1, (2, 5))
