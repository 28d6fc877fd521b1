"""What a sheet says comes in: all of it, or none and a sentence why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from given.filled_sheets import (
    HARMLESS,
    SENTIMENT,
    TOPICS,
    Filled,
    better,
    describe,
    everything,
    refusal,
    said,
)

from ivan_core.annotations.opinions import Opinions
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Item
from ivan_core.review.sheets import sheets as review_sheets
from ivan_core.review.sheets.sheets import import_file, import_sheet


def test_which_reply_is_better_comes_in_as_the_side_that_was_meant(data_dir):
    queue = better(data_dir)
    filled = Filled(queue)
    for row, letter in enumerate([filled.better(0), filled.worse(1), "no difference"]):
        filled.put(row, which=letter)
    filled.put(3, which="can't tell", note="hard")
    report = import_sheet(filled.bytes())
    assert said(data_dir, queue) == {
        0: {BETTER: "chosen"},
        1: {BETTER: "rejected"},
        2: {BETTER: NO_DIFFERENCE},
        3: {BETTER: None},
    }
    assert report.sentences == (
        "Ada on “Which one?”: 4 new, 0 changed, 0 as before.",
        "1 answered “can't tell”.",
    )
    one = Opinions(data_dir).of(Item(queue.id, 0, 0), "Ada")
    assert one.blind and not one.verified and not one.prefill
    assert one.left == ("chosen" if filled.better(0) == "A" else "rejected")
    assert Opinions(data_dir).of(Item(queue.id, 3, 3), "Ada").note == "hard"
    (change,) = Opinions(data_dir).history(Item(queue.id, 0, 0), "Ada")
    assert change.by == "import" and change.reason.startswith("sheet ")


def test_descriptions_come_in_question_by_question(data_dir):
    queue = describe(data_dir)
    filled = Filled(queue)
    filled.put(0, harmless="yes", tone="positive", arts="yes", places="yes")
    filled.put(1, harmless="no", tone="can't tell", arts="no")
    filled.put(2, arts="can't tell")
    assert import_sheet(filled.bytes()).sentences == (
        "Ada on “Describe”: 3 new, 0 changed, 0 as before.",
        "2 answered “can't tell”; 1 left empty.",
    )
    assert said(data_dir, queue) == {
        0: {
            HARMLESS: True,
            SENTIMENT: "positive",
            TOPICS: ("Culture and the arts", "Geography and places"),
        },
        1: {HARMLESS: False, SENTIMENT: None, TOPICS: ()},
        2: {TOPICS: None},
    }


def test_a_follow_up_left_empty_after_a_no_means_none(data_dir):
    keys = ("last_response_is_discriminatory", "last_response_is_discriminating_against")
    queue = describe(data_dir, keys=keys)
    filled = Filled(queue)
    first = "Does the reply put people down for what they are?"
    filled.cell(0, first).value = "no"
    filled.cell(1, first).value = "yes"
    import_sheet(filled.bytes())
    assert said(data_dir, queue) == {0: {keys[0]: False, keys[1]: ()}, 1: {keys[0]: True}}


def test_the_same_file_twice_changes_nothing_and_says_so(review_database, data_dir):
    queue = better(data_dir)
    data = Filled(queue).put(0, which="A").put(1, skip="yes").bytes()
    import_sheet(data)
    before = everything(data_dir, queue)
    report = import_sheet(data)
    assert not report.wrote
    assert report.sentences == (
        "Ada on “Which one?”: 0 new, 0 changed, 2 as before.",
        "Nothing was changed.",
        "1 skipped; 2 left empty.",
    )
    assert everything(data_dir, queue) == before


def test_a_sheet_sent_again_with_more_in_it_says_what_changed(data_dir):
    queue = describe(data_dir)
    filled = Filled(queue).put(0, harmless="yes", arts="yes").put(1, harmless="yes")
    import_sheet(filled.bytes())
    filled.put(0, harmless="no", arts=None, note="on second thought").put(1, skip=None)
    filled.put(2, harmless="no")
    report = import_sheet(filled.bytes())
    assert (report.new, report.same) == (1, 1)
    assert report.changed == (
        "Pair 0, chosen: Is the reply harmless? yes → no; note “” → “on second thought”.",
    )
    # What is empty now was answered before, and stays.
    assert said(data_dir, queue)[0] == {HARMLESS: False, TOPICS: ("Culture and the arts",)}
    changes = Opinions(data_dir).history(Item(queue.id, 0, 0, "chosen"), "Ada")
    assert [change.version for change in changes] == [1, 2]


def test_people_are_kept_apart_by_the_names_that_they_typed(data_dir):
    queue = better(data_dir)
    import_sheet(Filled(queue, " Ada  L. ").put(0, which="A").bytes())
    report = import_sheet(Filled(queue, "Bob").put(0, which="B").bytes())
    assert (report.reviewer, report.new, report.changed) == ("Bob", 1, ())
    assert [one.reviewer for one in Opinions(data_dir).all(queue.id)] == ["Ada L.", "Bob"]


def in_app(data_dir, queue, row, answers, **fields):
    """Save an opinion as the page does, over what stands there."""
    now = Opinions(data_dir).of(Item(queue.id, 0, row), "Ada")
    return Opinions(data_dir).save(replace(now, answers=answers, skipped=False, **fields))


def test_a_newer_answer_in_the_app_is_kept_unless_one_asks_to_replace_it(data_dir):
    queue = better(data_dir)
    in_app(data_dir, queue, 0, {BETTER: "rejected"})
    filled = Filled(queue)
    for row in range(3):
        filled.put(row, which=filled.better(row))
    in_app(data_dir, queue, 1, {BETTER: "rejected"})
    in_app(data_dir, queue, 2, {BETTER: "chosen"})
    report = import_sheet(filled.bytes())
    # Row 0 was answered before the sheet was made, row 1 after it; on row 2 both say the same.
    assert (report.new, report.same) == (0, 1)
    assert report.changed == ("Pair 0: the rejected reply → the chosen reply.",)
    assert report.kept == ("Pair 1: the rejected reply → the chosen reply.",)
    assert said(data_dir, queue)[1] == {BETTER: "rejected"}
    assert "1 kept as they are" in " ".join(report.sentences)
    again = import_sheet(filled.bytes(), replace=True)
    assert again.changed == ("Pair 1: the rejected reply → the chosen reply.",) and not again.kept
    assert said(data_dir, queue)[1] == {BETTER: "chosen"}
    assert not import_sheet(filled.bytes()).wrote


def test_an_answer_changed_in_the_app_after_an_import_is_kept(data_dir):
    queue = better(data_dir)
    filled = Filled(queue)
    data = filled.put(0, which=filled.better(0)).bytes()
    import_sheet(data)
    in_app(data_dir, queue, 0, {BETTER: "rejected"})
    report = import_sheet(data)
    assert len(report.kept) == 1 and not report.wrote


def test_an_answer_given_after_the_app_told_what_was_chosen_is_not_blind(data_dir):
    queue = better(data_dir, tells=True)
    in_app(data_dir, queue, 0, {BETTER: "rejected"})
    filled = Filled(queue)
    filled.put(0, which=filled.better(0)).put(1, which="A")
    import_sheet(filled.bytes())
    filled.put(1, which="B")
    import_sheet(filled.bytes())
    blind = {one.row_id: one.blind for one in Opinions(data_dir).all(queue.id)}
    assert blind == {0: False, 1: True}


def test_an_answer_changed_in_a_sheet_before_anything_was_told_counts_and_later_it_does_not(
    data_dir,
):
    queue = better(data_dir)
    in_app(data_dir, queue, 0, {BETTER: "rejected"}, seconds=0.6)
    in_app(data_dir, queue, 1, {BETTER: "chosen"}, seconds=0.7)
    filled = Filled(queue)
    filled.put(0, which=filled.better(0)).put(1, which=filled.better(1), note="Close.")
    import_sheet(filled.bytes())
    first, second = Opinions(data_dir).all(queue.id)
    assert first.answers == {BETTER: "chosen"} and first.blind and not first.quick
    assert second.note == "Close." and second.blind and second.seconds == 0.7
    for row in (2, 3):
        in_app(data_dir, queue, row, {BETTER: "rejected"})
    filled = Filled(queue)
    filled.put(2, which=filled.better(2)).put(3, which=filled.worse(3), note="Sure.")
    import_sheet(filled.bytes())
    blind = {one.row_id: one.blind for one in Opinions(data_dir).all(queue.id)}
    assert blind == {0: True, 1: True, 2: False, 3: True}


def test_a_save_between_reading_and_writing_is_not_lost(review_database, data_dir, monkeypatch):
    queue = better(data_dir)
    filled = Filled(queue)
    filled.put(0, which=filled.better(0)).put(1, which="A")
    save_all = Opinions.save_all

    def late(store, found, by="", reason=""):
        monkeypatch.setattr(Opinions, "save_all", save_all)
        in_app(data_dir, queue, 0, {BETTER: "rejected"})
        return save_all(store, found, by, reason)

    monkeypatch.setattr(Opinions, "save_all", late)
    report = import_sheet(filled.bytes())
    assert (report.new, len(report.kept)) == (1, 1)
    assert said(data_dir, queue)[0] == {BETTER: "rejected"}


def test_notes_of_any_kind_come_in_as_they_were_typed(data_dir):
    queue = better(data_dir)
    filled = Filled(queue)
    for row, note in enumerate(["=1+1", 12.5, "<b>bold</b> ![x](y)"]):
        filled.put(row, which="A", note=note)
    filled.put(3, note="only a note")
    report = import_sheet(filled.bytes())
    notes = [one.note for one in Opinions(data_dir).all(queue.id)]
    assert notes == ["=1+1", "12.5", "<b>bold</b> ![x](y)"]
    assert report.notes_only == 1 and "1 with a note but no answer" in report.sentences[1]
    filled.put(0, note="n" * 10_001)
    assert "Answers!G2 is too long" in refusal(filled.bytes()).message


def test_a_file_is_read_only_where_it_can_be_one(data_dir, tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        import_file(tmp_path / "none.xlsx")
    large = tmp_path / "large.xlsx"
    with large.open("wb") as file:
        file.truncate(review_sheets.MOST_BYTES + 1)
    with pytest.raises(BadInput, match="larger than any sheet"):
        import_file(large)
    queue = better(data_dir)
    path = tmp_path / "ada.xlsx"
    path.write_bytes(Filled(queue).put(0, which="A").bytes())
    assert import_file(path).new == 1
