"""An invitation: its first screen, then one item a screen, then thanks. The URL says who and what.

A reload goes on where it was: what was said is in the database, who says it in the URL.
"""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.reviews import Queue
from ivan_core.workspace import datasets
from ivan_core.workspace.review_flow import (
    Place,
    Standing,
    next_place,
    open_screen,
    queues,
    standing,
)
from ivan_core.workspace.review_rights import verified_name
from ivan_core.workspace.review_told import may_begin
from pages.components.frame import show_error
from pages.components.review_better import better
from pages.components.review_describe import describe
from pages.components.review_first import address_screen, first_screen, is_taken
from pages.components.review_last import last_screen
from pages.components.review_look import look
from pages.components.review_steps import AT, has_stopped, leave_item
from pages.components.state import problem_of_press

INVITE = "invite"


def invited(token: str) -> None:
    """Draw the screen that is due for whoever follows an invitation."""
    look()
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
    problem = problem_of_press()
    if problem:
        show_error(problem)
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
