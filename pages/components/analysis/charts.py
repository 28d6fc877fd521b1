"""The charts of an analysis: the specification of each is made once, and its marks are pressed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.charts.palette import Drawing
from ivan_core.engine.opened import Stamp, stamp_of
from ivan_core.experiments.analysis.results import Analysed
from pages.components.analysis.chosen import open_effect
from pages.components.kit.results import Spec, clicked_chart, plain_chart, spec_of
from pages.components.kit.state import dark

CLICKS = "analysis-clicks"
"""Counts in the session how often charts let go of their marks."""


def effects_chart(analysed: Analysed, name: str, make: Callable[[bool], Drawing]) -> bool:
    """Draw a chart whose pressed mark goes into the address; whether there is one.

    `make` is asked once for a dark chart and once for a light one: all that it draws must follow
    from the analysis and from `name`.
    """
    spec = _made(stamp_of(analysed.run), name, dark(), make)
    return clicked_chart(spec, f"{name}-{analysed.run.id}", "effect", CLICKS, open_effect)


def still_chart(analysed: Analysed, name: str, make: Callable[[bool], Drawing]) -> bool:
    """The same of a chart whose marks take no clicks."""
    spec = _made(stamp_of(analysed.run), name, dark(), make)
    return plain_chart(spec, f"{name}-{analysed.run.id}")


@st.cache_resource(max_entries=64, show_spinner=False)
def _made(stamp: Stamp, name: str, is_dark: bool, _make: Callable[[bool], Drawing]) -> Spec:
    """Making a specification takes longer than all else on a click."""
    return spec_of(_make(is_dark))
