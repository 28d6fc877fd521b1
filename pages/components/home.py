"""What stands on Home: the first visit, with one button; what the newest comparison found, and what
comes next.
"""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import access, handling as runs, studies
from ivan_core.engine.machine import equipment
from ivan_core.engine.own_pairs import Found
from ivan_core.engine.studies import About, study_of
from ivan_core.experiments.compare import plan as compare
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.sentences import findings, models_on_row
from ivan_core.metrics.margin_words import ABOUT_MARGINS
from pages.components.kit.frame import problems_shown
from pages.components.kit.state import COMPARE, PAIRS, REVIEW, REWRITE, TAXONOMY, page_of_kind
from pages.components.kit.study import STUDY, begin_with
from pages.components.kit.text import in_one, md_escape, say
from pages.components.study.own_pairs import ask_for_pairs, look_at, show_found


def first_visit() -> None:
    """What IVAN is for, and two ways to begin: with the sample, or with pairs of one's own."""
    say(
        "A reward model scores replies; in RLHF it stands in for people. IVAN puts such models "
        "to the test, pair by pair, and shows you where they side with the choice and where "
        "they do not.",
        "lead",
    )
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch", key="begin-sample"):
        st.subheader("See it on bundled pairs", anchor=False)
        _sample()
    if access.asking().trusted:
        with right, st.container(border=True, height="stretch", key="begin-own"):
            st.subheader("Or bring your own pairs", anchor=False)
            asked = ask_for_pairs("home")
        if asked is not None:
            look_at(asked, "home", _judge_all)


def _sample() -> None:
    spec = compare.preset_spec("demo")
    plan = compare.plan(spec)
    took = plan.takes.words if plan.takes else "about a minute"
    if st.button(f"Judge the sample with two models, {took}", type="primary", key="first"):
        _start(spec)
    pairs = f"{plan.pairs:,} bundled pairs" if plan.pairs is not None else "Bundled pairs"
    say(
        f"{pairs}, two small models that ship with IVAN. Nothing is downloaded or sent.",
        "small",
        quiet=True,
    )


def _start(spec: CompareSpec) -> None:
    run_id, _ = runs.start(spec)
    st.session_state["run"] = run_id
    st.switch_page(COMPARE, query_params={"run": run_id})


def _judge_all(request: DatasetRequest, found: Found) -> None:
    """Offer to judge all pairs of a dataset, or to begin a study with them."""
    rows = RowsSpec(dataset=request)
    _judge(rows)
    if st.button("Only begin a study with them", key="home-keep"):
        about = begin_with(rows)
        st.query_params.from_dict({STUDY: about.id})
        st.rerun()


def _judge(rows: RowsSpec) -> None:
    """Offer to judge some rows with the models of the preset."""
    asked = rows.model_dump(exclude={"dataset"})
    spec = compare.preset_spec().model_copy(update={"dataset": rows.dataset, **asked})
    plan = compare.plan(spec)
    took = f", {plan.takes.words}" if plan.takes else ""
    pairs, models = number_of(plan.pairs or 0, "pair"), number_of(plan.models, "model")
    if st.button(f"Judge {pairs} with {models}{took}", type="primary", key="home-judge"):
        begin_with(rows)
        _start(spec)
    say(f"{', '.join(spec.models)}. Nothing is sent anywhere.", "small", quiet=True)
    for note in plan.notes:
        say(note, "small", quiet=True)


def not_judged(study: About) -> None:
    """A study whose pairs no model has judged: what they are, and the button that starts it."""
    show_found(study.spec.dataset, lambda _, __: _judge(study.spec))
    with problems_shown():  # a team's database may be away
        whole = studies.find(study.id)
        if whole is not None:
            say(whole.sentence)


def this_machine() -> None:
    """What this machine has, and how to get what it has not."""
    with st.expander("When you want more"):
        for thing in equipment():
            mark = "✓" if thing.present else "–"
            say(in_one(f"{mark} {thing.name}.", "" if thing.present else thing.hint))


_NEWEST = 5
_NEXT = (
    (TAXONOMY, "See the labels", "Label the texts"),
    (REWRITE, "See the rewordings", "Reword the pairs"),
)
"""The stages of a study after the comparison: their page, and its link with and without a run."""


def comparisons(study: About | None) -> Iterator[Run]:
    """The finished comparisons of a study, newest first; of all where there is no study."""
    if study is None:
        yield from runs.newest_done("compare", _NEWEST)
        return
    for run in studies.runs_of(study.id):
        if run.kind == "compare" and run.state is RunState.DONE:
            yield run


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
                st.caption(md_escape(models_on_row(results, finding.row)), help=ABOUT_MARGINS)
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
