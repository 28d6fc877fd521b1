"""How people get into a queue: a message with its link, or plainly that a link would work nowhere
else; and what they will see.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit import config

from ivan_core.domain.reviews import Queue
from ivan_core.review.briefing import invitation
from pages.components.kit.text import md_escape, say
from pages.components.kit.visitor import is_loopback_host
from pages.components.public.reading import only_reads
from pages.components.review.first import preview


def invite(queue: Queue) -> None:
    """Draw the message to send, or what stands in its place, and the invitation as it will look; of
    a demo, where nobody is invited, the invitation alone."""
    if not only_reads():
        _message(queue)
    counts = "is thrown away" if only_reads() else "counts as yours"
    with st.expander("See the invitation as people will"):
        preview(queue)
        say(
            "Then comes one item a screen. The button below opens it in a window of its own; what "
            f"you answer there {counts}.",
            "small",
            quiet=True,
        )


def _message(queue: Queue) -> None:
    """What to send to people, or why it would lead nowhere."""
    link = link_to(queue)
    parts = urlsplit(link)
    whom = f" to {queue.assigned}" if queue.assigned else ""
    if is_loopback_host(parts.netloc):
        _nowhere_else(queue, link, parts.port or 80, whom)
    else:
        say(f"Send this message{whom}:")
        st.code(invitation(queue, link), language=None, wrap_lines=True)
        say(f"Whoever can reach {parts.hostname} can open its link.", "small", quiet=True)


def _nowhere_else(queue: Queue, link: str, port: int, whom: str) -> None:
    """What stands in place of a link that would open on this machine alone."""
    with st.container(border=True, key="review-here-only"):
        say("A link would work nowhere else: this server listens on this machine only (127.0.0.1).")
        say(
            "Send the spreadsheet from Files instead, or have people open a tunnel to this machine "
            "first. The handbook, “Who can reach it”, tells about a server of your own.",
            "small",
        )
        with st.expander(f"The message{md_escape(whom)}, with a tunnel"):
            tunnel = f"ssh -L {port}:127.0.0.1:{port} you@this-machine"
            st.code(invitation(queue, link, tunnel), language=None, wrap_lines=True)
            say(
                "Put the account and name by which they reach this machine in place of "
                "“you@this-machine”. Who comes through a tunnel counts as you.",
                "small",
                quiet=True,
            )


def link_to(queue: Queue) -> str:
    """The address of an invitation, at the server as this page's browser reaches it."""
    page = st.context.url or f"http://127.0.0.1:{config.get_option('server.port')}/review"
    return f"{page}?{urlencode({'invite': queue.token})}"
