"""A table of an analysis to look at: names in place of keys and runs, numbers short enough to read.

Its CSV has all of them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.results import Analysed

if TYPE_CHECKING:
    import pandas as pd

_LABELERS, _FEATURES = ("labeler", "beside"), ("feature", "other")


def numbers_table(analysed: Analysed, table: pd.DataFrame, key: str, alt: str) -> None:
    """Draw it without the columns that hold nothing; `alt` says what it is."""
    shown = table.assign(
        **{
            one: [analysed.labeler(run_id).named for run_id in table[one]]
            for one in _LABELERS
            if one in table
        }
    )
    for named in _FEATURES:
        if named in shown:
            shown[named] = [TITLES.get(one, one) for one in shown[named]]
    held = [one for one in shown if (shown[one].notna() & shown[one].ne("")).any()]
    short = st.column_config.NumberColumn(format="%.4g")
    heads = {one: str(one).replace("_", " ") for one in held}
    st.dataframe(
        shown[held].rename(columns=heads),
        hide_index=True,
        key=key,
        alt=alt,
        placeholder="",
        column_config={heads[one]: short for one in held if shown[one].dtype.kind == "f"},
    )
