"""After a labelling: what it cost beside the estimate, asking again, command and files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.estimates import Estimate
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from pages.components.kit.state import TAXONOMY, choose_run
from pages.components.kit.text import say
from pages.components.labels.cost import cost_facts, exact_text
from pages.components.labels.follow import show_parts
from pages.components.labels.send import ask_again
from pages.components.labels.steps import facts, money


def reconciliation(counts: dict[str, Any]) -> None:
    """The line that adds up, and what is to be known beside it."""
    say(counts["sentence"], "headline")
    for note in counts["notes"]:
        say(note, "small", quiet=True)


def ask_again_for_the_rest(run: Run, counts: dict[str, Any]) -> None:
    """Offer a round of repair: its own estimate and confirmation, two rounds at the most."""
    left = counts["unfinished"]
    if not left or run.state is not RunState.DONE or not taxonomy.job(run.id).confirmed():
        return
    rounds = confirm.rounds_left(run.id)
    texts = number_of(left, "text")
    with st.container(border=True, key="again"):
        if not rounds:
            say(f"{texts} have no usable labels after two more rounds.", "lead")
            say("They are listed with their raw replies in the file of failed texts.", quiet=True)
            return
        say(f"{texts} without usable labels can be asked for again.", "lead")
        say(
            f"Only these are sent, after a last look for them at the provider. Each round has its "
            f"own estimate and its own yes; {number_of(rounds, 'round')} left.",
            "small",
            quiet=True,
        )
        with st.container(horizontal=True):
            if st.button(f"Ask again for the {texts} without labels", key="again-batch"):
                ask_again(run.id, "batch")
                st.rerun()
            if st.button(
                "Ask at once instead",
                key="again-now",
                type="tertiary",
                help="Text by text at the standard price, without waiting for a batch.",
            ):
                ask_again(run.id, "now")
                st.rerun()


def ask_all_again(run: Run) -> None:
    """Offer to pay for labels once more where all were here already and nothing was asked."""
    estimates = taxonomy.job(run.id).estimates()
    spec = runs.spec_of(run, TaxonomySpec)
    if any(one.requests for one in estimates):
        return
    if estimates and st.button("Ask all of them again", key="ask-all", help="With an estimate."):
        choose_run(taxonomy.start(spec, again=True)[0], TAXONOMY)
        st.rerun()


def spending(run_id: str) -> None:
    """What was estimated and what it took, attempt by attempt."""
    spent = taxonomy.spent(run_id)
    rows = [_attempt(estimate, used) for estimate, used in confirm.attempts(run_id)]
    if not rows:
        say("Nothing was paid from here.", "lead")
        return
    unknown = (
        f" The cost of {number_of(spent.parts_open, 'part')} is not known yet."
        if spent.parts_open
        else ""
    )
    say(f"It cost {money(spent.usd)}.{unknown}", "lead")
    facts(rows, ("Attempt", "Requests", "Estimated", "Input tokens", "Output tokens", "Cost"))


def _attempt(estimate: Estimate, used: confirm.Took) -> tuple[str, ...]:
    dollars = estimate.dollars
    told = (
        f"{money(dollars.typical)} typical, {money(dollars.bound)} at the most"
        if dollars
        else "not known"
    )
    why = {"first": "", "repair": " (asked again)", "doubt": " (sent again)"}[estimate.reason]
    return (
        f"{estimate.attempt}{why}",
        f"{estimate.requests:,}",
        told,
        f"{_count(used.input_tokens)} (estimate {estimate.input_tokens:,})",
        f"{_count(used.output_tokens)} (typical {estimate.output_typical:,})",
        money(used.usd) if used.usd is not None else "not known yet",
    )


def _count(tokens: int | None) -> str:
    return f"{tokens:,}" if tokens is not None else "not known yet"


def details(run: Run) -> None:
    """What was estimated, sent and spent, exactly, and the command that does the same."""
    with st.expander("Batches, cost, exact text and command"):
        spending(run.id)
        show_parts(run.id)
        accepted = taxonomy.estimate(run.id)
        # The one that waits for a yes is shown above, where it can be given.
        if accepted is not None and run.state is not RunState.AWAITING_CONFIRMATION:
            say("The estimate that was accepted last:", "lead")
            if accepted.reused_sentence:
                say(accepted.reused_sentence)
            cost_facts(run.id, accepted)
            if accepted.requests:
                exact_text(run.id)
        command(run)


def command(run: Run) -> None:
    """The command that does the same."""
    say("The same from the command line:", "small", quiet=True)
    st.code(runs.command(run), language=None, wrap_lines=True)
