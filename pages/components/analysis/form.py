"""The form that starts an analysis: what it joins, what is missing, and the button."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.engine.studies import About
from ivan_core.experiments.analysis.plan import (
    comparison_of_study,
    comparisons_of_study,
    labels_asked,
    labels_of_study,
    models_of,
    rewordings_at_hand,
    rewordings_of_study,
    spec_of_runs,
)
from ivan_core.experiments.analysis.results import WhoLabelled
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.labels.results import labeler_of
from ivan_core.labels.schema import features
from ivan_core.metrics.imprint.rows import CONTROLS
from pages.components.kit.frame import list_of_runs, show_error
from pages.components.kit.state import ANALYSIS, COMPARE, TAXONOMY, choose_run
from pages.components.kit.study import STUDY, study_now
from pages.components.kit.text import md_escape, say
from pages.components.public.reading import told_instead

CONTROL_WORDS = {
    "length": "how long the replies are",
    "none": "nothing",
    "chosen": "length, and being chosen",
}
"""What can stand beside the labels, in words."""
_RECENT = 8
OF, LABELERS, REWORDING = "analysis-of", "analysis-labelers", "analysis-rewording"
TOGETHER = ("analysis-together", "analysis-together-other")
"""Which runs are joined, in the session."""


def analysis_form() -> None:
    """Say what would be joined, or what is missing and where it is got, and start it."""
    say(
        "Rewards and labels of the same pairs are joined, row by row. What do the models reward,"
        " which pairs show it, and what must not be concluded?",
        "lead",
    )
    about = study_now()
    comparison, compared = _compared(about)
    labelled = labels_of_study(comparison) if comparison else []
    if comparison is None or not labelled:
        somewhere = about is None and bool(runs.newest_done("compare"))
        _missing(about, comparison is not None or somewhere)
    else:
        _begin(comparison, compared, labelled)
    earlier = runs.every("analysis")[:_RECENT]
    list_of_runs("Earlier analyses", earlier, runs.about, lambda run: f"{run.label}: {run.state}")


def _compared(about: About | None) -> tuple[str | None, list[str]]:
    """The comparison to analyse and all that the study has: the one that was chosen, or that a
    filled form is of, else the newest."""
    offered = comparisons_of_study(about.id) if about else []
    asked = st.session_state.get(OF)
    if asked not in offered:
        st.session_state.pop(OF, None)
        asked = comparison_of_study(about.id if about else None)
    return asked, offered


def _missing(about: About | None, judged: bool) -> None:
    """What these pairs lack, and the page that has it done."""
    query = {STUDY: about.id} if about else {}
    with st.container(border=True):
        if judged:
            say("These pairs are judged, but nobody has labelled them yet.", "lead")
            st.page_link(TAXONOMY, label=":primary[Label them →]", query_params=query)
        else:
            say("No reward model has judged these pairs yet.", "lead")
            st.page_link(COMPARE, label=":primary[Judge them →]", query_params=query)


def _begin(comparison: str, compared: list[str], newest: list[str]) -> None:
    asked_for = [one for one in st.session_state.get(LABELERS, ()) if one not in newest]
    labelled = [*newest, *asked_for]  # a filled form may be of older ones
    names = {one: WhoLabelled(one, labeler_of(one) or one).named for one in labelled}
    names |= {one: f"{names[one]}, run {one}" for one in asked_for}
    with st.expander("More options"):
        if len(compared) > 1:
            st.session_state[OF] = comparison
            st.selectbox("Comparison", compared, key=OF, format_func=_run_named)
        chosen = _several("Labelers", labelled, newest, LABELERS, names.__getitem__)
        here = models_of(comparison)
        models = list(here)
        if len(here) > 1:
            models = _several("Reward models", models, models, "analysis-models", str)
        control = st.selectbox(
            AnalysisSpec.model_fields["control"].title or "",
            CONTROLS,
            key="analysis-control",
            format_func=CONTROL_WORDS.__getitem__,
            help=AnalysisSpec.model_fields["control"].description,
        )
        first_try = st.checkbox(
            AnalysisSpec.model_fields["first_try"].title or "",
            key="analysis-first-try",
            help=AnalysisSpec.model_fields["first_try"].description,
        )
        before, after = _two_models(comparison)
        together = _two_labels(chosen)
        rewording = _rewording(comparison)
    if not chosen or not models:
        say(f"Choose at least one {'reward model' if chosen else 'labeler'}.")
        return
    try:
        spec = spec_of_runs(
            [comparison],
            models=tuple(models),
            labelers=tuple(chosen),
            before=before,
            after=after,
            control=control,
            first_try=first_try,
            rewording=rewording,
            interaction=together,
        )
    except IvanError as error:
        show_error(error)
        return
    told = ", ".join(names[run_id] for run_id in chosen)
    reworded = f", rewording of run {rewording}" if rewording else ""
    say(
        f"{number_of(len(spec.models), 'model')} of run {comparison}, labels of {told}{reworded}."
        " Nothing is sent or paid."
    )
    if not told_instead() and st.button("Analyse, a few seconds", type="primary", key="analyse"):
        run_id, _ = runs.start(spec)
        choose_run(run_id, ANALYSIS)
        st.rerun()


def _several(
    label: str, options: list[str], first: list[str], key: str, named: Callable[[str], str]
) -> list[str]:
    """Ask for some of a list; `first` are chosen until others are, or the form is filled."""
    if key not in st.session_state:
        st.session_state[key] = first
    st.session_state[key] = [one for one in st.session_state[key] if one in options]
    return st.multiselect(label, options, key=key, format_func=named)


def _run_named(run_id: str) -> str:
    return f"run {run_id}" if run_id else "none"


def _rewording(comparison: str) -> str:
    """The rewording of the study to join, or one of other rows of its dataset; empty for none."""
    offered = [*rewordings_at_hand(comparison), ""]
    if len(offered) == 1:
        return ""
    if st.session_state.get(REWORDING) not in offered:
        own = [run.id for run in rewordings_of_study(comparison)]
        st.session_state[REWORDING] = offered[0] if offered[0] in own else ""
    field = AnalysisSpec.model_fields["rewording"]
    return st.selectbox(
        field.title or "", offered, key=REWORDING, format_func=_run_named, help=field.description
    )


def _two_labels(chosen: list[str]) -> str:
    """The two labels of which one asks what both together add; empty for none."""
    known = labels_asked(chosen)
    if len(known) < 2:
        return ""
    titles = {one.key: one.title for one in features()}
    field = AnalysisSpec.model_fields["interaction"]
    first, second = st.columns(2)
    one = first.selectbox(
        field.title or "",
        ("", *known),
        key=TOGETHER[0],
        format_func=lambda key: titles.get(key, "not asked"),
        help=field.description,
    )
    if not one:
        return ""
    other = second.selectbox(
        "and", [key for key in known if key != one], key=TOGETHER[1], format_func=titles.__getitem__
    )
    return f"{one}:{other}"


def _two_models(comparison: str) -> tuple[str, str]:
    """The model before and the one after training; two empty names for nobody's."""
    models = models_of(comparison)
    fields = AnalysisSpec.model_fields
    if len(models) < 2:
        return "", ""
    left, right = st.columns(2)
    before, after = (
        column.selectbox(
            fields[name].title or name,
            ("", *models),
            key=f"analysis-{name}",
            format_func=lambda model: md_escape(model) if model else "not named",
            help=fields[name].description,
        )
        for name, column in (("before", left), ("after", right))
    )
    return before, after
