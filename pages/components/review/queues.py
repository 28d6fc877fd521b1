"""The queues of a dataset: how far they are, how people get in, and a new one."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit import config

from ivan_core.domain.reviews import Queue
from ivan_core.review.queues import QueueState, queues_of, state_of
from ivan_core.review.rights import close_queue
from pages.components.kit.frame import show_error
from pages.components.kit.state import kindly, problem_of_press
from pages.components.kit.text import say
from pages.components.kit.visitor import is_loopback_host
from pages.components.review.make import make_form

CHOSEN = "review-queue"


def queues_tab(dataset: str) -> None:
    """The table of queues, one of them in detail, and the form for another."""
    problem = problem_of_press()
    if problem:
        show_error(problem)
    states = [state_of(queue) for queue in queues_of(dataset)]
    if states:
        _table(states)
        _one(states)
    else:
        say("Nobody was asked yet. Make a queue, then send its link to people.")
    with st.expander("Make a queue", expanded=not states):
        make_form(dataset)


def _table(states: list[QueueState]) -> None:
    st.dataframe(
        [state.row for state in states],
        hide_index=True,
        key="review-queues",
        column_config={
            "Done": st.column_config.ProgressColumn(
                "Done",
                format="%.0f%%",
                min_value=0,
                max_value=100,
                help="Items that have the opinions they need.",
            )
        },
    )


def _one(states: list[QueueState]) -> None:
    """A queue: who judged, the link that leads to it, and whether it is open."""
    by_id = {state.queue.id: state for state in states}
    if st.session_state.get(CHOSEN) not in by_id:
        st.session_state.pop(CHOSEN, None)
    number = st.selectbox(
        "Queue", list(by_id), key=CHOSEN, format_func=lambda number: by_id[number].name
    )
    state = by_id[number]
    queue = state.queue
    say(state.sentence)
    if queue.tells:
        say("What was chosen is told after each pair.", "small", quiet=True)
    if queue.closed:
        say("It is closed: its link takes no more answers. What was said is kept.")
    else:
        _invite(queue)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not queue.closed:
            st.link_button("Judge it yourself", _link(queue), help="In a window of its own.")
        st.button(
            "Open it again" if queue.closed else "Close it",
            key="review-close",
            help="A closed queue takes no more answers.",
            on_click=_close,
            args=(queue.id, not queue.closed),
        )


@kindly
def _close(queue_id: int, closed: bool) -> None:
    close_queue(queue_id, closed)


def _invite(queue: Queue) -> None:
    """The link, and plainly who can open it."""
    whom = f"Send this link to {queue.assigned}" if queue.assigned else "Send this link"
    say(f"{whom}; there is nothing to install and no account:")
    st.code(_link(queue), language=None, wrap_lines=True)
    parts = urlsplit(_link(queue))
    if not is_loopback_host(parts.netloc):
        say(f"Whoever can reach {parts.hostname} can open it.", "small", quiet=True)
        return
    port = parts.port or 80
    say(
        "This server listens on this machine only (127.0.0.1), so the link works here and "
        "nowhere else. To let somebody in, either have them open a tunnel first, after which the "
        "same link works for them:",
        "small",
    )
    st.code(f"ssh -L {port}:127.0.0.1:{port} you@this-machine", language=None, wrap_lines=True)
    say(
        "or send them the spreadsheet from Files. The handbook, “Who can reach it”, tells about a "
        "server of your own.",
        "small",
    )


def _link(queue: Queue) -> str:
    page = st.context.url or f"http://127.0.0.1:{config.get_option('server.port')}/review"
    return f"{page}?{urlencode({'invite': queue.token})}"
