"""Guess first: the choice stays hidden until you have made your own."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import Choice, Guess
from ivan_core.experiments.compare.results import JudgedPair, Results
from ivan_core.review.marks import TELL_FROM, left_side, reviews, tally
from pages.components.compare.filtering import carry
from pages.components.kit.frame import show_error
from pages.components.kit.state import kindly, problem_of_press
from pages.components.kit.text import say, short_names
from pages.components.kit.url import GUESS, NAME, write_query
from pages.components.pair.replies import show_pair

_CHOICES: tuple[tuple[Choice, str, str], ...] = (
    ("A", "A is better", "a"),
    ("B", "B is better", "b"),
    ("none", "No difference", "n"),
)

_PICKED: dict[Side | None, str] = {
    "chosen": "You picked the chosen reply, as the dataset did.",
    "rejected": "You picked the rejected reply, unlike the dataset.",
    None: "You saw no difference.",
}
_SWITCH = "guess-first"
_LONGEST = 60


def is_guessing() -> bool:
    """Whether the choice is hidden until a guess is made: the URL says so."""
    return GUESS in st.query_params


def guess_switch(run_id: str) -> None:
    """Turn guessing on or off."""
    st.session_state[_SWITCH] = is_guessing()
    st.toggle(
        "Guess first", key=_SWITCH, help="Hide the choice until you made yours.", on_change=_turn
    )
    own = {name: st.query_params[name] for name in (GUESS, NAME) if name in st.query_params}
    carry(run_id, own, (GUESS, NAME))


def _turn() -> None:
    on = st.session_state[_SWITCH]
    write_query({GUESS: "1" if on else None, NAME: (your_name() or None) if on else None})


def your_name() -> str:
    """The name under which stars, notes and guesses are kept; nobody checks it.

    While guessing it stands in the URL too, so that it outlives a reload.
    """
    of_link = st.query_params.get(NAME, "") if is_guessing() else ""
    name = of_link or st.session_state.get("your-name") or ""
    return " ".join(str(name).split())[:_LONGEST]


def ask_name() -> None:
    """Ask for the name once a session."""
    st.text_input(
        "Your name (not verified)",
        key="name-typed",
        max_chars=_LONGEST,
        width=320,
        value=your_name(),
        on_change=_keep_name,
    )


def _keep_name() -> None:
    _be(st.session_state["name-typed"])


def _be(name: str) -> None:
    st.session_state["your-name"] = name
    if is_guessing():
        write_query({NAME: name.strip() or None})


def guessing(results: Results, found: JudgedPair) -> bool:
    """Ask for a guess on this pair; False once it was made, so that the rest may be shown."""
    name = your_name()
    if not name:
        say("Type your name below, so that your guesses can be counted.", "small", quiet=True)
        ask_name()
        return True
    dataset, row = results.dataset.fingerprint, found.pair.row_id
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", width="content", key="guesser"
    ):
        say(f"You guess as {name}.", "small", quiet=True)
        st.button("Not you?", key="other-name", type="tertiary", on_click=_be, args=("",))
    made = reviews().guesses(dataset, name)
    _tell(results, made)
    own = next((guess for guess in made if guess.row_id == row), None)
    if own is not None:
        # The chosen reply is A from here on, whatever it was called while the choice was hidden.
        say(_PICKED[own.sided_with])
        return False
    problem = problem_of_press()
    if problem:
        show_error(problem)
    say("Which reply is better? The choice shows after your answer.", "headline")
    left = left_side(dataset, row, name)
    with st.container(horizontal=True, key="guess"):
        for choice, label, key in _CHOICES:
            st.button(
                label,
                key=f"guess-{choice}",
                shortcut=key,
                on_click=_keep,
                args=(dataset, row, name, choice, left),
            )
    show_pair(found.pair, False, {}, blind_left=left)
    return True


@kindly
def _keep(dataset: str, row: int, name: str, choice: Choice, left: str) -> None:
    reviews().guess(dataset, row, name, choice, "chosen" if left == "chosen" else "rejected")


def _tell(results: Results, made: list[Guess]) -> None:
    found = tally(results, made, short_names(results.models))
    if found.rows >= TELL_FROM:
        say(found.sentence)
    elif found.rows:
        say(f"{found.rows} of {TELL_FROM} guessed.", "small", quiet=True)
