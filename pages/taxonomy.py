"""Taxonomy: label every text, with a provider's batches or with a labeler of one's own."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.estimates import Estimate
from ivan_core.domain.label_specs import LabelSpec, TaxonomySpec
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import kind as taxonomy
from ivan_core.experiments.batches import offers as taxonomy_page
from pages.components.kit.frame import frame, problems_shown
from pages.components.kit.live import live
from pages.components.kit.state import TAXONOMY, choose_run, chosen_run
from pages.components.kit.text import md_escape, say
from pages.components.labels.again import (
    ask_again_for_the_rest,
    ask_all_again,
    command,
    details,
    reconciliation,
)
from pages.components.labels.cost import cost_to_accept, not_prepared, preparing
from pages.components.labels.elsewhere import from_elsewhere
from pages.components.labels.follow import FOUND, following, not_followed, once_more, stopped
from pages.components.labels.form import label_form
from pages.components.labels.live import PANEL
from pages.components.labels.results import label_results
from pages.components.labels.steps import CHOOSE, COST, FOLLOW, closed_step, open_step, tell

_RECENT = 8


def _heading(run: Run | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Taxonomy", anchor=False)
        if run is not None and st.button("New labelling", key="new"):
            choose_run(None, TAXONOMY)
            st.rerun()


def _demo_banner(base_url: str = "") -> None:
    """Say it where nobody real answers."""
    who = taxonomy_page.provider(base_url)
    if who.demo:
        _pretended(
            f"The demo server answers at {who.host}: nothing is paid.",
            "It pretends to be OpenAI and answers by rules. Costs are shown as the real provider "
            "would charge them.",
        )


def _pretended(sentence: str, more: str) -> None:
    with st.container(border=True, key="demo"):
        say(sentence, "lead")
        say(more, "small", quiet=True)


def _new() -> None:
    say(
        "What do the texts of a preference dataset say and do? A labeler answers 19 questions "
        "about each: is the reply helpful, harmless, honest, a refusal, what is it about?",
        "lead",
    )
    _demo_banner()
    with open_step(CHOOSE):
        label_form()
    closed_step(COST)
    closed_step(FOLLOW)
    from_elsewhere()
    _earlier()


def _earlier() -> None:
    found = taxonomy_page.labellings()
    if not found:
        return
    st.subheader("Earlier labellings", anchor=False)
    for run in found[:_RECENT]:
        st.page_link(
            TAXONOMY, label=f":primary[{md_escape(runs.about(run))}]", query_params={"run": run.id}
        )
        counted = f", {run.done:,} of {run.total:,} texts" if run.total else ""
        say(f"{run.label}: {run.state}{counted}", "small", quiet=True)


def _direct(run: Run, spec: LabelSpec) -> None:
    """A labelling text by text, by rules or on Ollama."""
    if not spec.is_rules and taxonomy_page.ollama_is_demo():
        _pretended(
            "The demo server answers in place of Ollama.",
            "It pretends to have models, and answers by rules.",
        )
    closed_step(CHOOSE, taxonomy_page.choice_words(spec))
    closed_step(COST, "nothing is paid")
    if run.state is RunState.DONE:
        closed_step(FOLLOW, "every text was asked for")
        label_results(run.id)
        command(run)
        return
    with open_step(FOLLOW):
        if run.state.live:
            live(run.id, PANEL)
        else:
            stopped(run)


def _batches(run: Run, spec: TaxonomySpec) -> None:
    """A labelling with batches of a provider."""
    _demo_banner(spec.base_url)
    if st.session_state.get(FOUND) == run.id:
        once_more(run)
    closed_step(CHOOSE, taxonomy_page.choice_words(spec))
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


with frame("Taxonomy"):
    run_id = chosen_run(TAXONOMY)
    run = runs.get(run_id) if run_id else None
    _heading(run)
    tell()
    if run is None:
        _new()
    else:
        say(f"{runs.about(run)} | run {run.id}", "small", quiet=True)
        spec = runs.any_spec_of(run)
        if isinstance(spec, LabelSpec):
            _direct(run, spec)
        elif isinstance(spec, TaxonomySpec):
            _batches(run, spec)
