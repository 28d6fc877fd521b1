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
from ivan_core.experiments.compare import ablation as warm
from ivan_core.experiments.compare.ablation import Answer, Pending, Stopped
from ivan_core.runs.registry import Registry
from pages.components.pair.what_moved import shaded

ASK = "\n\nHuman: How?\n\nAssistant:"
HOSTILE = "<img src=x onerror=alert(1)> **b** $x$."


def script(run_id: str, row: int) -> None:
    from ivan_core.experiments.compare.results import open_results
    from pages.components.pair.what_moved import effects, own_reply

    results = open_results(run_id)
    effects(results, row)
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
        if self.waits_for == "all" or (self.waits_for == "flip" and len(texts) == 2):
            return Answer(pending=Pending(f"q-{model.name[-7:]}", "Scoring with it", 1, 4))
        return Answer({t.hash: Reward(float(len(t.reply or "")), t.text == "") for t in texts})


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    fake = Worker()
    monkeypatch.setattr(warm, "ask", fake.ask)
    monkeypatch.setattr(warm, "cancel", fake.cancelled.append)
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


def test_nothing_is_asked_before_somebody_asks(app, worker):
    assert not worker.again and not said(app)
    assert app.selectbox(key="effects-side").options == ["A · chosen", "B · rejected"]


def test_the_effects_and_the_flip_are_drawn(app, worker):
    press(app, "effects-ask")
    assert "Without sentence 2, ivan/minilm-harmless gives the reply 40 less" in said(app)
    assert "Without sentence 2, ivan/minilm-harmless prefers B: no shorter deletion" in said(app)
    assert "aaa. 1: +5 " in said(app)
    assert f"{HOSTILE} 2: +40 Cc. 3: +4" in said(app)
    assert all("<img" not in html.body for html in app.get("html"))
    assert len(app.get("vega_lite_chart")) == 1
    assert worker.again[0]


def test_the_effects_are_a_figure_once_they_are_known(app, worker, data_dir):
    press(app, "effects-ask")
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


def test_the_other_side_and_model_are_asked_for_by_pressing_again(app, worker):
    press(app, "effects-ask")
    app.selectbox(key="effects-side").select("rejected")
    assert "sentence" not in said(drawn(app))
    press(app, "effects-ask")
    assert "No deletion makes ivan/minilm-harmless prefer B: all 2 were tried." in said(app)


def test_while_it_is_worked_at_there_is_progress_and_cancel(app, worker):
    worker.waits_for = "all"
    press(app, "effects-ask")
    assert "Scoring with it · 1 of 4 texts" in said(app)
    press(app, "effects-cancel-q-armless")
    assert worker.cancelled == ["q-armless"]
    worker.waits_for = "flip"
    drawn(app)
    assert "gives the reply 40 less" in said(app)
    assert "Looking for the shortest deletion: Scoring with it" in said(app)
    worker.waits_for = ""
    drawn(app)
    assert "prefers B" in said(app) and "Scoring" not in said(app)


def test_problems_are_said_in_place_and_asked_anew_by_a_press(app, worker):
    worker.problem = BackendUnavailable("The hub does not answer.", "Try later.")
    press(app, "effects-ask")
    assert "The hub does not answer.\nTry later." in said(app)
    worker.problem = Stopped("Stopped before the rewards were there.")
    assert "Stopped before" in said(drawn(app))
    worker.problem = None
    worker.again.clear()
    press(app, "effects-ask")
    assert worker.again[0] is True and "prefers B" in said(app)


def test_a_side_without_a_reply_is_said(app, worker):
    other = AppTest.from_function(script, args=(app.args[0], 1), default_timeout=300)
    press(drawn(other), "effects-ask")
    assert "This side has no reply" in said(other)


def test_a_reply_of_ones_own_is_rated_beside_the_two(app, worker):
    app.text_area[0].set_value(f"Longest of all {HOSTILE} {HOSTILE}")
    press(app, "own-ask")
    assert "✓ beats the chosen one · ivan/minilm-harmless: yours +94 · A, chosen +48" in said(app)
    app.text_area[0].set_value("Short.")
    assert "beats" not in said(drawn(app))
    press(app, "own-ask")
    assert "✗ does not beat the chosen one" in said(app)


def test_an_empty_reply_is_refused_and_the_pair_stays(app, worker):
    press(app, "own-ask")
    assert "There is no reply yet." in said(app)
    press(app, "effects-ask")
    assert "prefers B" in said(app)


def test_each_models_progress_can_be_seen_and_cancelled(app, worker):
    worker.waits_for = "all"
    app.text_area[0].set_value("Mine.")
    press(app, "own-ask")
    assert said(app).count("Scoring with it") == 2
    press(app, "own-cancel-q-control")
    assert worker.cancelled == ["q-control"]


def test_shading_never_lets_text_be_markup():
    html = shaded(["<script>x</script> ", "</span>"], [0.5, -1.0])
    assert "&lt;script&gt;" in html and "<script" not in html and "&lt;/span&gt;" in html
    assert "1: +0.5" in html and "underline 1.5px" in html
    assert "2: -1.0" in html and "underline dotted" in html


@pytest.mark.parametrize("dark", [True, False])
def test_the_bars_tell_their_numbers_in_words(dark):
    chart = effect_bars([0.5, -0.25, None], dark=dark).to_dict()
    assert chart["description"] == (
        "What each of 3 sentences adds to the reward. 1: +0.50, 2: -0.25, 3: –."
    )
    assert chart["width"] == "container"
    assert effect_bars([], dark=dark) == "What each sentence adds to the reward is not known."
