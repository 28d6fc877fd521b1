"""What the URL holds beside run, row and filter, written in one step."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

SHOWN = "show"
"""The user column whose charts are drawn on Compare."""
GUESS = "guess"
"""Whether the choice on Pairs is hidden until a guess is made."""
NAME = "name"
"""Who guesses."""


def write_query(changes: Mapping[str, str | None]) -> None:
    """Change parameters of the URL (None takes one away): one step for the Back button."""
    query = st.query_params.to_dict()
    wanted = {name: value for name, value in {**query, **changes}.items() if value is not None}
    if wanted != query:
        st.query_params.from_dict(wanted)
