"""The ranking that the address of the page names, and the word that is looked up in it."""

from __future__ import annotations

import streamlit as st

from ivan_core.engine import access
from ivan_core.words import asking
from ivan_core.words.asking import Asked, Scored
from ivan_core.words.ends import Ranking
from pages.components.kit.state import RANKING, WORD, keep_ranking, write_query
from pages.components.kit.text import say, say_with_hint

_ASKED = "words-asked"


def remember(asked: Asked) -> None:
    """Show what was asked from now on; the address names it before it is answered."""
    key = asked.key
    st.session_state[_ASKED] = (key, asked)
    keep_ranking(key)


def addressed() -> Asked | Scored | None:
    """What the address names: what this session asked last, else a ranking that is kept here.

    None where it names none, or none that is kept, which is said. Nobody has words scored by
    following an address.
    """
    named = st.query_params.get(RANKING)
    if not named:
        return None
    last: tuple[str, Asked] | None = st.session_state.get(_ASKED)
    if last is not None and last[0] == named:
        return last[1]
    found = asking.kept_as(named)
    if found is None:
        say_with_hint(
            "The ranking that this address names is not kept here.",
            "Rank its words again." if access.asking().trusted else "",
        )
    return found


def word_field(ranking: Ranking, key: str) -> str:
    """The field for a word; one of the list stands in the address, and is taken from there.

    No other word is taken from an address: it would be scored unasked.
    """
    words = ranking.scored.words
    field = f"words-one-{key}"
    named = st.query_params.get(WORD, "")
    wanted = _listed(ranking, named)
    if field not in st.session_state or _listed(ranking, st.session_state[field]) != wanted:
        st.session_state[field] = wanted or ("love" if "love" in words else words[0])
    if named and not wanted:
        say("The word that this address names is not in the list.")

    def write() -> None:
        write_query({WORD: _listed(ranking, st.session_state[field])})

    typed = st.text_input("Where does a word stand?", key=field, max_chars=100, on_change=write)
    return " ".join(typed.split())


def _listed(ranking: Ranking, text: str) -> str | None:
    """A word as the list has it; None where it is not in the list."""
    found = ranking.place_of(text)
    return found and found[0]
