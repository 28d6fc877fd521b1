"""An invitation: its first screen, then one item a screen, then thanks. The URL says who and what.

A reload goes on where it was: what was said is in the database, who says it in the URL.
"""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.reviews import Queue
from ivan_core.engine import datasets
from ivan_core.review.briefing import may_begin
from ivan_core.review.flow import Place, Standing, next_place, open_screen, queues, standing
from ivan_core.review.rights import verified_name
from pages.components.kit.frame import show_error
from pages.components.kit.state import problem_of_press
from pages.components.review.better import better
from pages.components.review.describe import describe
from pages.components.review.first import address_screen, first_screen, is_taken
from pages.components.review.last import last_screen
from pages.components.review.steps import AT, has_stopped, leave_item
from pages.components.review.style import calm

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
