"""Choosing one model of a run."""

from __future__ import annotations

import streamlit as st

from ivan_core.experiments.compare.results import Results
from pages.components.kit.text import md_escape, short_names


def pick_model(results: Results, key: str) -> str:
    """The model to look at: the only one, or the one chosen."""
    if len(results.models) == 1:
        return results.models[0]
    names = short_names(results.models)
    picked = st.segmented_control(
        "Model", results.models, key=key, default=results.models[0], required=True,
        format_func=lambda model: md_escape(names[model]), label_visibility="collapsed",
    )  # fmt: skip
    return picked or results.models[0]
