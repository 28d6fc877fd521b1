"""The first visit: one sentence, one button, and what this machine could do besides."""

from __future__ import annotations

import streamlit as st

from ivan_core.engine import handling as runs
from ivan_core.engine.machine import equipment
from ivan_core.experiments.compare import plan as compare
from pages.components.kit.state import COMPARE
from pages.components.kit.text import say


def first_visit() -> None:
    """What IVAN is for, and the one button."""
    say(
        "A reward model scores replies; in RLHF it stands in for people. IVAN puts such models "
        "to the test, pair by pair, and shows you where they side with the choice and where "
        "they do not.",
        "lead",
    )
    spec = compare.preset_spec("demo")
    plan = compare.plan(spec)
    took = plan.takes.words if plan.takes else "about a minute"
    if st.button(f"Judge the sample with two models, {took}", type="primary", key="first"):
        run_id, _ = runs.start(spec)
        st.session_state["run"] = run_id
        st.switch_page(COMPARE, query_params={"run": run_id})
    pairs = f"{plan.pairs:,} bundled pairs" if plan.pairs is not None else "Bundled pairs"
    say(
        f"{pairs}, two small models that ship with IVAN. Nothing is downloaded or sent.",
        "small",
        quiet=True,
    )


def this_machine() -> None:
    """What this machine has, and how to get what it has not."""
    with st.expander("When you want more"):
        for thing in equipment():
            mark, hint = ("✓", "") if thing.present else ("–", thing.hint)
            say(f"{mark} {thing.name}. {hint}".strip())
