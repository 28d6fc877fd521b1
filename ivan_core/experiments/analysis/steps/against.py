"""Where models go against people, and what training changed, as records."""

from __future__ import annotations

from collections.abc import Iterable
from math import nan

import numpy as np

from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.outcomes import Outcome, Record
from ivan_core.experiments.compare.tables import UNKNOWN
from ivan_core.metrics.imprint.against import (
    REGIMES,
    Regimes,
    against_choice,
    regimes,
    without_preference,
)
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import mean_of
from ivan_core.metrics.imprint.preference import PREFERS, Bools, Codes, prefers
from ivan_core.metrics.imprint.why import why_against
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.labels.answers import CHOICE_KEYS


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
                    **_rate(share),
                }
            )
    return records


def _rate(share: Rate | None) -> Record:
    """A share with its interval; no number of none."""
    return {
        "rate": share.rate if share else nan,
        "low": share.low if share else nan,
        "high": share.high if share else nan,
        "effective_n": share.effective_n if share else 0,
    }


def no_preference(joined: Joined, labeler: str) -> list[Record]:
    """Of the labelled pairs in which a model goes against the choice, on how many the labels prefer
    no reply; nothing from a labeler that was not asked for both labels."""
    codes = preferences(joined, labeler)
    records: list[Record] = []
    for model, judged in joined.models.items():
        if codes is None:
            continue
        share = without_preference(judged.margin, codes, joined.prompts)
        records.append(
            {
                "model": model,
                "labeler": labeler,
                "misaligned": share.n if share else 0,
                "no_preference": share.count if share else 0,
                **_rate(share),
            }
        )
    return records


def by_regime(joined: Joined, labeler: str, before: str, after: str) -> list[Record]:
    """How many pairs stayed, got, resist and reversed, by what the labels prefer."""
    found = regimes_of(joined, labeler, before, after)
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


def regimes_of(joined: Joined, labeler: str | None, before: str, after: str) -> Regimes:
    """The regime of each pair, and without a labeler no preferences."""
    was, now = (joined.models[one].margin for one in (before, after))
    codes = preferences(joined, labeler) if labeler else None
    return regimes(was, now, codes, joined.prompts)


def net_design(joined: Joined, before: str, after: str) -> float | None:
    """The design effect of the net change between two models; None without two, or pairs of both.

    With the counts of the regimes it gives the net change again, with its interval and test.
    """
    net = regimes_of(joined, None, before, after).net if before else None
    return net.design if net else None


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
    """The mean margin shift of all pairs, by what the labels prefer, by regime, and apart for the
    pairs that the later model was trained on and the others where its card tells."""
    rated = joined.rated_by([before, after])
    change = joined.models[after].in_units - joined.models[before].in_units
    found, codes = regimes_of(joined, labeler, before, after), preferences(joined, labeler)
    parts: list[tuple[str, str, Bools]] = [("all", "", rated)]
    if codes is not None:
        parts += [("labeler", name, rated & (codes == at)) for at, name in enumerate(PREFERS)]
    parts += [("regime", name, rated & found.rows(name)) for name in REGIMES]
    seen = joined.models[after].seen
    if seen is not None and (seen != UNKNOWN).any():
        parts += [("seen", "seen", rated & (seen == 1)), ("seen", "unseen", rated & (seen == 0))]
    records: list[Record] = []
    for by, value, rows in parts:
        mean = mean_of(change[rows], Groups.of(joined.prompts[rows], int(rows.sum())))
        of = {"before": before, "after": after, "labeler": labeler, "by": by, "value": value}
        ends = {"mean": mean.estimate, "low": mean.low, "high": mean.high}
        records.append({**of, "pairs": int(rows.sum()), **ends})
    return records
