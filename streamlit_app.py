"""Home: one sentence, one button; afterwards what was found and what comes next."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.engine.machine import equipment
from ivan_core.engine.studies import study_of
from ivan_core.experiments.compare import kind as compare
from ivan_core.experiments.compare.findings import findings
from ivan_core.experiments.compare.results import Results, open_results
from pages.components.kit.frame import frame, problems_shown
from pages.components.kit.state import PAGE_OF, REWRITE, TAXONOMY, page_of
from pages.components.kit.text import md_escape, say

_RECENT = 5
_LOOKED_AT = 5
"""How many of the newest finished comparisons may be damaged before Home says so."""
_NEXT = (
    (TAXONOMY, "See the labels", "Label the texts"),
    (REWRITE, "See the rewordings", "Reword the pairs"),
)
"""The stages of a study after the comparison: their page, and its link with and without a run."""


def _start() -> None:
    """The one button."""
    spec = compare.preset_spec("demo")
    plan = compare.plan(spec)
    took = plan.takes.words if plan.takes else "about a minute"
    if st.button(f"Judge the sample with two models, {took}", type="primary", key="first"):
        run_id, _ = runs.start(spec)
        st.session_state["run"] = run_id
        st.switch_page("pages/compare.py", query_params={"run": run_id})
    pairs = f"{plan.pairs:,} bundled pairs" if plan.pairs is not None else "Bundled pairs"
    say(
        f"{pairs}, two small models that ship with IVAN. Nothing is downloaded or sent.",
        "small",
        quiet=True,
    )


def _results(results: Results) -> None:
    """What the newest finished run found, and where to go from there."""
    about = results.dataset.about
    say(f"Found in {about['label']}, run {results.run.id}. {about['note']}".strip(), quiet=True)
    _found(results)
    _stages(results)


def _found(results: Results) -> None:
    """Findings as sentences that lead to their rows."""
    for i, finding in enumerate(findings(results)):
        with st.container(border=True, key=f"finding-{i}"):
            say(finding.sentence, "lead")
            if finding.row is not None:
                st.page_link(
                    "pages/pairs.py",
                    label=f":primary[{md_escape(finding.link)} →]",
                    query_params={"run": results.run.id, "row": str(finding.row)},
                )


def _stages(results: Results) -> None:
    """The study's four stages and the next step."""
    study = None
    with problems_shown():  # a team's database may be away
        study = study_of(results.run.id)
    if study is not None:
        say(study.sentence)
    with st.container(horizontal=True):
        st.page_link(
            "pages/compare.py",
            label=":primary[See the whole comparison →]",
            query_params={"run": results.run.id},
        )
        st.page_link(
            "pages/pairs.py",
            label=":primary[Read the pairs →]",
            query_params={"run": results.run.id},
        )
        newest_of = study.newest if study else {}
        for page, see, make in _NEXT:
            of_page = [run_id for kind, run_id in newest_of.items() if PAGE_OF[kind] == page]
            newest = min(of_page, default=None, key=study.runs.index) if study else None
            st.page_link(
                page,
                label=f":primary[{see if newest else make} →]",
                query_params={"run": newest} if newest else None,
            )
        asked = study is not None and study.stages[-1].done is not None
        st.page_link(
            "pages/review.py",
            label=f":primary[{'See the reviews' if asked else 'Ask people'} →]",
        )


def _recent(found: list[Run]) -> None:
    st.subheader("Recent runs", anchor=False)
    for run in found:
        label = f"{run.id}: {runs.about(run)}, {run.state}"
        st.page_link(
            page_of(run), label=f":primary[{md_escape(label)}]", query_params={"run": run.id}
        )


def _more() -> None:
    with st.expander("When you want more"):
        for thing in equipment():
            mark, hint = ("✓", "") if thing.present else ("–", thing.hint)
            say(f"{mark} {thing.name}. {hint}".strip())


with frame("Home"):
    st.title("What does a preference dataset really teach a reward model?", anchor=False)
    recent = runs.experiments(_RECENT)
    done = runs.newest_done("compare", _LOOKED_AT)
    live = next(iter(runs.live_experiments()), None)
    if live is not None:
        say("A run is at work.", "lead")
        st.page_link(page_of(live), label=":primary[Watch it →]", query_params={"run": live.id})
    elif not done:
        say(
            "A reward model scores replies; in RLHF it stands in for people. IVAN puts such models "
            "to the test, pair by pair, and shows you where they side with the choice and where "
            "they do not.",
            "lead",
        )
        _start()
    if done:
        with problems_shown():
            whole = next(runs.opened(done, open_results), None)
            _results(whole or open_results(done[0].id))
    if recent:
        _recent(recent)
    _more()
