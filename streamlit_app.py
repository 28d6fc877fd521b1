"""Home: one sentence, one button; afterwards what was found and what comes next."""

from __future__ import annotations

import streamlit as st

from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from pages.components.home import first_visit, found_in, this_machine
from pages.components.kit.frame import frame, list_of_runs, problems_shown
from pages.components.kit.state import page_of
from pages.components.kit.text import say

_RECENT = 5
_LOOKED_AT = 5
"""How many of the newest finished comparisons may be damaged before Home says so."""

with frame("Home"):
    st.title("What does a preference dataset really teach a reward model?", anchor=False)
    recent = runs.experiments(_RECENT)
    done = runs.newest_done("compare", _LOOKED_AT)
    live = next(iter(runs.live_experiments()), None)
    if live is not None:
        say("A run is at work.", "lead")
        st.page_link(page_of(live), label=":primary[Watch it →]", query_params={"run": live.id})
    elif not done:
        first_visit()
    if done:
        with problems_shown():
            whole = next(runs.opened(done, open_results), None)
            found_in(whole or open_results(done[0].id))
    list_of_runs("Recent runs", recent, lambda run: f"{run.id}: {runs.about(run)}, {run.state}")
    this_machine()
