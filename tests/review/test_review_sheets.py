"""What a sheet holds: the items of a queue, in words that give nothing away."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile

import pytest
from given.filled_sheets import (
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
from given.made_labellings import ARTS as LABEL_ARTS, FIRST, REFUSAL, Labellings, four_pairs

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Opinion, Queue
from ivan_core.experiments.labels.results import open_labels
from ivan_core.review.sheets import sheets as review_sheets
from ivan_core.review.sheets.sheets import export_queue, import_sheet


def said(data_dir, queue, reviewer="Ada"):
    """Answers by row."""
    return {one.row_id: dict(one.answers) for one in Opinions(data_dir).all(queue.id, reviewer)}


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
    }
    marks = [(one.blind, one.prefill) for one in Opinions(data_dir).all(filled_in.id)]
    assert marks == [(False, filled_in.prefill)] * 2
    (random,) = Opinions(data_dir).all(filled_in.companion)
    assert (random.blind, random.prefill, random.answers) == (True, "", {REFUSAL: False})


def test_a_large_queue_is_refused_in_a_sentence(data_dir, monkeypatch):
    monkeypatch.setattr(review_sheets, "MOST_ITEMS", 3)
    with pytest.raises(BadInput, match="at most 3 items; this one would have 4"):
        export_queue(better(data_dir).id)


def test_texts_that_are_gone_are_told(data_dir):
    queue = better(data_dir)
    data = Filled(queue).put(0, which="A").bytes()
    (data_dir / "datasets" / queue.dataset / "dataset.json").rename(data_dir / "away.json")
    for act in (lambda: import_sheet(data), lambda: export_queue(queue.id)):
        with pytest.raises(BadInput, match="no longer in the data folder"):
            act()


def test_a_sheet_of_480_pairs_goes_out_and_in_with_seconds_of_work(data_dir):
    queue = better(data_dir, pairs=480)
    begin = time.process_time()
    filled = Filled(queue)
    for row in range(480):
        filled.put(row, which="A")
    assert import_sheet(filled.bytes()).new == 480
    assert time.process_time() - begin < 20


def test_sheets_load_their_library_only_when_one_is_made():
    code = (
        "import sys, ivan_core.review.sheets.sheets;"
        "print(sorted({'openpyxl', 'pandas', 'torch', 'streamlit'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_shared_turns_stand_once_and_what_differs_stands_in_the_replies(data_dir):
    texts = [
        (
            f"{ask(0)}Hi\n\nHuman: And?\n\nAssistant: Yes.",
            f"{ask(0)}Hi\n\nHuman: Or?\n\nAssistant: No.",
        )
    ]
    queue = Queue(0, "", dataset(data_dir, texts), "", "better", "random")
    filled = Filled(make(data_dir, queue, [(0, "both")]))
    assert filled.cell(0, "Conversation").value == "Human: Ask 0\n\nAssistant: Hi"
    replies = {filled.cell(0, f"Reply {letter}").value for letter in "AB"}
    assert replies == {"Human: And?\n\nAssistant: Yes.", "Human: Or?\n\nAssistant: No."}
