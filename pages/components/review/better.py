"""Which reply is better? One pair a screen, everything else hidden until the answer is saved."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import LONGEST_NOTE, NO_DIFFERENCE
from ivan_core.review.briefing import answer_words, revealed
from ivan_core.review.flow import Screen, Standing, save_better
from pages.components.kit.text import say
from pages.components.pair.replies import show_pair
from pages.components.review.steps import Clash, clash_here, head, keep, keep_it, moves, note_key

_KEYS = "Press A, B, N or T, or the buttons below: one press saves and goes on."


def better(now: Standing, screen: Screen, chosen_by: str) -> None:
    """Show a pair and ask which reply is better; one press saves and goes on."""
    with head(now, screen):
        if screen.again:
            _again(screen, clash_here(screen))
        else:
            say(revealed(now, chosen_by) or _KEYS, "small", quiet=True)
    say("Which reply is better?", "headline")
    show_pair(screen.pair, False, {}, blind_left=screen.left)
    st.text_input(
        "A note, if you like (write it before you answer)",
        screen.opinion.note,
        key=note_key(screen),
        max_chars=min(LONGEST_NOTE, 1_000),
    )
    with st.container(key="review-bar", gap="small"):
        _answers(screen)
        moves(now, screen)


def _again(screen: Screen, clash: Clash | None) -> None:
    """What was said before, and what a changed answer means."""
    said = answer_words(screen.opinion)
    if clash:
        say(
            f"You answered this in another window meanwhile: {said}. “{clash.pressed}” was not "
            "saved: press it again to replace that."
        )
    elif screen.opinion.skipped:
        say("You skipped this one. Answer it now, or leave it.")
    elif screen.told:
        say(
            f"You said: {said}. A changed answer is kept, but enters no rates: you know by now "
            "which one was chosen."
        )
    else:
        say(f"You said: {said}. Keep it, or answer again.")
    keep_it()


def _answers(screen: Screen) -> None:
    """The four answers, always in the same place. Their keys name the item, so that a press meant
    for the one before goes nowhere."""
    right = "rejected" if screen.left == "chosen" else "chosen"
    choices: tuple[tuple[str, str, Label], ...] = (
        ("A is better", "a", screen.left),
        ("B is better", "b", right),
        ("No difference", "n", NO_DIFFERENCE),
        ("Can't tell", "t", None),
    )
    place = screen.place
    with st.container(horizontal=True, gap="small", key="review-answers"):
        for words, key, answer in choices:
            st.button(
                words,
                key=f"answer-{key}-{place.queue}-{place.row_id}",
                shortcut=key,
                width="stretch",
                on_click=_answer,
                args=(screen, answer, words),
            )


def _answer(screen: Screen, answer: Label, words: str) -> None:
    keep(screen, words, lambda note, seconds: save_better(screen, answer, note, seconds))
