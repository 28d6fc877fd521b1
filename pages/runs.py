"""Runs: every run with its state; open, resume, cancel."""

from __future__ import annotations

import streamlit as st

from ivan_core.engine import handling as runs
from pages.components.kit.frame import frame
from pages.components.kit.keys import tab_leaves_tables
from pages.components.kit.redrawn import redrawn
from pages.components.runs.manage import housekeeping, tell
from pages.components.runs.table import table_of_runs

with frame("Runs"):
    st.title("Runs", anchor=False)
    tell()
    tab_leaves_tables()
    live = bool(runs.live_experiments())
    redrawn(table_of_runs, every=2.0 if live else None)(live)
    housekeeping()
