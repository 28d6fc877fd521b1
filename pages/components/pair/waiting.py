"""Waiting for the warm worker, in view: a question to a model is asked by one press and answered
when its rewards are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.engine.warm import answers
from ivan_core.engine.warm.answers import Pending
from pages.components.kit.press import in_browser
from pages.components.kit.redrawn import redrawn
from pages.components.kit.text import say, say_with_hint

_POLL_SECONDS = 0.5
_Known = TypeVar("_Known")


def ask(what: str) -> None:
    """Let the next look put anew what failed or was stopped before."""
    st.session_state[f"{what}-again"] = True


def is_asked_anew(what: str) -> bool:
    """Whether a press asked for it since the last look."""
    return bool(st.session_state.pop(f"{what}-again", False))


def follow(
    look: Callable[[bool], _Known],
    pending: Callable[[_Known], bool],
    draw: Callable[[_Known], None],
) -> None:
    """Draw what is known, again and again until all is; then the whole page once."""

    def again() -> None:
        now = look(False)
        if not pending(now):
            st.rerun()
        draw(now)

    redrawn(again, _POLL_SECONDS)()


def draw_pending(pending: Pending, what: str, doing: str = "") -> None:
    """How far an answer is, and the button that withdraws the question."""
    st.progress(min(pending.done / pending.total, 1.0) if pending.total else 0.0)
    now = in_browser(pending.doing)
    said = f"{doing}: {now}" if doing else now
    say(f"{said} · {pending.done:,} of {pending.total:,} texts")
    st.button(
        "Cancel",
        key=f"{what}-cancel-{pending.request}",
        on_click=answers.cancel,
        args=(pending.request,),
        help="What is scored stays known.",
    )


def draw_problem(problem: IvanError, what: str) -> None:
    """Why there is no answer, and the button that asks once more, unless asking cannot help."""
    say_with_hint(problem.message, problem.hint)
    if not isinstance(problem, BadInput):
        st.button("Ask again", key=f"{what}-ask-again", on_click=ask, args=(what,))
