"""Taking finished labels away from their page: a figure below each chart, and sentences."""

from __future__ import annotations

import pytest
from given.made_labellings import FIRST, REFUSAL, SENTIMENT, TOPICS

from ivan_core.engine.figures import caption, methods, quotes, source_line

TAXONOMY = "pages/taxonomy.py"


def codes(page) -> list[str]:
    return [code.value for code in page.app.code]


def figure_buttons(page) -> list[str]:
    return [key for key, label in page.buttons.items() if label == "Figure"]


def test_every_chart_has_its_figure(second, first, open_page):
    wanted = {
        "0": ["prevalence", "sides"],
        "1": ["topics"],
        "2": [],  # no label of so few texts goes with another, which a sentence says
        "3": ["same-answers", "answers", "labeler-agreement"],
    }
    for view, names in wanted.items():
        keys = figure_buttons(open_page(TAXONOMY, run=first, view=view))
        assert len(keys) == len(names)
        assert all(key.startswith(f"figure-{name}-") for key, name in zip(keys, names, strict=True))


def test_a_figure_gives_the_words_of_what_is_shown(second, first, open_page):
    page = open_page(TAXONOMY, run=first, feature=f"{SENTIMENT}:negative")
    page.press(figure_buttons(page)[1])
    shown = {"label": f"{SENTIMENT}:negative"}
    assert caption(first, "sides", **shown) in codes(page)
    assert methods(first, "sides", **shown) in codes(page)
    assert f"ivan figure {first} sides --format svg --width 85 --label {SENTIMENT}:negative" in (
        codes(page)
    )


@pytest.mark.parametrize("compared", [REFUSAL, SENTIMENT, TOPICS])
def test_a_figure_of_two_labelers_is_of_those_on_the_page(
    labellings, second, first, open_page, compared
):
    labellings.made("third", FIRST)
    page = open_page(TAXONOMY, run=first, view="3", compared=compared, **{"with": second})
    page.press(figure_buttons(page)[0])
    assert caption(first, "same-answers", other=second) in codes(page)
    page = open_page(TAXONOMY, run=first, view="3", compared=compared, **{"with": second})
    page.press(figure_buttons(page)[2])
    assert caption(first, "labeler-agreement", other=second) in codes(page)
    page = open_page(TAXONOMY, run=first, view="3", compared=compared, **{"with": second})
    page.press(figure_buttons(page)[1])
    (command,) = [code for code in codes(page) if code.startswith(f"ivan figure {first} answers")]
    assert f"--other {second}" in command and f"--label {compared}" in command.replace("'", "")


def test_sentences_are_there_when_asked_for(second, first, open_page):
    page = open_page(TAXONOMY, run=first)
    assert source_line(first) not in codes(page)
    page.app.session_state["sentences"] = True
    page.run()
    assert source_line(first) in codes(page)
    told = quotes(first)
    assert f"{told[0].sentence}\n{told[0].command}" in codes(page)
    page.app.session_state["sentences-about"] = "Do labelers agree?"
    page.run()
    assert any(code.startswith("first and second: Of the 4 texts") for code in codes(page))
