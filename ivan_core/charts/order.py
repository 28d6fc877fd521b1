"""In which order effects are drawn (what is clear first, and the largest first among these), and
the pairs that are told beside each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ivan_core.metrics.imprint.effects import AS_PEOPLE, CLEAR, CLEAR_FOR_ONE

_SURE = {CLEAR: 2, CLEAR_FOR_ONE: 1}


def by_effect(effects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The features of effects that have an estimate, each once.

    A feature counts as its surest and largest effect; as people label where it has no other.
    """
    known = [one for one in effects if one["estimate"] == one["estimate"]]
    own = {one["feature"] for one in known if one.get("clear") != AS_PEOPLE}
    best: dict[str, tuple[int, float]] = {}
    for one in known:
        feature = str(one["feature"])
        if one.get("clear") == AS_PEOPLE and feature in own:
            continue
        rank = (_SURE.get(one.get("clear", ""), 0), abs(one["estimate"]))
        best[feature] = max(best.get(feature, rank), rank)
    return sorted(best, key=lambda feature: best[feature], reverse=True)


def differing(effects: Iterable[Mapping[str, Any]], feature: str) -> str:
    """In how many pairs a feature differs, as in "21 of 480": by the labeler, the most of several
    models; as people label where there is no other."""
    known = [
        one for one in effects if one["feature"] == feature and one["estimate"] == one["estimate"]
    ]
    own = [one for one in known if one.get("clear") != AS_PEOPLE] or known
    return f"{max(one['differs'] for one in own):,} of {max(one['n'] for one in own):,}"
