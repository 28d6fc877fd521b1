"""The form of Analysis: what it joins, what is missing, what a duplicate fills in; and an analysis
that is no whole one here.
"""

from __future__ import annotations

from given.made_analyses import INSULT, OTHER, PLAIN, Analysing
from given.made_labellings import REFUSAL

from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs, studies
from ivan_core.experiments.analysis import work as analysis_work
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.runs.registry import Registry
from ivan_core.worker import work
from pages.components.analysis.results import _TABS
from pages.components.runs.duplicate import filled, why_not

ANALYSIS = "pages/analysis.py"


def study_of(run_id: str) -> str:
    about = studies.about_run(run_id)
    assert about is not None
    return about.id


def leads_to(page, words: str) -> list[str]:
    return [to for label, to in page.links.items() if words in label]


def test_before_anything_is_judged_the_form_says_so_and_leads_to_compare(data_dir, open_page):
    page = open_page(ANALYSIS)
    assert "No reward model has judged these pairs yet." in page.said
    assert leads_to(page, "Judge them") == ["compare?"]
    assert "analyse" not in page.buttons


def test_a_duplicate_fills_the_form_with_what_was_joined(analysing: Analysing, open_page, spawned):
    """Older labels, one of two models, the older comparison, no rewording: all as it was asked."""
    older, compared = analysing.labelled(), analysing.compared()
    analysing.labelled(), analysing.compared((PLAIN,))
    asked = spec_of_runs(
        [compared, older],
        models=(PLAIN, OTHER),
        before=PLAIN,
        after=OTHER,
        control="none",
        interaction=f"{REFUSAL}:{INSULT}",
    )
    run_id, _ = runs.start(asked.model_copy(update={"first_try": True}))
    work(Registry(analysing.data_dir), run_id)
    analysing.reworded()
    study = study_of(compared)
    page = open_page(ANALYSIS, study=study)
    for key, value in filled(runs.get(run_id)).items():
        page.app.session_state[key] = value
    page.run()
    page.press("analyse")
    assert spawned[-1] != run_id
    assert runs.get(spawned[-1]).spec == runs.get(run_id).spec
    archive.delete(older)
    assert why_not(runs.get(run_id)).startswith(f"It joins run {older}, which is not here.")


def test_pairs_that_nobody_labelled_lead_to_taxonomy(analysing: Analysing, open_page):
    study = study_of(analysing.compared())
    page = open_page(ANALYSIS, study=study)
    assert "These pairs are judged, but nobody has labelled them yet." in page.said
    assert leads_to(page, "Label them") == [f"taxonomy?study={study}"]
    assert "analyse" not in page.buttons


def test_the_form_joins_all_labels_of_the_study_and_starts(
    analysing: Analysing, open_page, spawned
):
    compared, labelled = analysing.compared(), analysing.labelled()
    page = open_page(ANALYSIS, study=study_of(compared))
    assert f"3 models of run {compared}, labels of reader:1b." in page.said
    page.press("analyse")
    (run_id,) = spawned
    assert runs.any_spec_of(runs.get(run_id)) == spec_of_runs([compared, labelled])
    assert page.app.query_params["run"] in (run_id, [run_id])


def test_a_tick_analyses_labels_that_came_valid_at_first_try(
    analysing: Analysing, open_page, spawned
):
    compared, labelled = analysing.compared(), analysing.labelled()
    page = open_page(ANALYSIS, study=study_of(compared))
    page.app.checkbox(key="analysis-first-try").check()
    page.press("analyse")
    (run_id,) = spawned
    asked = spec_of_runs([compared, labelled], first_try=True)
    assert runs.any_spec_of(runs.get(run_id)) == asked


def test_an_analysis_that_came_alone_says_what_is_not_here_and_draws_no_link_to_it(
    analysing: Analysing, open_page
):
    compared, labelled = analysing.compared(), analysing.labelled()
    run_id = analysing.analysed(compared, labelled)
    archive.delete(labelled)
    archive.delete(compared)
    for view in range(len(_TABS)):
        page = open_page(ANALYSIS, run=run_id, view=str(view))
        told = f"Not here: the comparison (run {compared}), labels (run {labelled})."
        assert told in page.said and not page.app.error
        assert leads_to(page, "Import runs") == ["runs?"]
        led = [to.partition("?")[2].split("&") for to in page.links.values()]
        assert not [one for one in led if {f"run={compared}", f"run={labelled}"} & {*one}]
        assert not [key for key in page.buttons if key.startswith(("change-", "analyse"))]


def test_one_that_failed_says_why_and_begins_anew(
    analysing: Analysing, data_dir, open_page, spawned, monkeypatch
):
    compared, labelled = analysing.compared(), analysing.labelled()

    def breaks(*_: object) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(analysis_work, "write_files", breaks)
        run_id = analysing.worked(spec_of_runs([compared, labelled]))
    assert runs.get(run_id).state is RunState.FAILED
    page = open_page(ANALYSIS, run=run_id)
    assert "An analysis takes seconds, so it begins anew." in page.said
    page.press("resume")
    assert spawned == [run_id]
    work(Registry(data_dir), run_id)
    assert f"of what {PLAIN} prefers" in open_page(ANALYSIS, run=run_id).said
