"""Pairs: one pair, how to move between them, and rows that are out of the ordinary."""

from __future__ import annotations

import pytest
from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.experiments.compare.results import open_results
from pages.components.pair.walk import Walk, nearest

PAIRS = "pages/pairs.py"
ASK = "\n\nHuman: How?\n\nAssistant:"


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample())


@pytest.fixture
def opened(data_dir, tmp_path, open_page):
    """Judge one pair of your choice and read it."""

    def open_it(chosen, rejected, fakes: Fakes | None = None, **more):
        rows = [{"chosen": chosen, "rejected": rejected, **more}]
        file = made_runs.write_rows(tmp_path / "one.jsonl", rows)
        made_runs.finished(data_dir, made_runs.spec_of_file(file), fakes)
        return open_page(PAIRS)

    return open_it


def test_without_a_run_it_leads_home(data_dir, open_page):
    page = open_page(PAIRS)
    assert "There is nothing to read yet" in page.said
    assert ":primary[Go to Home →]" in page.links


def test_without_a_row_it_is_the_first_of_the_newest_run(run_id, open_page):
    page = open_page(PAIRS)
    assert page.said.startswith("The author chose A. ivan/minilm-harmless slightly prefers B (")
    assert "pair 0 of 480 · sample" in page.said
    assert page.app.query_params["run"] == run_id


@pytest.mark.parametrize("row", ["", "x", "-1", "1.5", "9" * 30])
def test_a_row_that_is_no_number_is_the_first(run_id, open_page, row):
    assert "pair 0 of 480" in open_page(PAIRS, run=run_id, row=row).said


def test_a_row_outside_the_run_is_said_and_leads_to_one_inside(data_dir, open_page):
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(row_ids=(3, 5)))
    page = open_page(PAIRS, run=run_id, row="4")
    assert f"Run {run_id} has no pair 4." in page.said
    assert page.links[":primary[Read the first pair →]"] == f"pairs?run={run_id}&row=3"


def test_a_run_that_does_not_exist_is_said(run_id, open_page):
    assert "There is no run 'none' here." in open_page(PAIRS, run="none", row="0").said


def test_a_run_at_work_without_results_asks_to_wait(data_dir, open_page):
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    assert "Wait for it, or start another one." in open_page(PAIRS, run=run_id).said


def test_keys_move_through_the_run(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="0")
    moves = {key: name for key, name in page.buttons.items() if key.startswith("move-")}
    assert moves == {"move-k": "Previous", "move-j": "Next", "move-d": "Sharpest disagreement"}
    assert page.app.button(key="move-k").disabled
    page.press("move-j")
    assert "pair 1 of 480" in page.said
    page.press("move-d")
    sharpest = open_results(run_id).sharpest[0]
    assert page.app.query_params["row"] == str(sharpest)
    page.press("move-k")
    assert page.app.query_params["row"] == str(sharpest - 1)


def test_a_key_goes_on_from_the_row_in_the_url_though_the_buttons_are_of_the_row_before(
    run_id, open_page
):
    page = open_page(PAIRS, run=run_id, row="1")
    page.app.query_params["row"] = "5"  # a press has led on, and the next comes at once
    page.press("move-j")
    assert page.app.query_params["row"] == "6"


def test_a_typed_row_is_opened(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="0")
    page.app.number_input(key="row-0").set_value(479)
    page.run()
    assert "pair 479 of 480" in page.said
    assert page.app.button(key="move-j").disabled


def test_steps_stay_inside_the_run():
    walk = Walk([2, 5, 9])
    assert [walk.step(5, by) for by in (-1, 1)] == [2, 9]
    assert [walk.step(2, -1), walk.step(9, 1)] == [None, None]


@pytest.mark.parametrize(("wanted", "found"), [(6, 9), (9, 9), (4, 2), (2, 2), (99, 9), (0, 2)])
def test_a_typed_row_that_the_run_lacks_is_the_next_in_that_direction(wanted, found):
    assert nearest([2, 5, 9], 5, wanted) == found


def test_the_sharpest_disagreements_go_round(run_id, data_dir):
    results = open_results(run_id)
    sharpest = results.sharpest
    outside = next(row for row in results.row_ids if row not in sharpest)
    walk = Walk(results.row_ids)
    assert walk.next_sharpest(sharpest, outside) == sharpest[0]
    assert walk.next_sharpest(sharpest, sharpest[0]) == sharpest[1]
    assert walk.next_sharpest(sharpest, sharpest[-1]) == sharpest[0]


