"""The way through a queue: what comes next, what is blind, what people are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from given.made_labellings import (
    ARTS,
    FIRST,
    KEYS,
    PLACES,
    REFUSAL,
    SENTIMENT,
    TOPICS,
    Labellings,
    four_pairs,
)

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Chosen, Queues
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Opinion, OpinionConflict, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.engine.access import Visitor
from ivan_core.experiments.labels.results import open_labels
from ivan_core.labels.schema import GOOD, GROUPS, HARM
from ivan_core.review import rights as review_rights
from ivan_core.review.briefing import (
    answer_words,
    differed,
    how_it_went,
    may_begin,
    minutes,
    namesake,
    revealed,
)
from ivan_core.review.flow import (
    Place,
    Screen,
    left_side,
    next_place,
    open_screen,
    place_before,
    save_better,
    save_described,
    screens_of,
    skip,
    standing,
)

PAIRS: Chosen = [(row, "both") for row in (5, 3, 9)]
TEXTS: Chosen = [(4, "chosen"), (4, "rejected")]


@pytest.fixture
def make(data_dir: Path, pairs_file: Path):
    """Make a queue on forty pairs."""
    dataset = prepare(data_dir, DatasetRequest(source=str(pairs_file)))

    def made(chosen: Chosen = PAIRS, first: Chosen = (), **fields: object) -> Queue:
        if fields.get("task") == "describe":
            fields.setdefault("keys", FEATURES)
        plain = Queue(0, "", dataset.fingerprint, "a queue", "better", "random")
        return Queues(data_dir).make(replace(plain, **fields), chosen, first)

    return made


def due(queue: Queue, name: str = "Ada") -> Screen:
    """The screen that comes next for somebody."""
    now = standing(queue, name)
    place = next_place(now)
    assert place is not None
    return open_screen(now, place)


def back(queue: Queue, place: Place | None = None, name: str = "Ada") -> Screen:
    """The screen before a place."""
    now = standing(queue, name)
    before = place_before(now, place)
    assert before is not None
    return open_screen(now, before)


def test_items_come_in_their_order_and_end(make) -> None:
    queue = make()
    assert (standing(queue, "Ada").done, standing(queue, "Ada").total) == (0, 3)
    for done, row in enumerate((5, 3, 9)):
        screen = due(queue)
        assert screen.pair.row_id == row and not screen.again
        save_better(screen, screen.left)
        assert (standing(queue, "Ada").done, standing(queue, "Ada").total) == (done + 1, 3)
    assert next_place(standing(queue, "Ada")) is None
    assert standing(queue, "Bo").total == 3


def test_the_first_items_come_from_the_companion_and_count(make) -> None:
    queue = make(first=[(7, "both")], source="rows")
    assert standing(queue, "Ada").total == 4
    screen = due(queue)
    assert screen.pair.row_id == 7 and screen.queue.id == queue.companion
    save_better(screen, NO_DIFFERENCE)
    assert due(queue).pair.row_id == 5
    assert back(queue).pair.row_id == 7
    now = standing(queue, "Ada")
    assert (now.done, now.total) == (1, 4)


def test_no_more_than_thirty_first_items_are_counted_ahead(make) -> None:
    queue = make(first=[(row, "both") for row in range(40)], source="rows")
    assert standing(queue, "Ada").total == 33


def test_sides_are_shuffled_but_stay_where_they_were(make) -> None:
    queue = make()
    lefts = [left_side(queue, row, "Ada") for row in range(200)]
    assert lefts == [left_side(queue, row, "Ada") for row in range(200)]
    assert 70 < lefts.count("chosen") < 130
    assert lefts != [left_side(queue, row, "Bo") for row in range(200)]


def test_an_answer_says_what_was_left_how_long_it_took_and_that_it_was_blind(make) -> None:
    queue = make()
    screen = due(queue)
    saved = save_better(screen, "rejected", "  hm  ", 12.5)
    assert saved.answers == {BETTER: "rejected"} and saved.left == screen.left
    assert (saved.note, saved.seconds, saved.blind, saved.verified) == ("hm", 12.5, True, False)


def test_an_answer_changed_after_the_choice_was_told_is_not_blind(make) -> None:
    queue = make(tells=True)
    save_better(due(queue), "chosen")
    screen = back(queue)
    assert screen.again
    assert save_better(screen, "chosen").version == 1
    assert save_better(screen, "chosen", "only a note").blind
    changed = save_better(back(queue), "rejected")
    assert changed.version == 3 and not changed.blind
    assert not save_better(back(queue), "chosen").blind


def test_an_answer_changed_before_anything_was_told_is_blind_and_after_the_end_is_not(make) -> None:
    queue = make()
    save_better(due(queue), "chosen")
    changed = save_better(back(queue), "rejected")
    assert changed.version == 2 and changed.blind and not back(queue).told
    assert save_better(due(queue), None).blind
    last = save_better(due(queue), "chosen")
    assert last.blind and next_place(standing(queue, "Ada")) is None
    screen = back(queue)
    assert screen.told and not save_better(screen, "rejected").blind


def test_a_skipped_item_showed_no_choice_so_its_later_answer_is_blind(make) -> None:
    queue = make(tells=True)
    skipped = skip(due(queue))
    assert skipped.skipped and skipped.answers == {}
    assert revealed(standing(queue, "Ada"), "authored choice") == ""
    screen = back(queue)
    assert screen.again and save_better(screen, "chosen").blind
    assert not skip(back(queue)).blind
    assert not save_better(back(queue), "chosen").blind


def test_nonsense_is_no_answer(make) -> None:
    with pytest.raises(BadInput, match="no answer"):
        save_better(due(make()), "left")


def test_the_same_press_twice_is_one_and_another_is_a_conflict(make, data_dir: Path) -> None:
    queue = make()
    screen = due(queue)
    first = save_better(screen, "chosen")
    assert save_better(screen, "chosen") == first
    with pytest.raises(OpinionConflict) as caught:
        save_better(screen, "rejected")
    assert caught.value.current == first
    assert len(Opinions(data_dir).history(screen.place.item, "Ada")) == 1


def test_questions_come_in_groups_of_at_most_five_and_a_follow_up(make) -> None:
    screens = screens_of(make(TEXTS, task="describe"))
    assert tuple(group for group, _ in screens) == GROUPS
    assert sorted(key for _, keys in screens for key in keys) == sorted(FEATURES)
    assert [len(keys) for _, keys in screens] == [5, 6, 4, 4]
    few = make(TEXTS, task="describe", keys=("last_response_is_honest", "topics"))
    assert [keys for _, keys in screens_of(few)] == [("last_response_is_honest",), ("topics",)]


def answer_all(screen: Screen, label: bool | None = True) -> Opinion:
    lists = ("topics", "last_response_is_discriminating_against")
    answers = {key: () if key in lists else label for key in screen.keys}
    answers |= {key: None for key in screen.keys if key == "last_response_sentiment"}
    return save_described(screen, answers, seconds=4)


def test_a_text_is_answered_screen_by_screen_and_resumed_in_the_middle(make) -> None:
    queue = make(TEXTS, task="describe")
    answer_all(due(queue))
    now = standing(queue, "Ada")
    assert (now.done, now.total) == (0, 2)
    screen = due(queue)
    assert (screen.place.screen, screen.group, screen.again) == (1, HARM, False)
    for _ in range(3):
        saved = answer_all(due(queue))
    assert saved.version == 4 and saved.seconds == 16 and saved.blind
    assert set(saved.answers) == set(FEATURES)
    assert standing(queue, "Ada").done == 1
    screen = due(queue)
    assert (screen.place.side, screen.place.screen, screen.group) == ("rejected", 0, GOOD)


def test_undo_goes_back_screen_by_screen_then_text_by_text(make) -> None:
    queue = make(TEXTS, task="describe")
    for _ in range(5):
        answer_all(due(queue))
    place = due(queue).place
    ways = []
    while (before := place_before(standing(queue, "Ada"), place)) is not None:
        ways.append((before.side, before.screen))
        place = before
    assert ways == [("rejected", 0), *(("chosen", screen) for screen in (3, 2, 1, 0))]


def test_an_answer_described_again_stays_blind_since_nothing_was_revealed(make) -> None:
    queue = make(TEXTS, task="describe", keys=("last_response_is_honest",))
    answer_all(due(queue))
    assert answer_all(back(queue), None).blind


def test_open_and_impossible_answers_are_refused(make) -> None:
    screen = due(make(TEXTS, task="describe"))
    with pytest.raises(BadInput, match="Still open: Does the reply refuse"):
        save_described(screen, {"last_response_is_coherent": True})
    wrong = dict.fromkeys(screen.keys, True) | {"last_response_is_honest": "yes"}
    with pytest.raises(BadInput, match="no answer to: Is the reply honest"):
        save_described(screen, wrong)


def test_the_choice_is_told_at_the_end_with_the_pairs_that_differ(make) -> None:
    queue = make()
    for answer in ("chosen", "rejected", NO_DIFFERENCE):
        save_better(due(queue), answer)
        assert revealed(standing(queue, "Ada"), "authored choice") == ""
    now = standing(queue, "Ada")
    (told,) = differed(now, "authored choice")
    assert told.startswith("The author chose “") and "”, you “" in told


def test_of_many_pairs_that_differ_the_newest_are_told_and_how_many_more_there_are(make) -> None:
    queue = make([(row, "both") for row in range(22)])
    for _ in range(22):
        save_better(due(queue), "rejected")
    *told, more = differed(standing(queue, "Ada"), "authored choice")
    assert len(told) == 20 and more == "2 earlier ones are not listed."


def test_the_choice_is_revealed_in_a_sentence(make) -> None:
    queue = make(tells=True)
    screen = due(queue)
    letter = "A" if screen.left == "chosen" else "B"
    other = "B" if letter == "A" else "A"
    save_better(screen, "chosen")
    now = standing(queue, "Ada")
    assert revealed(now, "authored choice") == (
        f"The last pair: the author chose {letter}, like you."
    )
    save_better(back(queue), "rejected")
    now = standing(queue, "Ada")
    assert revealed(now, "people's choice") == (
        f"The last pair: people chose {letter}, you {other}."
    )
    save_better(back(queue), None)
    now = standing(queue, "Ada")
    assert revealed(now, "recorded choice") == f"The last pair: the data prefers {letter}."


def test_the_end_counts_agreement_with_the_choice_and_with_others(make) -> None:
    queue = make()
    for name, answers in (
        ("Ada", ("chosen", "rejected", NO_DIFFERENCE)),
        ("Bo", ("chosen", "chosen", None)),
    ):
        for answer in answers:
            save_better(due(queue, name), answer)
    went = how_it_went(standing(queue, "Ada"), "authored choice")
    assert (went.judged, went.skipped, went.choice, went.others) == (3, 0, (1, 2), (1, 2))
    assert went.sentences == (
        "You chose the same reply as the author in 1 of the 2 pairs where you chose one.",
        "Another person and you gave the same answer 1 of the 2 times you both answered.",
    )
    alone = make()
    skip(due(alone))
    assert how_it_went(standing(alone, "Ada"), "authored choice").sentences == ()


def test_words_of_an_answer_are_those_of_the_buttons(make) -> None:
    queue = make()
    screen = due(queue)
    assert answer_words(save_better(screen, screen.left)) == "A is better"
    assert answer_words(skip(due(queue))) == "skipped"
    assert answer_words(save_better(due(queue), NO_DIFFERENCE)) == "no difference"


def test_who_may_begin(make, monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    queue = make()
    assert may_begin(queue, "  Ada   L ") == "Ada L"
    with pytest.raises(BadInput, match="no name"):
        may_begin(queue, " ")
    hers = make(assigned="Ada")
    assert may_begin(hers, "ada") == "Ada"
    with pytest.raises(BadInput, match="This invitation is for Ada"):
        may_begin(hers, "Bo")
    Queues(data_dir).close(queue.id)
    with pytest.raises(BadInput, match="closed"):
        may_begin(Queues(data_dir).get(queue.id), "Ada")


def test_a_verified_name_is_not_for_those_who_type_it(make, monkeypatch) -> None:
    queue = make()
    monkeypatch.setattr(access, "_provider", lambda: Visitor(False, "ada@example.org"))
    assert save_better(due(queue, "ada@example.org"), "chosen").verified
    assert may_begin(queue, "ada@example.org")
    assert review_rights.verified_name() == "ada@example.org"
    monkeypatch.setattr(access, "_provider", lambda: Visitor(False))
    with pytest.raises(BadInput, match="somebody who logged in"):
        may_begin(queue, "Ada@example.org")


def test_a_name_is_known_by_its_queue_whatever_the_capitals(make) -> None:
    queue = make(first=[(7, "both")], source="rows")
    assert not namesake(queue, "Ada").known
    assert namesake(queue, "Ada").sentence == "Nobody called Ada has judged any of these yet."
    save_better(due(queue, "Ada"), "chosen")
    save_better(due(queue, "Ada"), None)
    found = namesake(queue, " ada ")
    assert (found.name, found.here, found.elsewhere) == ("Ada", 2, 0)
    assert found.sentence == "Somebody called Ada has judged 2 of these."
    found = namesake(make(), "ada")
    assert (found.name, found.here, found.elsewhere) == ("Ada", 0, 2)
    assert found.sentence == (
        "Somebody called Ada has judged 2 in another review, and none of these."
    )


def test_the_time_it_takes_is_told_by_the_pace_of_those_who_judged(make) -> None:
    queue = make([(row, "both") for row in range(20)])
    assert minutes(queue, 20) == 10
    for _ in range(10):
        save_better(due(queue), "chosen", seconds=60)
    assert minutes(queue, 20) == 20
    assert minutes(queue, 0) == 1


def test_a_text_of_which_some_questions_are_answered_tells_no_pace(make, data_dir: Path) -> None:
    queue = make([(row, "chosen") for row in range(20)], task="describe")
    usual = minutes(queue, 20)
    for row in range(12):
        begun = Opinion(queue.id, row, "chosen", "Ada", {FEATURES[0]: True}, seconds=3)
        Opinions(data_dir).save(begun)
    assert minutes(queue, 20) == usual


def test_labels_of_a_run_that_is_gone_are_suggested_to_nobody(make) -> None:
    queue = make(TEXTS, task="describe", source="rows", prefill="2020-01-01-00-00")
    screen = due(queue)
    assert screen.queue.id == queue.id and screen.suggested == {}
    assert not answer_all(screen).blind


def test_labels_of_a_run_are_suggested_but_for_those_that_it_does_not_have(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Labellings(data_dir, four_pairs(tmp_path), monkeypatch).made("first", FIRST)
    dataset = open_labels(run).dataset.fingerprint
    queue = Queues(data_dir).make(
        Queue(0, "", dataset, "filled in", "describe", "rows", KEYS, run),
        [(0, "rejected"), (3, "rejected")],
        [(1, "chosen")],
    )
    first = due(queue)
    assert first.queue.id == queue.companion and first.suggested == {}
    while due(queue).queue.id == queue.companion:
        answer_all(due(queue))
    screen = due(queue)
    assert screen.suggested == {REFUSAL: False, SENTIMENT: "positive", TOPICS: (ARTS, PLACES)}
    assert not screen.again
    while due(queue).pair.row_id == 0:
        saved = answer_all(due(queue))
    assert (saved.blind, saved.prefill) == (False, run)
    assert due(queue).suggested == {}
