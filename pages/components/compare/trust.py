"""The trust strip: one chip a model, green, amber or red, that opens to its reasons."""

from __future__ import annotations

import streamlit as st

from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.trust import Level, TrustStrip
from pages.components.kit.text import md_escape, say, short_names

_SIGNS: dict[Level, str] = {"green": "✓", "unknown": "?", "amber": "!", "red": "✗"}
_COLOURS: dict[Level, str] = {"green": "green", "unknown": "gray", "amber": "orange", "red": "red"}
_WORDS: dict[Level, str] = {
    "green": "nothing against it",
    "unknown": "not all is known",
    "amber": "look first",
    "red": "do not trust yet",
}


def trust(results: Results) -> None:
    """Draw the strips that were measured with the run; older and unfinished runs have none."""
    plain = (results.manifest or {}).get("trust", [])
    if not plain:
        return
    strips = [TrustStrip.from_dict(strip) for strip in plain]
    names = short_names([strip.model for strip in strips])
    with st.container(horizontal=True, vertical_alignment="center", key="trust"):
        with st.container(width="content"):
            say("Can the numbers be trusted?", "small", quiet=True)
        for strip in strips:
            label = f"{_SIGNS[strip.level]} {names[strip.model]}: {_WORDS[strip.level]}"
            with st.popover(f":{_COLOURS[strip.level]}[{md_escape(label)}]"):
                _reasons(strip)


def _reasons(strip: TrustStrip) -> None:
    """Every check with its sign, its name and its reason, the worst first."""
    order = ("red", "amber", "unknown", "green")
    for check in sorted(strip.checks, key=lambda check: order.index(check.level)):
        say(f"{_SIGNS[check.level]} {check.name}: {check.reason}", "small")
