"""Rewrite: reword pairs slightly, and see what moves although the meaning did not."""

from __future__ import annotations

import streamlit as st

from ivan_core.workspace import runs
from pages.components.frame import frame
from pages.components.state import REWRITE, chosen_run
from pages.components.text import say

with frame("Rewrite"):
    st.title("Rewrite", anchor=False)
    say(
        "Two texts that mean the same deserve the same reward. Here pairs are reworded slightly, "
        "and what moves is measured.",
        "lead",
    )
    run_id = chosen_run(REWRITE)
    if run_id is None:
        say("`ivan rewrite --limit 100` starts one.")
    else:
        run = runs.get(run_id)
        say(f"{run.label}: {run.state}. {run.problem} {run.hint}".strip())
