"""A comparison at work: how often each model agrees so far."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from ivan_core.charts.live import agreement_so_far, standing_so_far
from ivan_core.domain.runs import LivePoint, Run
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.words import short_names
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.tables import training_so_far
from ivan_core.metrics.agreement import running_agreement
from ivan_core.metrics.intervals import number_text
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.models.sentences import so_far_sentence
from ivan_core.metrics.sentences import interval_ends, percent
from pages.components.kit.live import Panel, counted
from pages.components.kit.results import plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say


def _headline(run: Run) -> str:
    return f"Judging {runs.spec_of(run, CompareSpec).dataset.label}"


def _standing(run: Run) -> list[str]:
    return [counted(run, "judgements"), *([f"{run.rate:,.0f} a second"] if run.rate else [])]


def _so_far(run: Run) -> None:
    points = runs.live_points(run.id)
    if not points:
        return
    models = runs.spec_of(run, CompareSpec).models
    so_far = running_agreement(pd.DataFrame([asdict(point) for point in points]))
    planned, many = run.total // max(len(models), 1), len(models) > MOST_TOLD
    if len(so_far):
        if many:
            named = so_far.assign(model=so_far["model"].map(short_names(models)))
            chart = standing_so_far(named, dark=dark())
        else:
            chart = agreement_so_far(so_far, planned, dark=dark())
        plain_chart(chart, "live-agreement")
    if many:
        say(so_far_sentence(so_far, len(models), planned), "small", quiet=True)
    else:
        for model in models:
            own = [point for point in points if point.model == model]
            say(_of_model(model, own, so_far), "small", quiet=True)
    rated = [model for model in models if model in so_far["model"].array]
    training = training_so_far(run.id, rated)
    if training:
        say(training, "small", quiet=True)


def _of_model(model: str, points: list[LivePoint], so_far: pd.DataFrame) -> str:
    own = so_far[so_far["model"] == model]
    if own.empty:
        return f"{model}: nothing rated yet."
    last = own.iloc[-1]
    rate, n = float(last["rate"]), int(last["n"])
    squares, total = sum(p.margin_squares for p in points), sum(p.margin_sum for p in points)
    typical = (squares / n) ** 0.5 if n and squares else None
    mean = ""
    if typical:
        lean = number_text(total / n / typical, 2, signed=True)
        mean = f"; on average {lean} typical margins towards the chosen reply"
    ends = interval_ends(float(last["low"]), float(last["high"]), n)
    return f"{model}: {percent(rate, n)} of {n:,} pairs so far {ends}{mean}."


def stopped_at(run: Run) -> str:
    """How far a comparison came that stopped before its end; empty if not far at all."""
    if not run.done:
        return ""
    return f"It stopped at {run.done:,} of {run.total:,} judgements; what is finished is kept."


PANEL = Panel(_headline, _standing, _so_far)
