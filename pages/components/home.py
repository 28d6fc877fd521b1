"""What stands on Home: the first visit, with one button; what the newest comparison found, and what
comes next.
"""

from __future__ import annotations

import streamlit as st

from ivan_core.engine import handling as runs
from ivan_core.engine.machine import equipment
from ivan_core.engine.studies import study_of
from ivan_core.experiments.compare import plan as compare
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.sentences import findings, models_on_row
from pages.components.kit.frame import problems_shown
from pages.components.kit.state import COMPARE, PAIRS, REVIEW, REWRITE, TAXONOMY, page_of_kind
from pages.components.kit.text import in_one, md_escape, say


def first_visit() -> None:
    """What IVAN is for, and the one button."""
    say(
        "A reward model scores replies; in RLHF it stands in for people. IVAN puts such models "
        "to the test, pair by pair, and shows you where they side with the choice and where "
        "they do not.",
        "lead",
    )
    spec = compare.preset_spec("demo")
    plan = compare.plan(spec)
    took = plan.takes.words if plan.takes else "about a minute"
    if st.button(f"Judge the sample with two models, {took}", type="primary", key="first"):
        run_id, _ = runs.start(spec)
        st.session_state["run"] = run_id
        st.switch_page(COMPARE, query_params={"run": run_id})
    pairs = f"{plan.pairs:,} bundled pairs" if plan.pairs is not None else "Bundled pairs"
    say(
        f"{pairs}, two small models that ship with IVAN. Nothing is downloaded or sent.",
        "small",
        quiet=True,
    )


def this_machine() -> None:
    """What this machine has, and how to get what it has not."""
    with st.expander("When you want more"):
        for thing in equipment():
            mark = "✓" if thing.present else "–"
            say(in_one(f"{mark} {thing.name}.", "" if thing.present else thing.hint))


_NEXT = (
    (TAXONOMY, "See the labels", "Label the texts"),
    (REWRITE, "See the rewordings", "Reword the pairs"),
)
"""The stages of a study after the comparison: their page, and its link with and without a run."""


def found_in(results: Results) -> None:
    """What a finished comparison found, and where to go from there."""
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
                say(models_on_row(results, finding.row), "small", quiet=True)
                st.page_link(
                    PAIRS,
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
            COMPARE,
            label=":primary[See the whole comparison →]",
            query_params={"run": results.run.id},
        )
        st.page_link(
            PAIRS, label=":primary[Read the pairs →]", query_params={"run": results.run.id}
        )
        newest_of = study.newest if study else {}
        for page, see, make in _NEXT:
            of_page = [run_id for kind, run_id in newest_of.items() if page_of_kind(kind) == page]
            newest = min(of_page, default=None, key=study.runs.index) if study else None
            st.page_link(
                page,
                label=f":primary[{see if newest else make} →]",
                query_params={"run": newest} if newest else None,
            )
        asked = study is not None and study.stages[-1].done is not None
        st.page_link(REVIEW, label=f":primary[{'See the reviews' if asked else 'Ask people'} →]")
