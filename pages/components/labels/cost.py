"""Step 2 of a labelling: what it costs and exactly what is sent, before anything is."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.estimates import Dollars, Estimate, Rates
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import number_of
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.models import servers
from pages.components.kit.frame import problems_shown
from pages.components.kit.live import bar_and_tab, cancel_button, doing, time_left, while_live
from pages.components.kit.results import one_of
from pages.components.kit.state import TAXONOMY
from pages.components.kit.text import say, say_with_hint, show_part
from pages.components.labels.form import no_key
from pages.components.labels.send import (
    GO_TO_CONFIRMATION,
    ask_all,
    ask_to_accept,
    decline,
    follow,
    renew,
)
from pages.components.labels.steps import facts, money
from pages.components.public.reading import only_reads, told_instead

_MOST_LINKS = 3
_DOUBT = "Some of these requests may be at the provider already: they may be charged twice."


def preparing(run: Run) -> None:
    """The request files at work, drawn again every second until the estimate is there."""
    while_live(run.id, _requests_so_far)
    cancel_button(run.id, "cancel-preparing")


def _requests_so_far(run: Run) -> None:
    bar_and_tab(run.done, run.total)
    counted = [f"{run.done:,} of {run.total:,} requests"] if run.total else []
    say(" · ".join([doing(run), *counted, *time_left(run)]))


def not_prepared(run: Run) -> None:
    """Requests that were never all written: nothing was sent, and it can go on."""
    cancelled = run.state is RunState.CANCELLED
    why = "This was cancelled." if cancelled else run.problem or "It stopped half way."
    say_with_hint(why, f"{run.hint} Nothing was sent.".strip(), lead=True)
    if not told_instead() and st.button("Prepare it again", type="primary", key="prepare-again"):
        follow(run.id)
        st.rerun()


def cost_to_accept(run: Run, estimate: Estimate) -> None:
    """The estimate that waits for a yes, what would be sent, and the way on."""
    if estimate.may_charge_twice:
        say_with_hint(run.problem or _DOUBT, run.hint, lead=True)
    before = confirm.confirmed_as(run.id, estimate)
    if before and confirm.is_deleted(before):
        say_with_hint(
            f"Exactly these requests were sent before, by run {before}, which was deleted.",
            "Its batches can be collected again for nothing, by their ids. Sent once more, they "
            "are paid once more.",
            lead=True,
        )
    elif before:
        say_with_hint(
            f"Exactly these requests were confirmed before, as run {before}.",
            "What that run has sent is paid once more if it is sent once more.",
            lead=True,
        )
        st.page_link(TAXONOMY, label=":primary[See that labelling →]", query_params={"run": before})
    say(headline(estimate), "lead")
    _reused(run.id, estimate)
    left, right = st.columns([2, 3], gap="large")
    with left:
        cost_facts(run.id, estimate)
        if estimate.dollars is None and not only_reads():
            _ask_prices(run.id, estimate)
    with right:
        exact_text(run.id)
    who = servers.provider(taxonomy.job(run.id).spec.base_url)
    refused = confirm.refusal(run.id, estimate)
    if refused:
        say_with_hint(refused, run.hint, lead=True)
    if told_instead():
        return
    with st.container(horizontal=True):
        ready = who.ready and not refused
        if st.button(GO_TO_CONFIRMATION, type="primary", key="accept", disabled=not ready):
            twice = estimate.may_charge_twice or bool(before)
            ask_to_accept(run.id, estimate, twice, who.demo)
        if st.button("Do not send", key="decline"):
            decline(run.id)
            st.rerun()
        if st.button("Make the estimate anew", key="renew", type="tertiary"):
            renew(run.id)
            st.rerun()
    no_key(who)


def _reused(run_id: str, estimate: Estimate) -> None:
    """Which texts have labels already, where they are, and the choice to pay for them again."""
    told = estimate.reused
    if told is None or not estimate.reused_sentence:
        return
    with st.container(border=True, key="reused"):
        say(estimate.reused_sentence, "lead")
        say(
            "The same model was asked exactly the same, by this account: the answers are here and "
            "are used again."
            if told.count
            else "Each of these texts gets a second answer, which may differ from the first.",
            quiet=True,
        )
        for one in told.runs[:_MOST_LINKS]:
            if not confirm.is_deleted(one):
                label = f":primary[See run {one} →]"
                st.page_link(TAXONOMY, label=label, query_params={"run": one})
        box = f"ask-all-{run_id}"
        st.session_state[box] = bool(told.again)
        st.checkbox("Ask all again", key=box, on_change=_choose_all, args=(run_id, box))


def _choose_all(run_id: str, box: str) -> None:
    ask_all(run_id, bool(st.session_state[box]))


def headline(estimate: Estimate) -> str:
    """The cost in one sentence."""
    what = {"first": "Labelling", "repair": "Asking again for", "doubt": "Sending again"}
    texts = number_of(estimate.requests, "text")
    how = "as a batch" if estimate.mode == "batch" else "at once"
    dollars = estimate.dollars
    if dollars is None:
        return f"{what[estimate.reason]} {texts} with {estimate.model}: no price is known."
    return (
        f"{what[estimate.reason]} {texts} with {estimate.model} {how} costs about "
        f"{money(dollars.typical)}, at the most {money(dollars.bound)}."
    )


def cost_facts(run_id: str, estimate: Estimate) -> None:
    """The estimate as a table of plain rows."""
    size = sum(file.bytes for file in estimate.files) / 1e6
    exact = "" if estimate.exact else ", an estimate for this model"
    rows = [
        ("Requests", f"{estimate.requests:,}, one a text, of {number_of(estimate.rows, 'pair')}"),
        ("Files", f"{len(estimate.files):,} ({size:,.1f} MB)"),
        ("Input tokens", f"{estimate.input_tokens:,} (counted with {estimate.counted}{exact})"),
        (
            "Output tokens",
            f"{estimate.output_typical:,} typical, {estimate.output_bound:,} at the most",
        ),
        ("Cost as a batch, within 24 hours", _cost(estimate.batch)),
        ("Cost at the standard price, at once", _cost(estimate.standard)),
    ]
    prices = estimate.prices
    if prices is not None:
        rows += [
            ("A million tokens as a batch", _rates(prices.batch)),
            ("A million tokens at once", _rates(prices.standard)),
            ("Where the prices are from", prices.sentence.removeprefix("Prices: ")),
        ]
    last = (
        f"shuts down on {estimate.shutdown}" if estimate.shutdown else "no day of shutdown is known"
    )
    cap = confirm.cap(run_id)
    rows += [
        ("The model", f"{estimate.model}, {last}"),
        ("Your cap", f"${cap:,.2f}" if cap is not None else "none is set"),
    ]
    facts(rows)


def _cost(dollars: Dollars | None) -> str:
    if dollars is None:
        return "not known"
    return f"{money(dollars.typical)} typical, {money(dollars.bound)} at the most"


def _rates(rates: Rates) -> str:
    return f"{_price(rates.input_usd)} in, {_price(rates.output_usd)} out"


def _price(dollars: float) -> str:
    return f"${dollars:,.2f}" if round(dollars, 2) == dollars else f"${dollars:,g}"


def _ask_prices(run_id: str, estimate: Estimate) -> None:
    say("The price table does not know this model. Nothing is guessed: what does it cost?")
    left, right = st.columns(2)
    given = left.number_input(
        "Dollars per million input tokens", 0.0, 10_000.0, None, key="give-input"
    )
    taken = right.number_input(
        "Dollars per million output tokens", 0.0, 10_000.0, None, key="give-output"
    )
    known = given is not None and taken is not None
    if st.button("Use these prices", key="give-prices", disabled=not known) and known:
        confirm.give_prices(run_id, given, taken)
        st.rerun()


def exact_text(run_id: str) -> None:
    """The requests of three rows, to the letter."""
    with problems_shown():
        found = {f"{one.key.row_id} {one.key.preference}": one for one in confirm.examples(run_id)}
        names = list(found)
        say("Exactly this is sent, one request a text. To read, by pair and side:")
        one = found[one_of("Pair and side", names, f"example-{run_id}")]
        say("The text, behind a fence that no text can break:", "small", quiet=True)
        _verbatim(one.user, "user")
        say("The instructions, the same for every text:", "small", quiet=True)
        _verbatim(one.system, "system")
        with st.expander("The whole request as it stands in the file"):
            _verbatim(one.body, "body")


def _verbatim(text: str, key: str) -> None:
    show_part(
        text,
        f"request-{key}",
        lambda part: st.code(part, language=None, wrap_lines=True, height=240),
    )
