"""One labelling: which of its steps are done, the one to do now, and what came of it so far."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.estimates import Estimate
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import LabelSpec, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.labels.plan import choice_words
from ivan_core.models import servers
from ivan_core.models.names import is_rules
from pages.components.kit.frame import problems_shown
from pages.components.kit.live import live
from pages.components.labels.again import (
    ask_again_for_the_rest,
    ask_all_again,
    command,
    details,
    reconciliation,
)
from pages.components.labels.cost import cost_to_accept, not_prepared, preparing
from pages.components.labels.demo import demo_banner, pretended
from pages.components.labels.follow import FOUND, following, not_followed, once_more, stopped
from pages.components.labels.live import PANEL
from pages.components.labels.results import label_results
from pages.components.labels.steps import CHOOSE, COST, FOLLOW, closed_step, open_step


def direct(run: Run) -> None:
    """A labelling text by text, by rules or on Ollama."""
    spec = runs.spec_of(run, LabelSpec)
    if not is_rules(spec.labeler) and servers.ollama_is_demo():
        pretended(
            "The demo server answers in place of Ollama.",
            "It pretends to have models, and answers by rules.",
        )
    closed_step(CHOOSE, choice_words(spec))
    closed_step(COST, "nothing is paid")
    if run.state is RunState.DONE:
        read = "files" in runs.imported_from(run)
        closed_step(FOLLOW, "read from files" if read else "every text was asked for")
        label_results(run.id)
        command(run)
        return
    with open_step(FOLLOW):
        if run.state.live:
            live(run.id, PANEL)
        else:
            stopped(run)


def batches(run: Run) -> None:
    """A labelling with batches of a provider."""
    spec = runs.spec_of(run, TaxonomySpec)
    demo_banner(spec.base_url)
    if st.session_state.get(FOUND) == run.id:
        once_more(run)
    closed_step(CHOOSE, choice_words(spec))
    job = taxonomy.job(run.id)
    estimate, confirmed = job.estimate(), job.confirmed()
    if run.state is RunState.AWAITING_CONFIRMATION and estimate is not None:
        with open_step(COST):
            cost_to_accept(run, estimate)
        closed_step(FOLLOW, "what came so far is below" if confirmed else "")
    elif run.state is RunState.DONE:
        closed_step(COST, _accepted(estimate))
        closed_step(FOLLOW, "nothing is at work any more")
    elif confirmed:
        closed_step(COST, "accepted" if estimate else "sent from elsewhere")
        with open_step(FOLLOW):
            (following if run.state.live else not_followed)(run)
    else:
        with open_step(COST):
            (preparing if run.state.live else not_prepared)(run)
        closed_step(FOLLOW)
    if not run.state.live and (confirmed or run.state is RunState.DONE):
        _after(run)


def _accepted(estimate: Estimate | None) -> str:
    if estimate is None:
        return "nothing was sent from here"
    return "accepted" if estimate.requests else estimate.reused_sentence.rstrip(".")


def _after(run: Run) -> None:
    """What came of it so far."""
    counts = taxonomy.counts(run.id)
    if counts is None:
        return
    ask_again_for_the_rest(run, counts)
    ask_all_again(run)
    if run.state is RunState.DONE:
        with problems_shown():
            label_results(run.id)
    else:
        reconciliation(counts)
    details(run)


ONE_RUN = {"labels": direct, "taxonomy": batches}
"""What draws one labelling, by its kind."""
