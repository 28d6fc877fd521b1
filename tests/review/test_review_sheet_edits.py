"""Sheets as they come back: sorted, shortened, renamed, retyped; the answers are those given."""

from __future__ import annotations

import random

import pytest
from given.filled_sheets import (
    HARMLESS,
    KEYS,
    SENTIMENT,
    TOPICS,
    Filled,
    better,
    describe,
    saved_elsewhere,
)
from hypothesis import HealthCheck, given, settings, strategies as st

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE
from ivan_core.labels.schema import TOPICS as ALL_TOPICS, features
from ivan_core.review.sheets.reading import SheetRefused
from ivan_core.review.sheets.sheets import import_sheet

YES = ["yes", "Yes", "YES ", " yes\u00a0", True, "TRUE", "true", "=TRUE()", 1, 1.0, "1", "y", "x"]
NO = ["no", "No.", " NO", False, "FALSE", "=FALSE()", 0, 0.0, "0", "n"]
UNSURE = ["can't tell", "Can’t tell", "CAN'T  TELL", "cannot tell", "cant tell"]
EMPTY = [None, "", "   ", "\u00a0", "\u200b"]


def said(data_dir, queue, reviewer="Ada"):
    return {one.row_id: dict(one.answers) for one in Opinions(data_dir).all(queue.id, reviewer)}


@pytest.mark.parametrize(
    ("cells", "answer"), [(YES, True), (NO, False), (UNSURE, None), (EMPTY, ...)]
)
def test_answers_are_understood_however_a_program_saved_them(data_dir, cells, answer):
    queue = describe(data_dir, pairs=len(cells))
    filled = Filled(queue)
    for row, cell in enumerate(cells):
        filled.put(row, harmless=cell)
    import_sheet(filled.bytes())
    expected = {} if answer is ... else {row: {HARMLESS: answer} for row in range(len(cells))}
    assert said(data_dir, queue) == expected


@pytest.mark.parametrize("cell", ["perhaps", 2, -1, 0.5, "yes no", "=A1", "#N/A", "ja"])
def test_what_is_no_answer_is_not_taken_for_one(data_dir, cell):
    filled = Filled(describe(data_dir)).put(0, harmless=cell)
    with pytest.raises(SheetRefused, match=r"Answers!D2 says “.+” takes yes, no or can't tell"):
        import_sheet(filled.bytes())


def test_rows_sorted_and_deleted_columns_moved_and_the_sheet_renamed(data_dir):
    queue = better(data_dir, pairs=6)
    filled = Filled(queue)
    for row in range(6):
        filled.put(row, which=filled.better(row) if row % 2 else filled.worse(row))
    data = saved_elsewhere(
        filled.bytes(),
        order=lambda rows: list(reversed(rows))[:-1],
        columns=lambda places: list(reversed(places)),
        title="Antworten, die 2.",
    )
    report = import_sheet(data)
    assert said(data_dir, queue) == {
        row: {BETTER: "chosen" if row % 2 else "rejected"} for row in range(1, 6)
    }
    assert report.sentences[1] == "1 not in the sheet any more."


