"""What somebody says of a pair under their name: a guess before the choice shows, star and note."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import Choice, Guess, Mark, MarkConflict
from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.results import JudgedPair, Results
from ivan_core.review.marks import TELL_FROM, left_side, reviews, tally
from ivan_core.review.rights import is_thrown_away, verified_name
from pages.components.compare.filtering import carry
from pages.components.kit.frame import problems_shown, show_error, tell_refusal
from pages.components.kit.state import GUESS, NAME, kindly, write_query
from pages.components.kit.text import say
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

    While guessing it stands in the URL too, so that it outlives a reload. In a demo it is given.
    """
    if is_thrown_away():
        return verified_name()
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
        if not is_thrown_away():
            st.button("Not you?", key="other-name", type="tertiary", on_click=_be, args=("",))
    made = reviews().guesses(dataset, name)
    _tell(results, made)
    own = next((guess for guess in made if guess.row_id == row), None)
    if own is not None:
        # The chosen reply is A from here on, whatever it was called while the choice was hidden.
        say(_PICKED[own.sided_with])
        return False
    tell_refusal()
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


def notes(results: Results, row_id: int) -> None:
    """Your star and note on a row, and the notes of others."""
    dataset = results.dataset.fingerprint
    said = reviews().marks(dataset, [row_id])
    name = your_name()
    own = reviews().mark(dataset, row_id, name) if name else None
    stars = sum(mark.starred for mark in said)
    title = f"Note and star ({len(said)})" if said else "Note and star"
    # Open where something was said; else the new title after a first save would fold it.
    with st.expander(title, expanded=bool(said)), problems_shown():
        for mark in said:
            if mark.author != name:
                say(f"{'★ ' if mark.starred else ''}{mark.author}: {mark.note}", "small")
        if own is None:
            ask_name()
            return
        key = f"{dataset}-{row_id}-{name}"
        base = _base(key, own)
        starred = st.toggle("Star", base.starred, key=f"star-{key}")
        text = st.text_area("Note", base.note, key=f"note-{key}", max_chars=4000)
        if st.button("Save", key="note-save"):
            try:
                reviews().save(replace(base, starred=starred, note=(text or "").strip()))
            except MarkConflict as conflict:
                # What was typed stays in the field; the next save is made in full knowledge.
                st.session_state[f"base-{key}"] = conflict.current
                show_error(conflict)
                say(f"It now says: {conflict.current.note}", "small")
                return
            st.session_state[f"base-{key}"] = reviews().mark(dataset, row_id, name)
            st.rerun()
        if stars:
            say(f"{stars} starred this pair.", "small", quiet=True)


def _base(key: str, saved: Mark) -> Mark:
    """What stood there when the typing began: a later save by others must not replace the words."""
    if f"note-{key}" not in st.session_state:
        st.session_state[f"base-{key}"] = saved
    base: Mark = st.session_state[f"base-{key}"]
    return base