def test_one_model_disagrees_with_nobody(data_dir, open_page):
    spec = made_runs.spec_of_sample(made_runs.TWO_MODELS[:1], limit=20)
    page = open_page(PAIRS, run=made_runs.finished(data_dir, spec))
    assert page.app.button(key="move-d").disabled


def test_a_dialogue_that_ends_in_a_human_turn_has_no_reply(opened):
    page = opened(f"{ASK} So.\n\nHuman: And then?", f"{ASK} So. Or so.")
    assert "(no reply: the dialogue ends in a Human turn)" in page.said
    assert "the sides differ before the last reply" in page.said


def test_text_without_a_turn_is_shown_whole(opened):
    page = opened("Just a text.", "Just another.")
    assert "Just a text." in page.said
    assert "Just another." in page.said
    assert "no prompt in the data" in page.said


def test_identical_sides_are_not_rated(opened):
    page = opened(f"{ASK} So.", f"{ASK} So.")
    assert "both sides are the same text" in page.said
    assert "ivan/minilm-harmless did not rate it" in page.said


def test_an_empty_reply_is_named(opened):
    assert "(empty reply)" in opened(f"{ASK} ", f"{ASK} So.").said


def test_truncation_is_a_badge_and_failure_a_sentence(opened):
    every = "0123456789abcdef"
    page = opened(f"{ASK} One.", f"{ASK} Two.", Fakes(truncated=every, constant=True))
    assert (
        "truncated: ivan/minilm-harmless, ivan/minilm-control did not read all of it" in page.said
    )
    assert "ivan/minilm-harmless likes both the same" in page.said


def test_a_failed_row_says_why(opened):
    page = opened(f"{ASK} One.", f"{ASK} Two.", Fakes(failing="0123456789abcdef"))
    assert "ivan/minilm-harmless did not rate it: chosen: the fake was told to fail" in page.said
    assert "not rated" in page.said


def test_earlier_turns_are_folded_and_the_last_question_is_not(opened):
    start = "\n\nHuman: First?\n\nAssistant: Ok."
    page = opened(f"{start}{ASK} One.", f"{start}{ASK} Two.")
    assert [folded.label for folded in page.app.expander] == [
        "2 earlier turns, the same on both sides",
        "Type your own reply",
        "Note and star",
    ]


def test_a_pair_of_sides_that_part_early_shows_both_ways(opened):
    page = opened(f"\n\nHuman: Hi.{ASK} One.", f"\n\nHuman: Hello.{ASK} Two.")
    assert "the sides differ before the last reply" in page.said
    assert "Hi." in page.said
    assert "Hello." in page.said


def test_what_stands_before_the_first_turn_is_shown(opened):
    page = opened(f"A system text.{ASK} One.", f"A system text.{ASK} Two.")
    assert page.said.count("A system text.") == 1
    page = opened(f"Be kind.{ASK} One.", f"Be curt.{ASK} One.")
    assert "Be kind." in page.said
    assert "Be curt." in page.said


def test_a_missing_reply_is_no_difference_in_words(opened):
    page = opened(f"{ASK} So.\n\nHuman: And then?", f"{ASK} So. Or so.")
    assert not any("<ins" in html.body for html in page.app.get("html"))


def test_a_system_turn_is_shown_and_a_marker_inside_a_reply_is_part_of_it(opened):
    asked = [{"role": "system", "content": "Be <b>brief</b>."}, {"role": "user", "content": "Hi"}]
    sides = [
        [*asked, {"role": "assistant", "content": text}]
        for text in ("Go away.\n\nAssistant: I am sorry", "Hello.")
    ]
    page = opened(*sides)
    assert "System Be <b>brief</b>." in page.said
    assert "Go away.\n\nAssistant: I am sorry" in page.said
    assert [folded.label for folded in page.app.expander] == [
        "Type your own reply",
        "Note and star",
    ]


def test_a_long_system_turn_is_folded(opened):
    page = opened("yes", "no", prompt="Hi", system="Be kind. " * 100)
    assert page.app.expander[0].label == "The system turn, 899 characters"


def test_equal_scores_in_the_data_are_a_tie_that_nobody_is_rated_on(opened):
    page = opened("yes", "no", prompt="Hi", score_chosen=8.5, score_rejected=8.5)
    assert page.said.startswith("A tie: the data prefers neither reply")
    assert "a tie in the data" in page.said
    assert "did not rate it" not in page.said
