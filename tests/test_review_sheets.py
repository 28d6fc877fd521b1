"""A queue goes out as a sheet and its answers come in: all of them, or none and a sentence why."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest
from filled_sheets import (
    ARTS,
    HARMLESS,
    KEYS,
    SENTIMENT,
    TOPICS,
    Filled,
    ask,
    better,
    dataset,
    describe,
    make,
)
from made_labellings import ARTS as LABEL_ARTS
from made_labellings import FIRST, REFUSAL, Labellings, four_pairs

from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Item, Opinion, Queue
from ivan_core.review.opinions import Opinions
from ivan_core.review.queues import Queues
from ivan_core.workspace import access, review_sheets
from ivan_core.workspace.label_results import open_labels
from ivan_core.workspace.review_sheet_reading import SheetRefused
from ivan_core.workspace.review_sheets import export_queue, import_file, import_sheet


def said(data_dir, queue, reviewer="Ada"):
    """Answers by row."""
    return {one.row_id: dict(one.answers) for one in Opinions(data_dir).all(queue.id, reviewer)}


def everything(data_dir, queue):
    return Opinions(data_dir).all(queue.id), Opinions(data_dir).changes(queue.id, "Ada")


def refusal(data):
    with pytest.raises(SheetRefused) as refused:
        import_sheet(data)
    return refused.value


def test_which_reply_is_better_comes_in_as_the_side_that_was_meant(data_dir):
    queue = better(data_dir)
    filled = Filled(queue)
    for row, letter in enumerate([filled.better(0), filled.worse(1), "no difference"]):
        filled.put(row, which=letter)
    filled.put(3, which="can't tell", note="hard")
    report = import_sheet(filled.bytes())
    assert said(data_dir, queue) == {
        0: {BETTER: "chosen"}, 1: {BETTER: "rejected"}, 2: {BETTER: NO_DIFFERENCE},
        3: {BETTER: None},
    }  # fmt: skip
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
        0: {HARMLESS: True, SENTIMENT: "positive",
            TOPICS: ("Culture and the arts", "Geography and places")},
        1: {HARMLESS: False, SENTIMENT: None, TOPICS: ()},
        2: {TOPICS: None},
    }  # fmt: skip


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
        "Row 0, chosen: Is the reply harmless? yes → no; note “” → “on second thought”.",
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
    assert report.changed == ("Row 0: the rejected reply → the chosen reply.",)
    assert report.kept == ("Row 1: the rejected reply → the chosen reply.",)
    assert said(data_dir, queue)[1] == {BETTER: "rejected"}
    assert "1 kept as they are" in " ".join(report.sentences)
    again = import_sheet(filled.bytes(), replace=True)
    assert again.changed == ("Row 1: the rejected reply → the chosen reply.",) and not again.kept
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
    queue = better(data_dir)
    in_app(data_dir, queue, 0, {BETTER: "rejected"})
    filled = Filled(queue)
    filled.put(0, which=filled.better(0)).put(1, which="A")
    import_sheet(filled.bytes())
    filled.put(1, which="B")
    import_sheet(filled.bytes())
    blind = {one.row_id: one.blind for one in Opinions(data_dir).all(queue.id)}
    assert blind == {0: False, 1: True}


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
        "IVAN review sheet", "queue", "sheet", "dataset", "made", "proof",
    ]  # fmt: skip
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


def test_nothing_in_a_sheet_tells_which_reply_was_chosen(data_dir):
    queue = better(data_dir, pairs=60)
    first, second = Filled(queue), Filled(queue)
    letters = [[sheet.better(row) for row in range(60)] for sheet in (first, second)]
    # By chance, and anew in each sheet: fewer than 10 or more than 50 of 60 come once in 10^7.
    assert all(10 < one.count("A") < 50 for one in letters)
    assert 10 < sum(a == b for a, b in zip(*letters, strict=True)) < 50
    with zipfile.ZipFile(io.BytesIO(export_queue(queue.id))) as packed:
        for name in packed.namelist():
            part = packed.read(name).decode()
            assert queue.token not in part
            assert "chosen" not in part.replace("Choose", "") and "rejected" not in part, name


def test_a_description_does_not_tell_the_side_either(data_dir):
    queue = Queue(0, "", dataset(data_dir, 4), "Both sides", "describe", "random", KEYS)
    made = make(data_dir, queue, [(0, "rejected"), (0, "chosen"), (1, "chosen")])
    with zipfile.ZipFile(io.BytesIO(export_queue(made.id))) as packed:
        assert not any(b"rejected" in packed.read(name) for name in packed.namelist())
    filled = Filled(made).put(0, harmless="no").put(1, harmless="yes")
    import_sheet(filled.bytes())
    sides = {one.side: one.answers for one in Opinions(data_dir).all(made.id)}
    assert sides == {"rejected": {HARMLESS: False}, "chosen": {HARMLESS: True}}


def test_a_queue_that_is_not_random_begins_with_thirty_random_items(data_dir):
    queue = Queue(0, "", dataset(data_dir, 50), "Starred", "better", "starred")
    first = [(row, "both") for row in range(10, 50)]
    made = make(data_dir, queue, [(0, "both"), (1, "both")], first)
    filled = Filled(made)
    assert filled.answers.max_row == 1 + 30 + 2
    assert filled.cell(0, "Item").value.startswith("1-")
    filled.put(0, which="A").put(30, which="B")
    assert import_sheet(filled.bytes()).new == 2
    assert list(said(data_dir, Queues(data_dir).get(made.companion))) == [10]
    assert list(said(data_dir, made)) == [0]


def test_a_named_person_is_asked_what_they_have_not_done(data_dir):
    queue = describe(data_dir)
    whole = {HARMLESS: True, SENTIMENT: "neutral", TOPICS: ()}
    for row, answers in [(0, whole), (1, {HARMLESS: True})]:
        Opinions(data_dir).save(Opinion(queue.id, row, "chosen", "Ada", answers))
    Opinions(data_dir).save(Opinion(queue.id, 2, "chosen", "Ada", skipped=True))
    filled = Filled(export_queue(queue.id, "Ada"), name="")
    assert filled.start["B3"].value == "Ada"
    assert [filled.cell(row, "Reply").value for row in range(2)] == ["Good 1", "Good 3"]
    assert filled.answers.max_row == 3
    import_sheet(filled.put(0, tone="positive", arts="no").put(1, skip="yes").bytes())
    assert said(data_dir, queue)[1] == {HARMLESS: True, SENTIMENT: "positive", TOPICS: ()}
    with pytest.raises(BadInput, match="Nothing is left for Ada"):
        Opinions(data_dir).save(Opinion(queue.id, 3, "chosen", "Ada", whole, version=1))
        export_queue(queue.id, "Ada")


@pytest.fixture
def filled_in(data_dir, tmp_path, monkeypatch):
    """A queue of the texts of a labelling, whose labels are shown in advance."""
    run_id = Labellings(data_dir, four_pairs(tmp_path), monkeypatch).made("first", FIRST)
    fingerprint = open_labels(run_id).dataset.fingerprint
    keys = (REFUSAL, SENTIMENT, TOPICS)
    queue = Queue(0, "", fingerprint, "Check", "describe", "low-agreement", keys, prefill=run_id)
    return make(data_dir, queue, [(row, "chosen") for row in range(3)], [(3, "chosen")])


def test_labels_that_are_filled_in_count_once_they_were_checked(data_dir, filled_in):
    filled = Filled(filled_in)
    refusals = "Does the reply refuse to do what was asked?"
    # The first row is the random one, which is blind; those below are filled in.
    assert [filled.cell(row, refusals).value for row in range(4)] == [None, "yes", "yes", "no"]
    assert filled.cell(1, ARTS).value == "yes" and filled.cell(2, ARTS).value == "no"
    assert "filled in by a program" in str([cell.value for cell in filled.start["B"]])
    filled.cell(0, refusals).value = "no"
    filled.put(1, checked="yes").cell(2, refusals).value = "no"
    report = import_sheet(filled.bytes())
    assert report.new == 3
    assert report.sentences[1] == "1 filled in, but neither checked nor changed, so not counted."
    assert said(data_dir, filled_in) == {
        0: {REFUSAL: True, SENTIMENT: "neutral", TOPICS: (LABEL_ARTS,)},
        1: {REFUSAL: False, SENTIMENT: "negative", TOPICS: ()},
    }  # fmt: skip
    marks = [(one.blind, one.prefill) for one in Opinions(data_dir).all(filled_in.id)]
    assert marks == [(False, filled_in.prefill)] * 2
    (random,) = Opinions(data_dir).all(filled_in.companion)
    assert (random.blind, random.prefill, random.answers) == (True, "", {REFUSAL: False})


def test_a_large_queue_is_refused_in_a_sentence(data_dir, monkeypatch):
    monkeypatch.setattr(review_sheets, "MOST_ITEMS", 3)
    with pytest.raises(BadInput, match="at most 3 items; this one would have 4"):
        export_queue(better(data_dir).id)


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


def test_texts_that_are_gone_are_told(data_dir):
    queue = better(data_dir)
    data = Filled(queue).put(0, which="A").bytes()
    (data_dir / "datasets" / queue.dataset / "dataset.json").rename(data_dir / "away.json")
    for act in (lambda: import_sheet(data), lambda: export_queue(queue.id)):
        with pytest.raises(BadInput, match="no longer in the data folder"):
            act()


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


def test_a_sheet_of_480_pairs_goes_out_and_in_within_seconds(data_dir):
    queue = better(data_dir, pairs=480)
    begin = time.monotonic()
    filled = Filled(queue)
    for row in range(480):
        filled.put(row, which="A")
    assert import_sheet(filled.bytes()).new == 480
    assert time.monotonic() - begin < 60


def test_sheets_load_their_library_only_when_one_is_made():
    code = (
        "import sys, ivan_core.workspace.review_sheets;"
        "print(sorted({'openpyxl', 'pandas', 'torch', 'streamlit'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_shared_turns_stand_once_and_what_differs_stands_in_the_replies(data_dir):
    texts = [
        (f"{ask(0)}Hi\n\nHuman: And?\n\nAssistant: Yes.",
         f"{ask(0)}Hi\n\nHuman: Or?\n\nAssistant: No."),
    ]  # fmt: skip
    queue = Queue(0, "", dataset(data_dir, texts), "", "better", "random")
    filled = Filled(make(data_dir, queue, [(0, "both")]))
    assert filled.cell(0, "Conversation").value == "Human: Ask 0\n\nAssistant: Hi"
    replies = {filled.cell(0, f"Reply {letter}").value for letter in "AB"}
    assert replies == {"Human: And?\n\nAssistant: Yes.", "Human: Or?\n\nAssistant: No."}
