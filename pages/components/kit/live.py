"""A run while it is at work: progress, speed, time left, the numbers so far, and Cancel."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from ivan_core.charts.live import agreement_so_far
from ivan_core.domain.runs import LivePoint, Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.live_training import training_so_far
from ivan_core.metrics.live import running_agreement
from ivan_core.metrics.sentences import interval_ends, percent
from pages.components.kit.frame import problems_shown
from pages.components.kit.state import dark
from pages.components.kit.text import say


def live_run(run_id: str) -> None:
    """Draw a run that is at work, again every second until it ends; then the whole page once."""
    st.fragment(_draw, run_every=1.0)(run_id)


def _draw(run_id: str) -> None:
    with problems_shown():
        _progress(run_id)


def _progress(run_id: str) -> None:
    run = runs.get(run_id)
    if not run.state.live:
        st.rerun()
    spec = runs.spec_of(run)
    points = runs.live_points(run_id)
    say(f"Judging {spec.dataset.label}", "headline")
    st.progress(min(run.done / run.total, 1.0) if run.total else 0.0)
    say(_progress_sentence(run))
    say_silence(run)
    if st.button("Cancel", key="cancel", help="What is finished is kept; you can resume later."):
        if runs.get(run_id).state.live:
            runs.cancel(run_id)
        st.rerun()
    if points:
        planned = run.total // max(len(spec.models), 1)
        so_far = running_agreement(pd.DataFrame([asdict(point) for point in points]))
        if len(so_far):
            st.altair_chart(agreement_so_far(so_far, planned, dark=dark()), key="live-agreement")
        for model in spec.models:
            say(
                _so_far(model, [point for point in points if point.model == model], so_far),
                "small",
                quiet=True,
            )
        told = [
            training_so_far(run_id, model)
            for model in spec.models
            if model in so_far["model"].array
        ]
        if any(told):
            say(" ".join(filter(None, told)), "small", quiet=True)


def say_silence(run: Run) -> None:
    """Say that a worker hangs, where it does."""
    silent = runs.silence(run)
    if silent:
        say(silent, "lead")


def _progress_sentence(run: Run) -> str:
    if not run.total:
        return f"{run.doing or 'Starting a worker'} …"
    parts = [f"{run.doing or 'Starting a worker'}: {run.done:,} of {run.total:,} judgements"]
    if run.rate:
        parts.append(f"{run.rate:,.0f} rows/s")
    if run.left is not None:
        parts.append(f"{run.left.words} left")
    return " · ".join(parts)


def _so_far(model: str, points: list[LivePoint], so_far: pd.DataFrame) -> str:
    own = so_far[so_far["model"] == model]
    if own.empty:
        return f"{model}: nothing rated yet."
    last = own.iloc[-1]
    rate, n = float(last["rate"]), int(last["n"])
    squares, total = sum(p.margin_squares for p in points), sum(p.margin_sum for p in points)
    typical = (squares / n) ** 0.5 if n and squares else None
    mean = f"; mean margin {total / n / typical:+.2f} typical margins" if typical else ""
    ends = interval_ends(float(last["low"]), float(last["high"]), n)
    return f"{model}: {percent(rate, n)} of {n:,} pairs so far {ends}{mean}."
