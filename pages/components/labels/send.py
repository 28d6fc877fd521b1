"""What sends, cancels or asks again: each an action of its own, behind a dialog that says it."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.estimates import Estimate, Mode
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.ledger.records import PlanChanged
from pages.components.kit.redrawn import dialog
from pages.components.kit.state import TAXONOMY, choose_run, keep_news, keep_problem
from pages.components.kit.text import md_escape, say
from pages.components.labels.steps import money

_BY = "page"


GO_TO_CONFIRMATION = "Go to confirmation …"
"""The button that opens the dialog: it sends nothing."""


def send_label(estimate: Estimate) -> str:
    """What the button that sends says: that it sends, and what that costs at the most."""
    verb = "Upload" if estimate.mode == "batch" else "Send"
    dollars = estimate.dollars
    return verb if dollars is None else f"{verb}, at the most {money(dollars.bound)}"


@dialog("Accept the cost")
def ask_to_accept(run_id: str, estimate: Estimate, twice: bool, is_demo: bool) -> None:
    """Say the cost once more; only the tick and then the press send anything.

    `twice` says that the same requests were, or may have been, sent before: a tick of its own.
    """
    dollars = estimate.dollars
    if dollars is not None:
        say(
            f"{number_of(estimate.requests, 'request')} to {estimate.model}: about "
            f"{money(dollars.typical)}, at the most {money(dollars.bound)}, charged by the "
            "provider to the account of your key.",
            "lead",
        )
    if is_demo:
        say("The demo server answers in place of the provider: nothing is really paid.")
    say(
        "A batch that is sent can be cancelled; what it has finished by then is paid and kept."
        if estimate.mode == "batch"
        else "Each answer is paid when it comes, and kept.",
        quiet=True,
    )
    accepted = st.checkbox("I accept this cost", key="accept-cost")
    known = True
    if twice:
        say("The same requests were, or may have been, sent before: they may be charged again.")
        known = st.checkbox("I know that it may be charged twice", key="accept-twice")
    sends = md_escape(send_label(estimate))
    if st.button(sends, type="primary", key="upload", disabled=not (accepted and known)):
        upload(run_id, estimate.plan_hash, twice and known)
        st.rerun()


def upload(run_id: str, plan_hash: str, may_charge_twice: bool = False) -> None:
    """Say yes to the estimate that was shown; what came of it is told when the page is drawn.

    An estimate that is not true any more is refused and made anew, to be looked at again.
    """
    try:
        confirmed = confirm.confirm(run_id, plan_hash, _BY, may_charge_twice)
    except PlanChanged as error:
        keep_problem(error)
        _show_again(run_id, plan_hash, error)
    except IvanError as error:
        keep_problem(error)
    else:
        if not confirmed.new:
            keep_news(confirmed.sentence, "Once is enough: nothing more was sent or paid.")
        choose_run(confirmed.run_id, TAXONOMY)


def _show_again(run_id: str, plan_hash: str, error: PlanChanged) -> None:
    """Have the estimate made anew where the one in force is still the refused one."""
    now = taxonomy.estimate(run_id)
    if now is None or now.plan_hash != plan_hash:
        return
    if renew(run_id):
        keep_news(error.message, "Nothing was sent. Here is the estimate as it is now.")


def renew(run_id: str) -> bool:
    """Have an estimate and its files made anew; whether that could be done."""
    try:
        confirm.renew(run_id)
    except IvanError as error:
        keep_problem(error)
        return False
    return True


def ask_all(run_id: str, every: bool) -> None:
    """Have the estimate made anew, with or without the texts that have labels already."""
    try:
        confirm.ask_all(run_id, every)
    except IvanError as error:
        keep_problem(error)


def decline(run_id: str) -> None:
    """Say no to an estimate."""
    try:
        confirm.decline(run_id)
    except IvanError as error:
        keep_problem(error)
    else:
        keep_news("Nothing was sent.")


@dialog("Cancel these batches?")
def ask_to_cancel(run_id: str) -> None:
    """Say what cancelling means for what is paid."""
    say(
        "The provider stops what it has not begun. Answers that are finished are paid, collected "
        "and kept; the rest can be asked for again later."
    )
    with st.container(horizontal=True):
        if st.button("Cancel the batches", type="primary", key="cancel-sure"):
            cancel(run_id)
            st.rerun()
        if st.button("Keep them going", key="cancel-not"):
            st.rerun()


def cancel(run_id: str) -> None:
    """Cancel a run's batches at the provider, or a run that has none yet."""
    try:
        taxonomy.cancel_batches(run_id)
    except IvanError as error:
        keep_problem(error)
    else:
        keep_news("Cancelling. What is finished at the provider is collected and kept.")


@dialog("Close it as it is?")
def ask_to_close(run_id: str) -> None:
    """Say what is given up by closing parts whose answers do not come."""
    for one in taxonomy.undelivered(run_id):
        if not one.lacking:
            say(f"Part {one.key.part} is closed without a file that the provider names.")
            continue
        answers = number_of(one.lacking, "answer")
        cost = "" if one.usd is None else f", about {money(one.usd)}"
        say(
            f"Part {one.key.part} is closed without {answers} that the provider counts as "
            f"finished. You have paid for them; asking for these texts again is paid again{cost}."
        )
    say("What is here is kept. The provider may still deliver: looking again costs nothing.")
    with st.container(horizontal=True):
        if st.button("Close it", type="primary", key="close-sure"):
            close(run_id)
            st.rerun()
        if st.button("Leave it open", key="close-not"):
            st.rerun()


def close(run_id: str) -> None:
    """Close the parts of a run whose answers do not come, and write what is here."""
    try:
        taxonomy.close_parts(run_id, _BY)
    except IvanError as error:
        keep_problem(error)
    else:
        follow(run_id)


def follow(run_id: str) -> None:
    """Go on with a run: follow its batches again, or what it was doing before that."""
    try:
        if not taxonomy.follow(run_id) and runs.get(run_id).state.resumable:
            runs.resume(run_id)
    except IvanError as error:
        keep_problem(error)


def ask_again(run_id: str, mode: Mode) -> None:
    """Have an estimate made for the texts that have no usable labels."""
    try:
        taxonomy.estimate_again(run_id, mode)
    except IvanError as error:
        keep_problem(error)
