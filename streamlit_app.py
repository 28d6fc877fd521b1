"""Home: a study begins with one button or with pairs of one's own; then what was found in it."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from pages.components.home import comparisons, first_visit, found_in, not_judged, this_machine
from pages.components.kit.frame import frame, list_of_runs, problems_shown
from pages.components.kit.state import page_of
from pages.components.kit.study import is_new_study, study_now
from pages.components.kit.text import say

_RECENT = 5
_LOOKED_AT = 5
"""How many of the newest finished comparisons may be damaged before Home says so."""

with frame("Home"):
    st.title("What does a preference dataset really teach a reward model?", anchor=False)
    recent = runs.experiments(_RECENT)
    about, is_new = study_now(), is_new_study()
    done = [] if is_new else list(islice(comparisons(about), _LOOKED_AT))
    live = next(iter(runs.live_experiments()), None)
    if live is not None:
        say("A run is at work.", "lead")
        st.page_link(page_of(live), label=":primary[Watch it →]", query_params={"run": live.id})
    if done:
        with problems_shown():
            whole = next(runs.opened(done, open_results), None)
            found_in(whole or open_results(done[0].id))
    elif is_new or (about is None and live is None):
        first_visit()
    elif about is not None and live is None:
        not_judged(about)
    list_of_runs("Recent runs", recent, lambda run: f"{run.id}: {runs.about(run)}, {run.state}")
    this_machine()
