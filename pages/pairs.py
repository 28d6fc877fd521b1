"""Pairs: read one pair side by side, with what each model said of it."""

from __future__ import annotations

import streamlit as st

from ivan_core.experiments.compare.results import open_results
from pages.components.kit.frame import frame
from pages.components.kit.state import choose_run, chosen_row, chosen_run, latest_done
from pages.components.kit.study import HOME, in_study
from pages.components.kit.text import say
from pages.components.pair.one_pair import one_pair
from pages.components.pair.walk import walk_of

with frame("Pairs"):
    run_id = chosen_run() or latest_done()
    st.title("Pairs", anchor=False)
    if run_id is None:
        say("There is nothing to read yet: let models judge these pairs first.")
        st.page_link(HOME, label=":primary[Go to Home →]", query_params=in_study())
    else:
        choose_run(run_id)
        results = open_results(run_id)
        row, walk = chosen_row(), walk_of(results)
        first = next(iter(walk.rows), results.row_ids[0])
        one_pair(results, walk, first if row is None else row)