def test_empty_rows_and_columns_of_ones_own_do_no_harm(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A").put(3, which="B")
    filled.answers.insert_rows(3, 2)
    filled.answers.insert_cols(2)
    filled.answers["B1"], filled.answers["B2"] = "My own thoughts", "hm"
    filled.answers["D30"] = "a line of my own"
    assert import_sheet(filled.bytes()).new == 2


def test_a_row_that_was_copied_counts_once_and_must_not_contradict_itself(data_dir):
    queue = better(data_dir)
    filled = Filled(queue).put(0, which="A")
    copy = saved_elsewhere(filled.bytes(), order=lambda rows: [*rows, rows[0]])
    assert import_sheet(copy).new == 1
    code = filled.cell(0, "Item").value
    other = saved_elsewhere(filled.put(1, which="A").bytes(), order=lambda rows: [*rows, rows[1]])
    twice = Filled(other)
    twice.answers["E6"] = "B"
    with pytest.raises(SheetRefused, match="answered in rows 3 and 6 of the sheet “Answers”"):
        import_sheet(twice.bytes())
    assert code.startswith("1-") and len(said(data_dir, queue)) == 1


def test_only_some_columns_sorted_is_noticed(data_dir):
    queue = better(data_dir)
    filled = Filled(queue)
    texts = [filled.cell(row, "Reply A").value for row in range(4)]
    for row in range(4):
        filled.put(row, which="A").cell(row, "Reply A").value = texts[3 - row]
    with pytest.raises(SheetRefused) as refused:
        import_sheet(filled.bytes())
    assert len(refused.value.problems) == 4
    assert "only some columns were sorted" in refused.value.problems[0]


def test_headings_that_were_changed_are_named(data_dir):
    filled = Filled(describe(data_dir)).put(0, harmless="yes")
    filled.answers["D1"] = "  is the REPLY\nharmless? "
    assert import_sheet(filled.bytes()).new == 1
    filled.answers["D1"] = "Harmless"
    with pytest.raises(SheetRefused, match=r"column “Is the reply harmless.” of .* is missing"):
        import_sheet(filled.bytes())
    filled.answers["D1"], filled.answers["F1"] = "Is the reply harmless?", "Is the reply harmless?"
    with pytest.raises(SheetRefused) as refused:
        import_sheet(filled.bytes())
    assert any("is there twice" in problem for problem in refused.value.problems)
    for cell in filled.answers[1]:
        cell.value = None
    with pytest.raises(SheetRefused, match="Put the headings back"):
        import_sheet(filled.bytes())


def test_a_second_copy_of_the_answers_is_not_chosen_from(data_dir):
    filled = Filled(better(data_dir)).put(0, which="A")
    filled.book.copy_worksheet(filled.answers)
    with pytest.raises(SheetRefused, match="“Answers” and the sheet “Answers Copy” both hold"):
        import_sheet(filled.bytes())


def typed(options, meaning):
    return st.sampled_from(options).map(lambda cell: (cell, meaning))


YES_OR_NO = st.one_of(typed(YES, True), typed(NO, False), typed(UNSURE, None), typed(EMPTY, ...))
TONES = st.one_of(
    *(typed([tone, tone.upper(), f" {tone} "], tone) for tone in features([SENTIMENT])[0].values),
    typed(UNSURE, None),
    typed(EMPTY, ...),
)
TOPIC_CELLS = st.lists(
    st.one_of(typed(YES, True), typed(NO, False), typed(EMPTY, ...)), min_size=12, max_size=12
)


@st.composite
def described(draw):
    """The cells of a row in the order of its columns, and the answers that they mean."""
    harmless, tone, topics = draw(YES_OR_NO), draw(TONES), draw(TOPIC_CELLS)
    cells = [harmless[0], tone[0], *(cell for cell, _ in topics)]
    answers = {HARMLESS: harmless[1], SENTIMENT: tone[1], TOPICS: ...}
    if any(meaning is not ... for _, meaning in topics):
        answers[TOPICS] = tuple(
            topic for topic, (_, yes) in zip(ALL_TOPICS, topics, strict=True) if yes is True
        )
    return cells, {key: label for key, label in answers.items() if label is not ...}


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(described(), min_size=3, max_size=3), seed=st.integers(0, 2**20))
def test_descriptions_filled_at_random_come_in_exactly(data_dir, rows, seed):
    queue = describe(data_dir, pairs=3)
    filled = Filled(queue)
    for row, (cells, _) in enumerate(rows):
        for place, cell in enumerate(cells):
            filled.answers.cell(row + 2, 4 + place).value = cell
    chance = random.Random(seed)
    data = saved_elsewhere(
        filled.bytes(),
        order=lambda found: chance.sample(found, len(found)),
        columns=lambda places: chance.sample(places, len(places)),
    )
    import_sheet(data)
    assert KEYS == (HARMLESS, SENTIMENT, TOPICS)
    assert said(data_dir, queue) == {
        row: answers for row, (_, answers) in enumerate(rows) if answers
    }


PICKS = st.one_of(
    typed(["good", "Good is better"], "chosen"),
    typed(["bad"], "rejected"),
    typed(["no difference", "No difference", " NO DIFFERENCE."], NO_DIFFERENCE),
    typed(UNSURE, None),
    typed(EMPTY, ...),
)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(picks=st.lists(PICKS, min_size=4, max_size=4), seed=st.integers(0, 2**20))
def test_choices_filled_at_random_come_in_exactly(data_dir, picks, seed):
    queue = better(data_dir, pairs=4)
    filled = Filled(queue)
    for row, (cell, meaning) in enumerate(picks):
        if meaning in ("chosen", "rejected"):
            letter = filled.better(row) if meaning == "chosen" else filled.worse(row)
            cell = f"{letter} is better" if "is better" in cell else letter.lower()
        filled.put(row, which=cell)
    chance = random.Random(seed)
    data = saved_elsewhere(filled.bytes(), order=lambda rows: chance.sample(rows, len(rows)))
    report = import_sheet(data)
    expected = {row: {BETTER: one} for row, (_, one) in enumerate(picks) if one is not ...}
    assert said(data_dir, queue) == expected
    assert (report.new, report.empty) == (len(expected), 4 - len(expected))
    assert len(Queues(data_dir).items(queue.id)) == 4
