"""The two tasks, a screen an item: which reply is better, answered by one press, with everything
else hidden until it is saved; or a group of questions about a reply, answered by digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Side, other_side
from ivan_core.domain.reviews import LONGEST_NOTE, NO_DIFFERENCE
from ivan_core.labels.schema import WHOLE, Feature, feature
from ivan_core.review.briefing import answer_words, revealed
from ivan_core.review.flow import Screen, Standing, save_better, save_described
from pages.components.kit.text import say
from pages.components.pair.replies import show_before, show_pair, show_reply
from pages.components.review.steps import (
    Clash,
    clash_here,
    head,
    how_to_answer,
    keep,
    keep_it,
    moves,
    note_key,
)

_HERE = Path(__file__).parent
_CANT_TELL = "Can't tell"
_ATTEMPT = "review-attempt"
"""Counts saves that failed, so that the browser hears of it and lets one try again."""
MUST_PICK = ("topics",)
"""Lists in which nothing picked is no answer: in the others it says that nothing applies."""

_KEYS = (
    "The digits answer the marked question, Tab reaches lists and note, Enter saves and goes on."
)
_TAPS = "Tap an answer to each question; the button below saves them and goes on."


def describe(now: Standing, screen: Screen, chosen_by: str) -> None:
    """Show a text and ask a group of questions; Enter saves them and goes on."""
    with head(now, screen):
        if screen.again:
            _again(screen)
        elif screen.suggested:
            say(
                "Filled in beforehand: read each answer and change what is wrong. These answers "
                "are kept apart and enter no rates."
            )
        else:
            how_to_answer(_KEYS, _TAPS)
    told = "Describe this reply"
    if screen.screens > 1:
        told += f" · {screen.place.screen + 1} of {screen.screens}"
    say(told, "headline")
    pair = screen.pair
    dialogue = pair.chosen if screen.place.side == "chosen" else pair.rejected
    with st.container(key="review-describe"):
        with st.container(key="review-before"):
            show_before(dialogue, whole=screen.group == WHOLE)
        with st.container(key="review-reply"):
            show_reply(dialogue)
        with st.container(key="review-questions"):
            _questions(screen)
    with st.container(key="review-bar", gap="small"):
        st.html('<div style="height:3rem"></div>')  # where the questions put their button
        moves(now, screen)


def _again(screen: Screen) -> None:
    clash = clash_here(screen)
    if clash:
        say(
            "You answered this in another window meanwhile; that stands below. Not saved from "
            f"here: {clash.pressed}."
        )
    elif screen.opinion.skipped:
        say("You skipped this one. Answer it now, or leave it.")
    else:
        say("You answered this before. Change what you like and save again.")
    keep_it()


def _questions(screen: Screen) -> None:
    """The questions, drawn and answered in the browser; the server hears of them when saved."""
    draw = st.components.v2.component(
        "ivan_review_questions",
        html='<div class="ivan-questions"></div>',
        css=(_HERE / "questions.css").read_text("utf-8"),
        js=(_HERE / "questions.js").read_text("utf-8"),
        isolate_styles=False,
    )
    place = screen.place
    tag = f"{place.queue}-{place.row_id}-{place.side}-{place.screen}-{screen.opinion.version}"
    key = f"review-questions-{tag}"
    draw(
        key=key,
        data=question_data(screen, tag) | {"attempt": st.session_state.get(_ATTEMPT, 0)},
        on_saved_change=lambda: _saved(screen, st.session_state[key].get("saved")),
    )


def question_data(screen: Screen, tag: str) -> dict[str, Any]:
    """What the browser is told of a screen."""
    known = {**screen.suggested, **screen.opinion.answers}
    answers = {key: _plain(known[key]) for key in screen.keys if key in known}
    return {
        "tag": tag,
        "group": screen.group,
        "questions": [_question(feature(key)) for key in screen.keys],
        "answers": answers,
        "suggested": [key for key in answers if key not in screen.opinion.answers],
        "note": screen.opinion.note,
        "longest": LONGEST_NOTE,
        "save": "Save and go on",
    }


def _question(one: Feature) -> dict[str, Any]:
    options: list[tuple[str, Any]] = (
        [("Yes", True), ("No", False)]
        if one.kind == "boolean"
        else [(value, value) for value in one.values]
    )
    must = one.key in MUST_PICK
    if one.kind != "list" or must:
        options.append((_CANT_TELL, None))
    return {
        "key": one.key,
        "question": one.question,
        "help": one.help,
        "many": one.kind == "list",
        "must": must,
        "options": [{"label": label, "value": value} for label, value in options],
    }


def _plain(label: Label) -> Any:
    return list(label) if isinstance(label, tuple) else label


def _saved(screen: Screen, told: object) -> None:
    """Save what came from the browser, checked like anything that comes from outside."""
    if not isinstance(told, Mapping) or not isinstance(told.get("answers"), Mapping):
        return
    answers: dict[str, Label] = {
        str(key): tuple(str(word) for word in value) if isinstance(value, list) else value
        for key, value in told["answers"].items()
    }
    note = str(told.get("note", "")).strip()
    words = "; ".join(f"{feature(key).title}: {_in_words(answers.get(key))}" for key in screen.keys)
    if not keep(screen, words, lambda _, seconds: save_described(screen, answers, note, seconds)):
        st.session_state[_ATTEMPT] = st.session_state.get(_ATTEMPT, 0) + 1


def _in_words(label: Label) -> str:
    if isinstance(label, tuple):
        return ", ".join(label) or "none"
    if label is None:
        return _CANT_TELL.lower()
    if isinstance(label, bool):
        return "yes" if label else "no"
    return label


_PAIR_KEYS = "Press A, B, N or T, or the buttons below: one press saves and goes on."
_PAIR_TAPS = "Tap the reply that you find better, or a button below: one tap saves and goes on."


def better(now: Standing, screen: Screen, chosen_by: str) -> None:
    """Show a pair and ask which reply is better; one press saves and goes on."""
    with head(now, screen):
        if screen.again:
            _pair_again(screen, clash_here(screen))
        else:
            told = revealed(now, chosen_by)
            if told:
                say(told, "small", quiet=True)
            else:
                how_to_answer(_PAIR_KEYS, _PAIR_TAPS)
    say("Which reply is better?", "headline")
    show_pair(
        screen.pair, False, {}, screen.left, lambda letter, side: _choose(screen, letter, side)
    )
    with st.expander(
        "Write a note", expanded=bool(screen.opinion.note), key=f"fold-{note_key(screen)}"
    ):
        st.text_input(
            "A note, if you like (write it before you answer)",
            screen.opinion.note,
            key=note_key(screen),
            max_chars=min(LONGEST_NOTE, 1_000),
        )
    with st.container(key="review-bar", gap="small"):
        _answers(screen)
        moves(now, screen)


def _pair_again(screen: Screen, clash: Clash | None) -> None:
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


def _choose(screen: Screen, letter: str, side: Side) -> None:
    """The button in the card of a reply, which the whole card presses where fingers tap."""
    place = screen.place
    st.button(
        f"Choose {letter}",
        key=f"choose-{letter.lower()}-{place.queue}-{place.row_id}",
        type="tertiary",
        on_click=_answer,
        args=(screen, side, f"{letter} is better"),
    )


def _answers(screen: Screen) -> None:
    """The four answers, always in the same place. Their keys name the item, so that a press meant
    for the one before goes nowhere."""
    right = other_side(screen.left)
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
