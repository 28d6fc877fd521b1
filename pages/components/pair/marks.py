"""Which words of the two replies are marked: those that differ, those that moved one model, none.

The address says which, so that a reload and a sent link show the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.margin_words import MOST_TOLD
from pages.components.compare.filtering import carry
from pages.components.kit.state import write_query
from pages.components.kit.text import md_escape
from pages.components.pair.waiting import ask
from pages.components.public.reading import may_ask

MARKED = "marked"
"""The parameter of the address: a model, or `NOTHING`; without it words that differ are marked."""
DIFFER, NOTHING = "", "nothing"
_KEY = "marked-words"


def marked(results: Results) -> str:
    """`DIFFER`, `NOTHING`, or the model whose words are marked."""
    asked = st.query_params.get(MARKED, DIFFER)
    return asked if asked in (NOTHING, *_asked_of(results)) else DIFFER


def _asked_of(results: Results) -> Sequence[str]:
    """The models that can be asked which words moved them."""
    return results.models if may_ask() else ()


def mark(what: str) -> None:
    """Mark other words from now on; those that moved a model are asked for."""
    write_query({MARKED: what or None})
    ask("moved")


def marks_switch(results: Results) -> None:
    """Words that differ, words that moved a model; pressed once more, nothing."""
    models = _asked_of(results)
    names = short_names(models)
    now = marked(results)
    st.session_state[_KEY] = None if now == NOTHING else now
    if len(models) > MOST_TOLD:
        st.selectbox(
            "Marked words",
            [DIFFER, *models],
            index=None,
            key=_KEY,
            format_func=lambda of: f"Words that moved {names[of]}" if of else "Words that differ",
            placeholder="Nothing is marked",
            label_visibility="collapsed",
            on_change=_turn,
            width=320,
        )
        own = {MARKED: now} if now != DIFFER else {}
        carry(results.run.id, own, (MARKED,))
        return
    st.segmented_control(
        "Marked words",
        [DIFFER, *models],
        key=_KEY,
        format_func=lambda of: (
            f"Words that moved {md_escape(names[of])}" if of else "Words that differ"
        ),
        help="Press the one that is chosen once more, and nothing is marked.",
        label_visibility="collapsed",
        wrap=True,
        on_change=_turn,
    )
    own = {MARKED: now} if now != DIFFER else {}
    carry(results.run.id, own, (MARKED,))


def _turn() -> None:
    picked = st.session_state[_KEY]
    mark(NOTHING if picked is None else picked)
