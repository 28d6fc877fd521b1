"""The last screen of an invitation: thanks, how many, and how often one agreed."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.plurals import number_of
from ivan_core.review.briefing import Went, differed, how_it_went
from ivan_core.review.flow import Standing, place_before
from pages.components.kit.text import say
from pages.components.review.steps import go_on, go_to

_THING = {"better": "pair", "describe": "text"}


def last_screen(now: Standing, chosen_by: str, finished: bool) -> None:
    """Thank somebody who is through, or who stopped."""
    went = how_it_went(now, chosen_by)
    thing = _THING[now.queue.task]
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
            say(f"{left:,} {are} left; the same link goes on where you stopped.", "lead")
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
