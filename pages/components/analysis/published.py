"""As published, folded: numbers by the published rule on these rows, by ours, and the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

import streamlit as st

from ivan_core.charts.imprint import published_dots
from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.published import (
    OTHERS,
    PUBLISHED,
    published_models,
    published_rows,
)
from ivan_core.metrics.intervals import interval_text, number_text
from pages.components.analysis.charts import still_chart
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model
from pages.components.kit.text import say

_UNITS = (
    "By the published rule an imprint is in reward points, from one regression of all texts with"
    " their row id, and a shift (theta) is an angle in degrees; ours are in typical margins, pair"
    " by pair. Labels are counted in pairs, misaligned pairs in shares. Brackets are ± 2 classical"
    " standard errors by the published rule, 95% intervals by ours."
)
_COUNTS = ("labeler:", "regime:")
_SHARES = ("agreement:", "misaligned:after,labeler:")


def as_published(analysed: Analysed) -> None:
    """The table, folded; nothing where no labeler tells what it prefers."""
    of = analysed.manifest.get("published")
    if of is None or "published" not in analysed.tables:
        return
    folded = st.expander(PUBLISHED, key="as-published", on_change="rerun")
    if not folded.open:
        return
    with folded:
        named = f"before: {of['before']}, after: {of['after']}."
        alone = f"{of['after']} stands for the trained one, since no two models were named."
        who = analysed.labeler(of["labeler"]).named
        say(f"Labels by {who}; {named if of['before'] else alone}")
        say(OTHERS, "small")
        model = pick_model(published_models(analysed), "published-model")
        dots, name = published_rows(analysed, model), f"published-{model}"
        if still_chart(analysed, name, lambda dark: published_dots(dots, TITLES, dark=dark)):
            figure_menu(analysed.run.id, "published", model=model)
        say(_UNITS, "small", quiet=True)
        rows = analysed.tables["published"].to_dict("records")
        text = st.column_config.TextColumn
        st.dataframe(
            [
                {
                    "name": row["name"],
                    **{name: _told(row, name) for name in ("here_as_published", "here", "paper")},
                    "source": row["source"],
                }
                for row in rows
            ],
            hide_index=True,
            key="published-numbers",
            column_config={
                "name": text("Number", width=320),
                "here_as_published": text("Here, as published", width=170),
                "here": text("Here, by ours", width=170),
                "paper": text("In the paper", width=170),
                "source": text("Source", width=300),
            },
            alt="Numbers as published, by ours, and in the paper",
        )


def _told(row: Mapping[str, Any], name: str) -> str:
    """A number with what stands in brackets beside it; empty where there is none."""
    value = row[name]
    if isnan(value):
        return ""
    if row["name"].startswith(_COUNTS):
        return f"{int(value):,}"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    signed = not row["name"].startswith(_SHARES)
    ends = "" if isnan(low) else f" {interval_text(low, high, 3, signed=signed)}"
    return f"{number_text(value, 3, signed=signed)}{ends}"
