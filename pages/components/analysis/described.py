"""Under what a model rewards: how many pairs people described whole, and asking for more."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.metrics.imprint.corrected import LEAST_REVIEWED
from ivan_core.review.whole_pairs import asking_of_pairs, described, queues_of_pairs
from pages.components.kit.frame import problems_shown
from pages.components.kit.state import ANALYSIS, ASK, REVIEW, choose_run
from pages.components.kit.study import in_study
from pages.components.kit.text import in_one, md_escape, say
from pages.components.public.reading import only_reads

ANEW = "Analyse these pairs anew, with what people described"


def whole_pairs(analysed: Analysed, labeler: str) -> None:
    """Say how many pairs people described whole, and offer what comes next; nothing of authored
    labels, which nobody has to check."""
    if analysed.labeler(labeler).authored:
        return
    with problems_shown():
        done = described(analysed, labeler)
        known = max(analysed.used(model, labeler).get("reviewed", 0) for model in analysed.models)
        if done.whole >= LEAST_REVIEWED and done.whole <= known:
            return
        if done.sentence:
            say(done.sentence, "small", quiet=True)
        if done.whole >= LEAST_REVIEWED:
            _anew(analysed)
            return
        if only_reads():
            return
        try:
            asking = asking_of_pairs(analysed, labeler, done)
        except BadInput as problem:
            say(in_one(problem.message, problem.hint), "small", quiet=True)
            return
        if asking is not None:
            label = f":primary[{md_escape(asking.does)}: {md_escape(asking.terms)} →]"
            query = {**in_study(), ASK: "~".join(asking.runs)}
            st.page_link(REVIEW, label=label, query_params=query)
        elif queues_of_pairs(analysed.dataset):
            label = ":primary[See how far they are on Review →]"
            st.page_link(REVIEW, label=label, query_params=in_study())


def _anew(analysed: Analysed) -> None:
    """Once people described enough, and more than this analysis knew of, it can be made again."""
    if not only_reads() and st.button(ANEW, key="analysis-people"):
        run_id, _ = runs.start(analysed.spec)
        choose_run(run_id, ANALYSIS)
        st.rerun()
