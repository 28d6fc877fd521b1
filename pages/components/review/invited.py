"""An invitation: its first screen, then one item a screen, then thanks. The URL says who and what.

A reload goes on where it was: what was said is in the database, who says it in the URL.
"""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.reviews import Queue
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets
from ivan_core.review.briefing import THING, Went, differed, how_it_went, may_begin
from ivan_core.review.flow import (
    Place,
    Standing,
    next_place,
    open_screen,
    place_before,
    queues,
    standing,
)
from ivan_core.review.rights import is_thrown_away, verified_name
from pages.components.kit.frame import tell_refusal
from pages.components.kit.text import say
from pages.components.review.first import address_screen, first_screen, is_taken
from pages.components.review.steps import AT, calm, go_on, go_to, has_stopped, leave_item
from pages.components.review.tasks import better, describe


def last_screen(now: Standing, chosen_by: str, finished: bool) -> None:
    """Thank somebody who is through, or who stopped."""
    went = how_it_went(now, chosen_by)
    thing = THING[now.queue.task]
    with st.container(key="review-narrow"):
        st.title("Thank you!", anchor=False)
        things = number_of(went.judged, thing)
        skipped = f" and skipped {went.skipped:,}" if went.skipped else ""
        say(f"You judged {things}{skipped}.", "headline")
        if finished or now.queue.tells or now.queue.task != "better":
            _how_it_went(now, went, chosen_by)
        elif went.judged:
            say("How often you agreed is told once all are judged.", quiet=True)
        if finished:
            say("That was all. You can close this window.", "lead")
        else:
            left = now.total - now.done
            are = "is" if left == 1 else "are"
            later = "" if is_thrown_away() else "; the same link goes on where you stopped"
            say(f"{left:,} {are} left{later}.", "lead")
        with st.container(horizontal=True):
            if not finished:
                st.button("Go on", type="primary", key="review-go-on", on_click=go_on)
            before = place_before(now, None)
            if before is not None:
                st.button(
                    "Back to the last one",
                    key="review-back",
                    shortcut="u",
                    on_click=go_to,
                    args=(before,),
                )


def _how_it_went(now: Standing, went: Went, chosen_by: str) -> None:
    for sentence in went.sentences:
        say(sentence, "lead")
    if went.sentences:
        none = "It is no mark" if len(went.sentences) == 1 else "Neither is a mark"
        say(f"{none}: where people differ is what this is about.", quiet=True)
    apart = differed(now, chosen_by) if now.queue.task == "better" else []
    if apart:
        with st.expander("Where you preferred the other reply"):
            for sentence in apart:
                say(sentence)


INVITE = "invite"


def invited(token: str) -> None:
    """Draw the screen that is due for whoever follows an invitation."""
    calm()
    queue = queues().invited(token)
    name = _name()
    if not name:
        first_screen(queue)
        return
    name = may_begin(queue, name)
    if not verified_name() and not is_taken(queue, name):
        address_screen(queue, name)
        return
    now = standing(queue, name)
    tell_refusal()
    place = _place(now)
    if place is None or has_stopped(now):
        last_screen(now, _chosen_by(queue), finished=place is None)
        return
    screen = open_screen(now, place)
    (better if screen.queue.task == "better" else describe)(now, screen, _chosen_by(queue))


def _name() -> str:
    """Who judges: the verified login, else the name in the URL; empty before the start."""
    typed = st.query_params.get("name", "")
    return (verified_name() or typed) if typed else ""


def _place(now: Standing) -> Place | None:
    """The place that somebody went back to, or what comes next."""
    at = st.session_state.get(AT)
    if isinstance(at, Place):
        known = {(one.queue, one.row_id, one.side) for one in now.said}
        if (at.queue, at.row_id, at.side) in known:
            return at
        leave_item()
    return next_place(now)


def _chosen_by(queue: Queue) -> str:
    return datasets.by_fingerprint(queue.dataset).chosen_by
