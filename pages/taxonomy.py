"""Taxonomy: label every text, with a provider's batches or with a labeler of one's own."""

from __future__ import annotations

import streamlit as st

from ivan_core.workspace import runs
from pages.components.frame import frame
from pages.components.state import TAXONOMY, chosen_run
from pages.components.text import say

with frame("Taxonomy"):
    st.title("Taxonomy", anchor=False)
    run_id = chosen_run(TAXONOMY)
    if run_id:
        say(runs.about(runs.get(run_id)), "small", quiet=True)
