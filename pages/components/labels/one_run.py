"""One labelling: which of its steps are done, the one to do now, and what came of it so far.

After it: what it cost beside the estimate, asking again, command and files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ivan_core.domain.estimates import Estimate
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import LabelSpec, TaxonomySpec
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.plan import choice_words
from ivan_core.labels.reconcile import STATES
from ivan_core.models import servers
from ivan_core.models.names import on_ollama, reader_note
from pages.components.kit.frame import problems_shown
from pages.components.kit.live import Panel, counted, live
from pages.components.kit.state import TAXONOMY, choose_run
from pages.components.kit.text import say
from pages.components.labels.cost import (
    cost_facts,
    cost_to_accept,
    exact_text,
    not_prepared,
    preparing,
)
from pages.components.labels.follow import (
    FOUND,
    following,
    not_followed,
    once_more,
    show_parts,
    stopped,
)
from pages.components.labels.results import label_results
from pages.components.labels.send import ask_again
from pages.components.labels.steps import (
    CHOOSE,
    COST,
    FOLLOW,
    closed_step,
    demo_banner,
    facts,
    finished,
    money,
    open_step,
    pretended,
)
from pages.components.public.reading import only_reads


def direct(run: Run) -> None:
    """A labelling text by text, by rules or on Ollama."""
    spec = runs.spec_of(run, LabelSpec)
    if on_ollama([spec.labeler]) and servers.ollama_is_demo():
        pretended(
            "The demo server answers in place of Ollama.",
            "It pretends to have models, and answers by rules.",
        )
    closed_step(CHOOSE, choice_words(spec))
    closed_step(COST, "nothing is paid")
    if run.state is RunState.DONE:
        read = "files" in runs.imported_from(run)
        closed_step(FOLLOW, "read from files" if read else f"{finished(run)}, nothing was paid")
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
        closed_step(FOLLOW, f"{finished(run)}, {_paid(run.id)}")
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


def _paid(run_id: str) -> str:
    """What a labelling cost, as far as it is known."""
    spent = taxonomy.spent(run_id)
    if not spent.usd and not spent.parts_open:
        return "nothing was paid"
    known = f"cost {money(spent.usd)}"
    if not spent.parts_open:
        return known
    return f"{known} so far: that of {number_of(spent.parts_open, 'part')} is not known yet"


def _accepted(estimate: Estimate | None) -> str:
    if estimate is None:
        return "nothing was sent from here"
    return "accepted" if estimate.requests else estimate.reused_sentence.rstrip(".")


def _after(run: Run) -> None:
    """What came of it so far."""
    counts = taxonomy.counts(run.id)
    if counts is None:
        return
    if not only_reads():
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


_YES = "True"
_NO = "False"


def _headline(run: Run) -> str:
    return f"Labelling {runs.about(run)}"


def _standing(run: Run) -> list[str]:
    if not run.rate:
        return [counted(run, "texts")]
    speed = f"{run.rate:,.0f}" if run.rate >= 10 else f"{run.rate:.1f}"
    return [counted(run, "texts"), f"{speed} texts/s"]


def _so_far(run: Run) -> None:
    for note in run.notes:
        say(note, "small", quiet=True)
    if note := reader_note(getattr(runs.any_spec_of(run), "labeler", "")):
        say(note, "small", quiet=True)
    facts = json.loads(run.facts)
    if facts.get("states"):
        say(states_sentence(facts["states"]))
    rows = label_rows(facts.get("labels", {}))
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            key="labels-so-far",
            column_config={
                side: st.column_config.ProgressColumn(
                    side,
                    format="%d%%",
                    min_value=0,
                    max_value=100,
                    width=130,
                    help="Of the texts of this side with an answer so far",
                )
                for side in SIDES
            },
            alt="How often each label was given so far, to chosen and to rejected replies",
        )


def states_sentence(states: Mapping[str, int]) -> str:
    """What came of the texts so far."""
    told = ", ".join(f"{states[state]:,} {state}" for state in STATES if states.get(state))
    return f"So far: {told}."


def label_rows(labels: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """One row a label that was given at all: its share on each side in percent, and the texts."""
    found = []
    for key, sides in labels.items():
        given = {answer for counts in sides.values() for answer in counts}
        values = [_YES] if given <= {_YES, _NO} else sorted(given)
        for value in values:
            n = {side: sum(sides.get(side, {}).values()) for side in SIDES}
            row: dict[str, Any] = {"label": label_name(key, "" if value == _YES else value)}
            for side in SIDES:
                count = sides.get(side, {}).get(value, 0)
                row[side] = 100 * count / n[side] if n[side] else None
            found.append(row | {"texts": sum(n.values())})
    return found


PANEL = Panel(_headline, _standing, _so_far)


def command(run: Run) -> None:
    """The command that does the same."""
    say("The same from the command line:", "small", quiet=True)
    st.code(runs.command(run), language=None, wrap_lines=True)
