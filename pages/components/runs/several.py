"""Several runs that are ticked, in one table: who agrees how often, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ivan_core.domain.runs import Run
from ivan_core.engine.set_beside import together
from ivan_core.metrics.sentences import interval_ends, percent
from pages.components.kit.frame import problems_shown
from pages.components.kit.results import one_of, plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say

_TOGETHER = "set-together"


def in_one_table(ticked: Sequence[Run]) -> None:
    """Offer to set runs in one table; draw it once it was asked for, or say why it cannot be."""
    run_ids = tuple(run.id for run in ticked)
    with st.container(border=True, key="together"):
        names = ", ".join(run.label for run in ticked)
        say(f"{len(ticked)} runs are ticked: {names}.", "small")
        st.button(
            "Set in one table",
            key="together-ask",
            on_click=_ask,
            args=(run_ids,),
            help="For comparisons of the same pairs, whose models read texts in the same way.",
        )
        if st.session_state.get(_TOGETHER) == run_ids:
            with problems_shown():
                _draw(run_ids)


def _ask(run_ids: tuple[str, ...]) -> None:
    st.session_state[_TOGETHER] = run_ids


def _draw(run_ids: tuple[str, ...]) -> None:
    found = together(run_ids)
    for sentence in found.sentences:
        say(sentence, "small")
    shown = [
        {
            "Model": row["model"],
            "Run": row["run"],
            "Sides with the choice": percent(row["rate"], row["n"]) if row["n"] else "none rated",
            "95% interval": interval_ends(row["low"], row["high"], row["n"]) if row["n"] else "",
            "Pairs": row["n"],
            "Not read whole": row["truncated"],
            "Format": row["input_format"],
        }
        for row in found.table.to_dict("records")
    ]
    st.dataframe(shown, hide_index=True, alt="Agreement of all models of these runs")
    st.download_button(
        "CSV, verbatim",
        found.table.to_csv(index=False).encode,
        "runs.csv",
        key="together-csv",
        on_click="ignore",
    )
    picked = one_of("Picture", list(found.charts), "together-chart")
    plain_chart(found.charts[picked](dark()), f"together-{picked}")
