"""The first screen of an invitation: what to do, how long, what may come up, and a name."""

from __future__ import annotations

from html import escape

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.reviews import LONGEST_NAME, Queue, Task
from ivan_core.review.briefing import Namesake, how_long, may_begin, namesake
from ivan_core.review.examples import EXAMPLES, Example
from ivan_core.review.rights import is_thrown_away, verified_name
from pages.components.kit.frame import tell_refusal
from pages.components.kit.state import keep_refusal
from pages.components.kit.text import md_escape, say
from pages.components.kit.visitor import login_offered

_ASKS = "review-namesake"
_TAKEN = "review-taken"
"""The queue and name under which this session judges; in the URL alone it may be anybody's."""
_TYPED = "review-name"
_NAME = "Your name (not verified)"
_TITLE: dict[Task, str] = {
    "better": "Which reply is better?",
    "describe": "What is this reply like?",
}
_DO: dict[Task, str] = {
    "better": "You read what somebody asked a computer assistant, and two replies. You say which "
    "one you find better. There is no right answer: your judgement counts.",
    "describe": "You read what somebody asked a computer assistant, and its reply. You answer a "
    "few plain questions about it. There is no right answer: your judgement counts.",
}
_STRANGER = "This is a demo: no name is asked for, and what you answer is thrown away."
_WARNING = (
    "Some texts are unpleasant: insults, violence, sex or self-harm may come up. Press “Skip this "
    "one” whenever you like, or “Stop”: nobody asks why."
)


def first_screen(queue: Queue) -> None:
    """Tell somebody who follows an invitation what it is about, and ask who they are."""
    with st.container(key="review-narrow"):
        if queue.closed:
            may_begin(queue, queue.assigned or "anybody")
        st.title(_TITLE[queue.task], anchor=False)
        _told(queue)
        tell_refusal()
        of_queue, asked = st.session_state.get(_ASKS, (0, None))
        if of_queue == queue.id and isinstance(asked, Namesake):
            _is_that_you(queue, asked)
        else:
            _who(queue)
        _examples(queue)


def preview(queue: Queue) -> None:
    """The first screen as people will see it, with nothing to press."""
    with st.container(border=True, key="review-preview"):
        say(_TITLE[queue.task], "headline")
        _told(queue)
        if queue.assigned:
            say(f"This invitation is for {queue.assigned}.")
        else:
            st.text_input(_NAME, key=f"preview-{queue.id}", disabled=True, width=320)
        st.button("Start", key=f"preview-start-{queue.id}", disabled=True)
        _examples(queue)


def _told(queue: Queue) -> None:
    say(_DO[queue.task], "lead")
    kept = "every answer is kept, and the same link goes on where you stopped"
    stop = "." if is_thrown_away() else f": {kept}."
    say(f"{how_long(queue, verified_name())}. You can stop at any time{stop}", "lead")
    with st.container(border=True):
        say(_WARNING)


def _examples(queue: Queue) -> None:
    say("Two examples", "headline")
    for example in EXAMPLES[queue.task]:
        _example(example)


def address_screen(queue: Queue, name: str) -> None:
    """Ask before a name is taken that came with the address: a link may have been passed on."""
    found = namesake(queue, name)
    with st.container(key="review-narrow"):
        st.title(_TITLE[queue.task], anchor=False)
        say(f"Go on as {found.name}?", "headline")
        say(found.sentence, "lead")
        with st.container(horizontal=True):
            st.button(
                f"Go on as {md_escape(found.name)}",
                type="primary",
                key="review-as",
                on_click=_begin,
                args=(queue, found.name),
            )
            st.button("I am somebody else", key="review-not-me", on_click=somebody_else)


def is_taken(queue: Queue, name: str) -> bool:
    """Whether this session judges a queue under this name: it said so itself."""
    return bool(st.session_state.get(_TAKEN) == (queue.id, name))


def somebody_else() -> None:
    """Ask who it is again."""
    st.session_state.pop(_TAKEN, None)
    if "name" in st.query_params:
        del st.query_params["name"]


def _who(queue: Queue) -> None:
    login = verified_name()
    if login:
        say(_STRANGER if is_thrown_away() else f"You are logged in as {login}.")
        st.button("Start", type="primary", key="review-start", on_click=_start, args=(queue, login))
        return
    if queue.assigned:
        say(f"This invitation is for {queue.assigned}.")
        st.button(
            f"I am {md_escape(queue.assigned)}: start",
            type="primary",
            key="review-start",
            on_click=_start,
            args=(queue, queue.assigned),
        )
        _offer_login()
        return
    with st.form("review-who", border=False, enter_to_submit=True):
        st.text_input(_NAME, key=_TYPED, max_chars=LONGEST_NAME, width=320)
        st.form_submit_button(
            "Start", type="primary", key="review-start", on_click=_start_typed, args=(queue,)
        )
    _offer_login()


def _offer_login() -> None:
    if login_offered():
        st.button("Log in instead", key="review-login", type="tertiary", on_click=st.login)


def _start_typed(queue: Queue) -> None:
    _start(queue, str(st.session_state.get(_TYPED, "")))


def _start(queue: Queue, name: str) -> None:
    """Begin under a name; where somebody of that name has judged here, ask first."""
    try:
        name = may_begin(queue, name)
        known = bool(verified_name() or queue.assigned)
        same = None if known else namesake(queue, name)
    except IvanError as error:
        keep_refusal(error)
        return
    if same is None or not same.known:
        _begin(queue, name)
    else:
        st.session_state[_ASKS] = (queue.id, same)


def _begin(queue: Queue, name: str) -> None:
    st.session_state.pop(_ASKS, None)
    st.session_state[_TAKEN] = (queue.id, name)
    st.query_params["name"] = name


def _is_that_you(queue: Queue, same: Namesake) -> None:
    say(f"{same.sentence} Is that you?", "lead")
    with st.container(horizontal=True):
        st.button(
            "Yes, go on",
            type="primary",
            key="namesake-yes",
            on_click=_begin,
            args=(queue, same.name),
        )
        st.button("No, I am somebody else", key="namesake-no", on_click=_another_name)


def _another_name() -> None:
    st.session_state.pop(_ASKS, None)
    st.session_state[_TYPED] = ""
    keep_refusal(
        IvanError(
            "Please use a name that tells you apart.", "A letter of your family name will do."
        )
    )


def _example(example: Example) -> None:
    with st.container(border=True):
        say(f"Asked: {example.question}")
        letters = "AB" if len(example.replies) > 1 else ("Reply",)
        for letter, reply in zip(letters, example.replies, strict=True):
            st.html(
                f'<p style="margin:0;padding-left:1rem;line-height:1.45"><b>{letter}</b>'
                f"&ensp;{escape(reply)}</p>"
            )
        for answer in example.answers:
            say(f"→ {answer}")
        say(example.why, "small", quiet=True)
