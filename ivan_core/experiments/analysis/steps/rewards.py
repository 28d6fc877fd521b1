"""What models reward: the tables of the imprint and of all that stands beside it, as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.outcomes import (
    Outcome,
    Record,
    effect_record,
    estimate_record,
    on_same_rows,
)
from ivan_core.experiments.analysis.steps.people import People
from ivan_core.metrics.imprint.choice import choice
from ivan_core.metrics.imprint.controls import CONTROLS, control_named
from ivan_core.metrics.imprint.effects import SAME, SAME_OF_TWO, Effect, alone, clearness, together
from ivan_core.metrics.imprint.explained import explained, importance
from ivan_core.metrics.imprint.topics import Cell, topics

SUBSET = "subset: "
"""Begins the name of a subset where topics are named, too."""
_SEED = 0
"""Of the draws behind the intervals of importance."""


def imprint(by_labeler: Sequence[Sequence[Outcome]], people: People | None = None) -> list[Record]:
    """The imprint of each outcome by each labeler, control and view.

    `by_labeler` holds the outcomes of one labeler after the other, in the same order. Where people
    described enough pairs they count as a labeler for what is clear.
    """
    records: list[Record] = []
    for of_labelers in zip(*by_labeler, strict=True):
        views = [("together", control) for control in CONTROLS] + [("alone", "")]
        for view, control in views:
            found = [effects_of(one, view, control) for one in of_labelers]
            clear = clearness(
                [_by_feature(own) for own, _ in found],
                [_by_feature(_as_people(one, people, view, control)) for one in of_labelers],
            )
            for outcome, (own, spread), words in zip(of_labelers, found, clear, strict=True):
                of = {**outcome.named, "control": control, "view": view, "spread": spread}
                records += [
                    {**of, **effect_record(one), "clear": words[one.feature]} for one in own
                ]
    return records


def as_people(found: Iterable[Outcome], people: People) -> list[Record]:
    """The imprint of each model, and of the difference of two, by each labeler, corrected to what
    people would label; none while they described too few pairs."""
    records: list[Record] = []
    for outcome in found:
        reviewed = people.on(outcome.inside, outcome.rows.features)
        records += [
            {**outcome.named, **effect_record(one), "reviewed": reviewed}
            for one in _as_people(outcome, people, "together", "length")
        ]
    return records


def _as_people(
    outcome: Outcome, people: People | None, view: str, control: str
) -> tuple[Effect, ...]:
    if people is None:
        return ()
    return people.effects(outcome.inside, outcome.rows, outcome.y, view, control) or ()


def _by_feature(effects: Iterable[Effect]) -> dict[str, Effect]:
    return {one.feature: one for one in effects}


def effects_of(
    outcome: Outcome, view: str, control: str
) -> tuple[tuple[Effect, ...], float | None]:
    """The effects of one view, and the spread of what is left of the outcome."""
    same = SAME_OF_TWO if outcome.before else SAME
    if view == "alone":
        return alone(outcome.rows, outcome.y, same), None
    found = together(outcome.rows, outcome.y, control_named(control), same)
    return found.effects, found.spread


def explains(found: Iterable[Outcome]) -> list[Record]:
    """The held-out R² of length, labels and both."""
    return [
        {
            **outcome.named,
            "columns": one.columns,
            "r2": one.found.estimate,
            "low": one.found.low,
            "high": one.found.high,
            "n": one.n,
        }
        for outcome in found
        for one in explained(outcome.rows, outcome.y, outcome.folds)
    ]


def matters(found: Sequence[Outcome]) -> list[Record]:
    """Each column's share of R², of models but not of their differences."""
    records: list[Record] = []
    for several in on_same_rows(found):
        shares = importance(
            several[0].rows, [one.y for one in several], np.random.default_rng(_SEED)
        )
        for outcome, own in zip(several, shares, strict=True):
            of = {"model": outcome.model, "labeler": outcome.labeler.run_id}
            records += [
                {**of, "feature": one.feature, "share": one.share, "low": one.low, "high": one.high}
                for one in own
            ]
    return records


def by_topic(found: Sequence[Outcome], subset: NDArray[np.object_]) -> list[Record]:
    """Where effects differ: by the chosen reply's topics, and by the dataset's subsets."""
    records: list[Record] = []
    for several in on_same_rows(found):
        first = several[0]
        own, inside, ys = first.labeler, first.inside, [one.y for one in several]
        among = dict(zip(own.topic_names, own.topics[inside].T, strict=True))
        parts = sorted({name for name in subset[inside] if isinstance(name, str)})
        by_subset = {f"{SUBSET}{name}": subset[inside] == name for name in parts}
        families = [topics(first.rows, ys, among)]
        if len(parts) > 1:
            families.append(topics(first.rows, ys, by_subset))
        for cells in families:
            for outcome, cells_of in zip(several, cells, strict=True):
                records += [_cell(outcome, one) for one in cells_of]
    return records


def _cell(outcome: Outcome, one: Cell) -> Record:
    return {
        "model": outcome.model,
        "labeler": outcome.labeler.run_id,
        "topic": one.topic,
        "feature": one.feature,
        "inside": one.inside,
        "outside": one.outside,
        **{name: value for name, value in estimate_record(one.found).items() if name != "se"},
        "q": one.q,
    }


def choices(joined: Joined, labeler: str) -> list[Record]:
    """What the choice rewards beside each model, and their gaps, on the pairs all have rated."""
    inside = joined.enters(list(joined.models), labeler)
    rows, own = joined.rows(inside, labeler), joined.labelers[labeler]
    wins = {
        name: (np.sign(judged.margin[inside]) + 1) / 2 for name, judged in joined.models.items()
    }
    found = choice(rows.differences, own.features, rows.length, joined.prompts[inside], wins)
    return [
        {
            "who": one.who,
            "labeler": labeler,
            "feature": one.feature,
            "log_odds": one.found.estimate,
            **{
                name: value
                for name, value in estimate_record(one.found).items()
                if name != "estimate"
            },
            "p_holm": one.p_holm,
            "wins": one.wins,
            "strength": one.strength,
            "n": one.n,
            "differs": one.differs,
            "why": one.why,
        }
        for one in found
    ]
