"""The way from Home to the tour."""

from __future__ import annotations

import streamlit as st

from pages.components.kit.study import in_study

_HANDBOOK = "pages/handbook.py"


def show_me() -> None:
    """A link to the chapter of the handbook that leads from one press to a finding."""
    query = {**(in_study() or {}), "chapter": "tour"}
    st.page_link(_HANDBOOK, label=":primary[Show me, in ten minutes →]", query_params=query)
