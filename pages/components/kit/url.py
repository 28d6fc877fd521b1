"""What the URL holds beside run and row, written in one step, and carried to the other pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

from ivan_core.experiments.compare.conditions import LANGUAGE
from ivan_core.lists.url import parameters
from pages.components.kit.state import keep_filter, kept_filter

SHOWN = "show"
"""The user column whose charts are drawn on Compare."""
GUESS = "guess"
"""Whether the choice on Pairs is hidden until a guess is made."""
NAME = "name"
"""Who guesses."""
FILTER = parameters(LANGUAGE)
"""The filter of the rows of a comparison."""
_CARRIED = (*FILTER, SHOWN, GUESS, NAME)


def write_query(changes: Mapping[str, str | None]) -> None:
    """Change parameters of the URL (None takes one away): one step for the Back button."""
    query = st.query_params.to_dict()
    wanted = {name: value for name, value in {**query, **changes}.items() if value is not None}
    if wanted != query:
        st.query_params.from_dict(wanted)


def carry(run_id: str, own: Mapping[str, str], names: Collection[str]) -> None:
    """Keep for links to a run what they must carry.

    Of the parameters called `names` the page that calls knows best: they are what `own` holds, or
    gone. The others stand in the URL, or are as another page left them.
    """
    query = st.query_params.to_dict()
    there = kept_filter(run_id) | {name: query[name] for name in _CARRIED if name in query}
    others = {name: value for name, value in there.items() if name not in names}
    keep_filter(run_id, others | dict(own))
