"""Several models and several labels at once: whether two models reward alike, and what two labels
add together, as records."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan

from ivan_core.experiments.analysis.steps.outcomes import Outcome, Record, estimate_record
from ivan_core.metrics.imprint.controls import CONTROLS, Control
from ivan_core.metrics.imprint.effects import together
from ivan_core.metrics.imprint.interaction import both, interaction

SAME_MARGINS = "both models have the same margins"
_NO_TEST = "these pairs are too few, or too much alike, for one test of all"
NOT_TOLD = ("authored labels do not tell what each reply is", "this labeler was not asked for both")
"""Why a labeler tells nothing of two labels together."""


def differences(found: Iterable[Outcome]) -> list[Record]:
    """The test that two models reward all features alike, of any two, by labeler and control."""
    return [
        {**outcome.named, "control": control, **_test(outcome, control)}
        for outcome in found
        if outcome.before
        for control in CONTROLS
    ]


def _test(outcome: Outcome, control: Control) -> Record:
    rows = outcome.rows
    of = {"n": len(rows), "prompts": rows.groups.count}
    nothing = {"f": nan, "df1": 0, "df2": 0, "p": nan, **of}
    if not outcome.y.any():
        return {**nothing, "why": SAME_MARGINS}
    fitted = together(rows, outcome.y, control)
    tested = [one.feature for one in fitted.effects if not one.why and one.feature in rows.features]
    found = fitted.none_differs(tested)
    if found is None:
        return {**nothing, "why": _NO_TEST}
    return {"f": found.f, "df1": found.df, "df2": found.df_below, "p": found.p, **of, "why": ""}


def interactions(found: Iterable[Outcome], asked: tuple[str, str]) -> list[Record]:
    """What two labels add together to each model's margins, by labeler and control."""
    return [
        {
            "model": outcome.model,
            "labeler": outcome.labeler.run_id,
            "control": control,
            "feature": asked[0],
            "other": asked[1],
            **_added(outcome, asked, control),
        }
        for outcome in found
        if not outcome.before
        for control in CONTROLS
    ]


def _added(outcome: Outcome, asked: tuple[str, str], control: Control) -> Record:
    own, inside, rows = outcome.labeler, outcome.inside, outcome.rows
    nothing = dict.fromkeys(("estimate", "se", "low", "high", "p"), nan)
    counts = {"n": len(rows), "differs": 0, "prompts": 0}
    if own.authored or not set(asked) <= set(own.features):
        return {**nothing, **counts, "why": NOT_TOLD[0 if own.authored else 1]}
    places = [own.features.index(key) for key in asked]
    column = both(own.chosen[inside][:, places], own.rejected[inside][:, places])
    told = interaction(rows, asked, column, outcome.y, control)
    counts |= {"differs": told.differs, "prompts": told.prompts}
    return {**estimate_record(told.found), **counts, "why": told.why}
