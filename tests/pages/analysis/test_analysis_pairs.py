"""The pairs behind the numbers of the page Analysis, and its numbers of some pairs alone."""

from __future__ import annotations

from given.made_analyses import OTHER, PLAIN, Analysing

from ivan_core.experiments.analysis import numbers
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.sentences.words import AGAINST as _AGAINST, CHANGED as _CHANGED
from pages.components.analysis.results import _TABS

ANALYSIS = "pages/analysis.py"
AGAINST, CHANGE = (str(list(_TABS).index(one)) for one in (_AGAINST, _CHANGED))


def leads_to(page, words: str) -> list[str]:
    return [to for label, to in page.links.items() if words in label]


def test_each_count_before_and_after_opens_its_pairs(analysing: Analysing, open_page):
    compared, chooser = analysing.compared((PLAIN, OTHER)), analysing.choosing()
    run_id = analysing.analysed(compared, chooser, before=OTHER, after=PLAIN)
    page = open_page(ANALYSIS, run=run_id, view=CHANGE)
    cells = open_analysis(run_id).table("regimes", labeler=chooser)
    got = cells[(cells["regime"] == "got") & (cells["labeler_prefers"] == "chosen")]
    asked = leads_to(page, f"{got['pairs'].iloc[0]} the chosen reply")
    (to,) = [one for one in asked if "regime~got" in one]
    assert to.startswith(f"compare?run={compared}&and={run_id}") and "prefer" in to
    assert f"Got aligned: {cells[cells['regime'] == 'got']['pairs'].sum()}" in page.said
    net = "McNemar's exact test (mid-p) on"
    assert "Net: " in page.said and net in page.said
    told = f"These may be pairs that {PLAIN} was trained on: its card does not list them."
    assert told in page.said or "By its card" in page.said


def test_conditions_narrow_the_first_two_questions_and_nothing_is_clear_there(
    analysing: Analysing, open_page
):
    compared, labelled = analysing.compared((PLAIN, OTHER)), analysing.labelled()
    run_id = analysing.analysed(compared, labelled)
    whole = open_page(ANALYSIS, run=run_id)
    assert "chosen after looking" not in whole.said and "explain" in whole.said
    page = open_page(ANALYSIS, run=run_id, longer="chosen")
    assert " of 60 pairs, chosen after looking: the longer reply was chosen." in page.said
    assert "Chosen after looking (the longer reply was chosen): alike in all else" in page.said
    assert "Clear" not in page.said and "Not clear." not in page.said
    assert not [key for key in page.buttons if key.startswith("figure-")]
    (to,) = leads_to(page, "See these ")
    assert to == f"compare?run={compared}&longer=chosen"
    assert all("longer=chosen" in to and "behind" in to for to in leads_to(page, "See the "))
    page.press("analysis-chip-longer")
    assert "chosen after looking" not in page.said
    verdict = {"and": f"{compared}~compare.verdict~{PLAIN}~agree"}
    page = open_page(ANALYSIS, run=run_id, view=AGAINST, **verdict)
    assert f"{PLAIN} goes against " in page.said and " in 0% of " in page.said
    assert "numbers follow from it" in page.said and "[" not in page.said.split("goes against")[1]
    page = open_page(ANALYSIS, run=run_id, view=CHANGE, longer="chosen")
    assert "conditions count on the first two questions alone" in page.said
    page = open_page(ANALYSIS, run=run_id, starred="yes")
    assert "0 of 60 pairs, chosen after looking: starred." in page.said and not page.app.error


def test_numbers_of_many_picked_pairs_wait_for_a_press(
    analysing: Analysing, open_page, monkeypatch
):
    run_id = analysing.analysed(analysing.compared((PLAIN,)), analysing.labelled())
    monkeypatch.setattr(numbers, "AT_ONCE", 10)
    page = open_page(ANALYSIS, run=run_id, longer="chosen")
    assert "Alike" not in page.said and "alike" not in page.said
    (go,) = [key for key in page.buttons if key.endswith("-go") and key.startswith("picked")]
    page.press(go)
    assert "alike in all else in this table" in page.said
