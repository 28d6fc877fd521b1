"""What moved the reward, and a reply of one's own: asked, followed, drawn, and never as markup."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import pytest
from given import made_runs
from streamlit.testing.v1 import AppTest

from ivan_core.charts.one_pair import effect_bars
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import figures
from ivan_core.engine.warm import answers
from ivan_core.engine.warm.answers import Answer, Pending, Stopped
from ivan_core.experiments.compare import ablation as warm
from ivan_core.runs.registry import Registry
from pages.components.pair.sentence_effects import shaded

ASK = "\n\nHuman: How?\n\nAssistant:"
HOSTILE = "<img src=x onerror=alert(1)> **b** $x$."


HARMLESS, CONTROL = "ivan/minilm-harmless", "ivan/minilm-control"


def script(run_id: str, row: int) -> None:
    from ivan_core.experiments.compare.results import open_results
    from pages.components.pair.marks import DIFFER, marked, marks_switch
    from pages.components.pair.own_reply import own_reply
    from pages.components.pair.replies import show_pair
    from pages.components.pair.what_moved import answer, what_moved

    results = open_results(run_id)
    marks_switch(results)
    moved = answer(results, row)
    pair = results.dataset.pair(row)
    show_pair(pair, marked(results) == DIFFER, {}, coloured=moved.coloured if moved else None)
    what_moved(results, row, moved)
    own_reply(results, row)


class Worker:
    """A warm worker one can read: its reward is the length of the reply; it may still be at it."""

    def __init__(self) -> None:
        self.waits_for = ""
        self.problem: Exception | None = None
        self.again: list[bool] = []
        self.cancelled: list[str] = []

    def ask(self, model: Any, texts: Sequence[Dialogue], again: bool = False) -> Answer:
        self.again.append(again)
        if self.problem:
            return Answer(problem=self.problem)
        waits = {"all": True, "flip": len(texts) == 2}
        if waits.get(self.waits_for):
            return Answer(pending=Pending(f"q-{model.name[-7:]}", "Scoring with it", 1, 4))
        return Answer({t.hash: Reward(float(len(t.reply or "")), t.text == "") for t in texts})


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    fake = Worker()
    monkeypatch.setattr(warm, "ask", fake.ask)
    monkeypatch.setattr(answers, "cancel", fake.cancelled.append)
    return fake


@pytest.fixture
def app(data_dir, tmp_path) -> AppTest:
    rows = [
        {"chosen": f"{ASK} aaa. {HOSTILE} Cc.", "rejected": f"{ASK} Dddd. And so on it went."},
        {"chosen": "\n\nHuman: Hi", "rejected": f"{ASK} No."},
    ]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows))
    run_id = made_runs.finished(data_dir, spec)
    return drawn(AppTest.from_function(script, args=(run_id, 0), default_timeout=300))


def drawn(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def said(app: AppTest) -> str:
    return "\n".join(unescape(re.sub(r"<[^>]+>", "", html.body)) for html in app.get("html"))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return drawn(app)


def html(app: AppTest) -> str:
    return "\n".join(element.body for element in app.get("html"))


def sentence_by_sentence(app: AppTest, **state: Any) -> AppTest:
    """Open the fold below the answer."""
    app.session_state["moved-sentences"] = True
    for key, value in state.items():
        app.session_state[key.replace("_", "-")] = value
    return drawn(app)


def test_nothing_is_asked_before_somebody_asks(app, worker):
    assert not worker.again and "Without" not in said(app)
    assert app.button[0].label == "What moved the reward?"


def test_one_press_answers_and_colours_the_words_of_both_replies(app, worker):
    press(app, "moved-ask")
    assert worker.again == [True]
    assert "Without “onerror=alert(1)>”, minilm-control gives A 18 less (43.8" in said(app)
    assert "Next, in typical margins: “src=x” in A +" in said(app)
    assert "its reply's reward by at least 0.1 0.25 0.5 typical margins. Amber" in said(app)
    told = 'data-told="“onerror=alert(1)&gt;”: +43.83 typical margins (+18 of the reward)"'
    assert f"{told}>onerror=alert(1)&gt;" in html(app)
    assert app.query_params["marked"] == CONTROL  # the one that goes against the choice
    assert not [button for button in app.button if button.key == "moved-ask"]
    assert "<img" not in html(app)


def test_tab_stops_once_at_the_words_of_a_reply_however_many_have_a_tint(app, worker):
    press(app, "moved-ask")
    replies = [one.body for one in app.get("html") if '<div class="ivan-words">' in one.body]
    assert [body.count('tabindex="0"') for body in replies] == [1, 1]
    assert any(body.count('tabindex="-1"') > 1 for body in replies)


def test_the_switch_turns_from_model_to_model_and_back_to_words_that_differ(app, worker):
    switch = app.segmented_control[0]
    assert switch.options == [
        "Words that differ",
        "Words that moved minilm\\-harmless",
        "Words that moved minilm\\-control",
    ]
    switch.set_value(HARMLESS)
    assert ", minilm-harmless gives A 18 less" in said(drawn(app))
    app.segmented_control[0].set_value("")
    assert "Without" not in said(drawn(app)) and "marked" not in app.query_params
    app.segmented_control[0].set_value(None)
    drawn(app)
    assert "words differ" not in said(app) and "<ins" not in html(app)
    assert app.query_params["marked"] == "nothing"


def test_the_address_tells_what_is_marked(app, worker):
    app.query_params["marked"] = CONTROL
    assert "minilm-control gives A 18 less" in said(drawn(app))
    assert worker.again == [False]
    app.query_params["marked"] = "another"
    assert "Without" not in said(drawn(app))


def test_the_effects_and_the_flip_are_drawn(app, worker):
    press(app, "moved-ask")
    sentence_by_sentence(app)
    assert "Without sentence 2, ivan/minilm-control gives the reply 40 less" in said(app)
    assert "Without sentence 2, ivan/minilm-control prefers B: no shorter deletion" in said(app)
    assert "aaa. 1: +5 " in said(app)
    assert f"{HOSTILE} 2: +40 Cc. 3: +4" in said(app)
    assert "<img" not in html(app)
    assert len(app.get("vega_lite_chart")) == 1


def test_the_effects_are_a_figure_once_they_are_known(app, worker, data_dir):
    press(app, "moved-ask")
    sentence_by_sentence(app)
    run_id = Registry(data_dir).all()[0].id
    shown = {"row": "0", "model": "ivan/minilm-harmless", "side": "chosen"}
    (key,) = (button.key for button in app.button if str(button.key).startswith("figure-"))
    assert key.endswith("-0-chosen") and "sentences" in key
    rows = list(
        csv.DictReader(io.StringIO(figures.figure(run_id, "sentences", "csv", **shown).decode()))
    )
    assert [(row["sentence"], row["adds"]) for row in rows] == [
        ("1", "5.0"),
        ("2", "40.0"),
        ("3", "4.0"),
    ]
    assert "gives the reply 40 less" in figures.caption(run_id, "sentences", **shown)
    svg = figures.figure(run_id, "sentences", "svg", **shown).decode()
    assert "the chosen reply" in svg and "What each sentence adds to the reward" in svg
    worker.waits_for = "all"
    with pytest.raises(BadInput, match="not known yet"):
        figures.figure(run_id, "sentences", "csv", **(shown | {"side": "rejected"}))


def test_the_sentences_of_the_other_side_are_asked_for_by_choosing_it(app, worker):
    press(app, "moved-ask")
    sentence_by_sentence(app, effects_side="rejected")
    assert "No deletion makes ivan/minilm-control prefer B: all 2 were tried." in said(app)


def test_while_it_is_worked_at_there_is_progress_and_cancel(app, worker):
    worker.waits_for = "all"
    press(app, "moved-ask")
    assert "Scoring with it · 1 of 4 texts" in said(app)
    press(app, "moved-cancel-q-control")
    assert worker.cancelled == ["q-control"]
    worker.waits_for = "flip"
    drawn(app)
    sentence_by_sentence(app)
    assert "gives the reply 40 less" in said(app)
    assert "Looking for the shortest deletion: Scoring with it" in said(app)
    worker.waits_for = ""
    drawn(app)
    assert "prefers B" in said(app) and "Scoring" not in said(app)


def test_who_turns_to_other_words_takes_back_what_was_asked(app, worker):
    worker.waits_for = "all"
    press(app, "moved-ask")
    assert not worker.cancelled
    app.segmented_control[0].set_value(HARMLESS)
    drawn(app)
    assert worker.cancelled == ["q-control"]
    app.segmented_control[0].set_value("")
    drawn(app)
    assert worker.cancelled == ["q-control", "q-armless"]


def test_problems_are_said_in_place_and_asked_anew_by_a_press(app, worker):
    worker.problem = BackendUnavailable("The hub does not answer.", "Try later.")
    press(app, "moved-ask")
    assert "The hub does not answer.\nTry later." in said(app)
    worker.problem = Stopped("Stopped before the rewards were there.")
    assert "Stopped before" in said(drawn(app))
    worker.problem = None
    worker.again.clear()
    press(app, "moved-ask-again")
    assert worker.again == [True] and "gives A 18 less" in said(app)


def test_a_side_without_a_reply_is_said_and_the_other_is_coloured(app, worker):
    other = AppTest.from_function(script, args=(app.args[0], 1), default_timeout=300)
    press(drawn(other), "moved-ask")
    assert "A: This side has no reply" in said(other)
    assert "Without “No”, minilm-harmless gives B 3.0 less" in said(other)
    sentence_by_sentence(other)
    assert "This side has no reply" in said(other)


def test_a_reply_of_ones_own_is_rated_beside_the_two(app, worker):
    app.text_area[0].set_value(f"Longest of all {HOSTILE} {HOSTILE}")
    press(app, "own-ask")
    assert "ivan/minilm-harmless: your reply beats the chosen one (yours +94; chosen +48; " in said(
        app
    )
    app.text_area[0].set_value("Short.")
    assert "beats" not in said(drawn(app))
    press(app, "own-ask")
    assert "your reply does not beat the chosen one" in said(app)


def test_an_empty_reply_is_refused_and_the_pair_stays(app, worker):
    press(app, "own-ask")
    assert "There is no reply yet." in said(app)
    press(app, "moved-ask")
    assert "gives A 18 less" in said(app)


def test_each_models_progress_can_be_seen_and_cancelled(app, worker):
    worker.waits_for = "all"
    app.text_area[0].set_value("Mine.")
    press(app, "own-ask")
    assert said(app).count("Scoring with it") == 2
    press(app, "own-cancel-q-control")
    assert worker.cancelled == ["q-control"]


def test_shading_never_lets_text_be_markup():
    shown = shaded(["<script>x</script> ", "</span>"], [0.5, -1.0])
    assert "&lt;script&gt;" in shown and "<script" not in shown and "&lt;/span&gt;" in shown
    assert "1: +0.5" in shown and "underline solid 1.5px" in shown
    assert "2: −1.0" in shown and "underline dotted" in shown


@pytest.mark.parametrize("dark", [True, False])
def test_the_bars_tell_their_numbers_in_words(dark):
    chart = effect_bars([0.5, -0.25, None], dark=dark).to_dict()
    assert chart["description"] == (
        "What each of 3 sentences adds to the reward. 1: +0.50, 2: −0.25, 3: –."
    )
    assert chart["width"] == "container"
    assert effect_bars([], dark=dark) == "What each sentence adds to the reward is not known."
