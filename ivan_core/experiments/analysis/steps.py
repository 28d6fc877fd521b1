"""The numbers of an analysis, table by table, as records by the columns of `tables.TABLES`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.experiments.analysis.joined import Joined, Labelled
from ivan_core.experiments.analysis.people import People
from ivan_core.metrics.imprint.against import REGIMES, Regimes, against_choice, regimes
from ivan_core.metrics.imprint.choice import choice
from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.effects import CLEAR_FOR_ONE, Effect, alone, clearness, together
from ivan_core.metrics.imprint.explained import explained, importance
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import Estimate, mean_of
from ivan_core.metrics.imprint.preference import PREFERS, Bools, Codes, prefers
from ivan_core.metrics.imprint.rows import CONTROLS, Rows
from ivan_core.metrics.imprint.topics import Cell, topics
from ivan_core.metrics.imprint.why import why_against
from ivan_core.metrics.labels.answers import CHOICE_KEYS
from ivan_core.metrics.paired import SIGNIFICANT

Record = dict[str, Any]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SEED = 0
"""Of the draws behind the intervals of importance."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a regression explains: a model's margins, or one model's less another's, in typical
    margins (n), on the pairs that enter it with one labeler.

    `before` is the model whose margins are taken away, or empty; `inside` are the pairs among all.
    """

    model: str
    before: str
    labeler: Labelled
    inside: Bools
    rows: Rows
    y: Floats
    folds: Ints
    prompts: Ints

    @property
    def named(self) -> Record:
        return {"model": self.model, "before": self.before, "labeler": self.labeler.run_id}


def outcomes(joined: Joined, labeler: str, before: str = "", after: str = "") -> list[Outcome]:
    """Each model, then any two: the first less the second, or the one after less that before.

    Those on the same pairs share their rows, so that what is made of these is made once.
    """
    names = list(joined.models)
    turned = {frozenset((before, after)): (after, before)} if before and after else {}
    pairs = [turned.get(frozenset(two), two) for two in combinations(names, 2)]
    shared: dict[bytes, Rows] = {}
    found: list[Outcome] = []
    for model, less in [*((name, "") for name in names), *pairs]:
        inside = joined.enters([model, *([less] if less else [])], labeler)
        key = inside.tobytes()
        if key not in shared:
            shared[key] = joined.rows(inside, labeler)
        y = joined.models[model].in_units[inside]
        if less:
            y = y - joined.models[less].in_units[inside]
        own, folds, prompts = joined.labelers[labeler], joined.folds[inside], joined.prompts[inside]
        found.append(Outcome(model, less, own, inside, shared[key], y, folds, prompts))
    return found


def _on_same_rows(found: Iterable[Outcome]) -> list[list[Outcome]]:
    """The outcomes of single models, those with the same rows together."""
    by_rows: dict[int, list[Outcome]] = {}
    for outcome in found:
        if not outcome.before:
            by_rows.setdefault(id(outcome.rows), []).append(outcome)
    return list(by_rows.values())


def imprint(by_labeler: Sequence[Sequence[Outcome]], people: People | None = None) -> list[Record]:
    """The imprint of each outcome by each labeler, control and view.

    `by_labeler` holds the outcomes of one labeler after the other, in the same order. Where people
    described enough pairs they count as a labeler for what is clear.
    """
    records: list[Record] = []
    for of_labelers in zip(*by_labeler, strict=True):
        views = [("together", control) for control in CONTROLS] + [("alone", "")]
        for view, control in views:
            found = [_imprint(one, view, control) for one in of_labelers]
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
    """The imprint of each model by each labeler, corrected to what people would label; none while
    they described too few pairs."""
    return [
        {
            "model": outcome.model,
            "labeler": outcome.labeler.run_id,
            **effect_record(one),
            "reviewed": people.on(outcome.inside, outcome.rows.features),
        }
        for outcome in found
        if not outcome.before
        for one in _as_people(outcome, people, "together", "length")
    ]


def _as_people(
    outcome: Outcome, people: People | None, view: str, control: str
) -> tuple[Effect, ...]:
    if people is None:
        return ()
    return people.effects(outcome.inside, outcome.rows, outcome.y, view, control) or ()


def _by_feature(effects: Iterable[Effect]) -> dict[str, Effect]:
    return {one.feature: one for one in effects}


def _imprint(outcome: Outcome, view: str, control: str) -> tuple[tuple[Effect, ...], float | None]:
    """The effects of one view, and the spread of what is left of the outcome."""
    if view == "alone":
        return alone(outcome.rows, outcome.y), None
    found = together(outcome.rows, outcome.y, next(one for one in CONTROLS if one == control))
    return found.effects, found.spread


def effect_record(one: Effect) -> Record:
    """One effect by the columns of the imprint."""
    return {
        "feature": one.feature,
        **_estimate(one.found),
        "p_holm": one.p_holm,
        "n": one.n,
        "differs": one.differs,
        "prompts": one.prompts,
        "why": one.why,
    }


def _estimate(found: Estimate) -> Record:
    return {
        "estimate": found.estimate,
        "se": found.se,
        "low": found.low,
        "high": found.high,
        "p": found.p,
    }


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
    for several in _on_same_rows(found):
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
    for several in _on_same_rows(found):
        first = several[0]
        own, inside, ys = first.labeler, first.inside, [one.y for one in several]
        among = dict(zip(own.topic_names, own.topics[inside].T, strict=True))
        parts = sorted({name for name in subset[inside] if isinstance(name, str)})
        by_subset = {f"subset: {name}": subset[inside] == name for name in parts}
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
        **{name: value for name, value in _estimate(one.found).items() if name != "se"},
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
            **{name: value for name, value in _estimate(one.found).items() if name != "estimate"},
            "p_holm": one.p_holm,
            "wins": one.wins,
            "strength": one.strength,
            "n": one.n,
            "differs": one.differs,
            "why": one.why,
        }
        for one in found
    ]


def preferences(joined: Joined, labeler: str) -> Codes | None:
    """Which reply the labels prefer, by how the two differ; None from a labeler that was not asked
    for both labels."""
    own = joined.labelers[labeler]
    if not set(CHOICE_KEYS) <= set(own.features):
        return None
    places = [own.features.index(key) for key in CHOICE_KEYS]
    found = own.differences[:, places]
    return prefers(found, np.zeros_like(found))


def misaligned(joined: Joined, labeler: str) -> list[Record]:
    """How often each model goes against the choice, by what the labels prefer."""
    codes = preferences(joined, labeler)
    records: list[Record] = []
    for model, judged in joined.models.items():
        for one in against_choice(judged.margin, codes, joined.prompts):
            share, ties = one.misaligned, one.ties
            records.append(
                {
                    "model": model,
                    "labeler": labeler,
                    "labeler_prefers": one.prefers,
                    "pairs": share.n if share else 0,
                    "misaligned": share.count if share else 0,
                    "ties": ties.count if ties else 0,
                    "rate": share.rate if share else nan,
                    "low": share.low if share else nan,
                    "high": share.high if share else nan,
                    "effective_n": share.effective_n if share else 0,
                }
            )
    return records


def by_regime(joined: Joined, labeler: str, before: str, after: str) -> list[Record]:
    """How many pairs stayed, got, resist and reversed, by what the labels prefer."""
    found = _regimes(joined, labeler, before, after)
    return [
        {
            "before": before,
            "after": after,
            "labeler": labeler,
            "regime": regime,
            "labeler_prefers": name,
            "pairs": found.count(regime, name),
        }
        for regime in REGIMES
        for name in PREFERS
    ]


def _regimes(joined: Joined, labeler: str, before: str, after: str) -> Regimes:
    was, now = (joined.models[one].margin for one in (before, after))
    return regimes(was, now, preferences(joined, labeler), joined.prompts)


def whys(found: Iterable[Outcome]) -> list[Record]:
    """Which features of either reply go with going against the choice; nothing by authored labels,
    which do not tell what each reply is."""
    records: list[Record] = []
    for outcome in found:
        if outcome.before or outcome.labeler.authored:
            continue
        own, inside = outcome.labeler, outcome.inside
        told = why_against(
            own.chosen[inside],
            own.rejected[inside],
            own.features,
            outcome.rows.length,
            outcome.y <= 0,
            outcome.prompts,
        )
        records += [
            {
                "model": outcome.model,
                "labeler": own.run_id,
                "column": one.column,
                "log_odds": one.log_odds.estimate,
                "se": one.log_odds.se,
                "odds_ratio": one.odds_ratio,
                "points": one.points.estimate,
                "low": one.points.low,
                "high": one.points.high,
                "p": one.log_odds.p,
                "p_holm": one.p_holm,
                "n": one.n,
                "away": one.away,
                "away_against": one.away_against,
                "why": one.why,
            }
            for one in told
        ]
    return records


def shifts(joined: Joined, labeler: str, before: str, after: str) -> list[Record]:
    """The mean margin shift of all pairs, by what the labels prefer, and by regime."""
    rated = joined.rated_by([before, after])
    change = joined.models[after].in_units - joined.models[before].in_units
    found, codes = _regimes(joined, labeler, before, after), preferences(joined, labeler)
    parts: list[tuple[str, str, Bools]] = [("all", "", rated)]
    if codes is not None:
        parts += [("labeler", name, rated & (codes == at)) for at, name in enumerate(PREFERS)]
    parts += [("regime", name, rated & found.rows(name)) for name in REGIMES]
    records: list[Record] = []
    for by, value, rows in parts:
        mean = mean_of(change[rows], Groups.of(joined.prompts[rows], int(rows.sum())))
        of = {"before": before, "after": after, "labeler": labeler, "by": by, "value": value}
        ends = {"mean": mean.estimate, "low": mean.low, "high": mean.high}
        records.append({**of, "pairs": int(rows.sum()), **ends})
    return records


def beside_authored(joined: Joined, control: Control) -> list[Record]:
    """The imprint of each model by a labeler and by authored labels, on the pairs of both.

    `labeler` is whose labels an effect rests on and `beside` the other one; `clear` are effects by
    both, else for the one labeler. `found` counts the
    pairs of which both say that the replies differ, and in the same direction. Nothing where there
    are no authored labels, or no others.
    """
    authored = [run_id for run_id, own in joined.labelers.items() if own.authored]
    others = [run_id for run_id, own in joined.labelers.items() if not own.authored]
    return [
        record
        for written in authored[:1]
        for labeler in others
        for model in joined.models
        for record in _side_by_side(joined, model, (labeler, written), control)
    ]


def _side_by_side(
    joined: Joined, model: str, two: tuple[str, str], control: Control
) -> list[Record]:
    inside = joined.enters([model], two[0]) & joined.enters([model], two[1])
    if not inside.any():
        return []
    y = joined.models[model].in_units[inside]
    rows = [joined.rows(inside, one) for one in two]
    effects = [together(own, y, control).effects for own in rows]
    clear = clearness([{one.feature: one for one in own} for own in effects])
    shared = [key for key in rows[0].features if key in rows[1].features]
    signs = [np.sign(np.column_stack([own.column(key) for key in shared])) for own in rows]
    same = ((signs[0] == signs[1]) & (signs[0] != 0)).sum(axis=0)
    found = dict(zip(shared, same.tolist(), strict=True))
    return [
        {
            "model": model,
            "labeler": labeler,
            "beside": beside,
            **effect_record(one),
            "clear": words[one.feature] or (CLEAR_FOR_ONE if one.p_holm < SIGNIFICANT else ""),
            "found": found.get(one.feature, 0),
        }
        for labeler, beside, own, words in zip(two, two[::-1], effects, clear, strict=True)
        for one in own
    ]
