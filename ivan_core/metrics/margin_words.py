"""One pair's margin in words: "clearly", "slightly" or "barely prefers", with the number behind it.

Margins come in typical margins of their model (`agreement.typical_margin`), so that one cut fits
models of any scale. The cuts are held against the number as it is shown, with one decimal: a word
and its number never part.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Literal

Strength = Literal["barely", "slightly", "clearly"]

MOST_TOLD = 4
"""Models that are told of one by one; more of them are counted."""
SLIGHTLY_FROM = 0.3
CLEARLY_FROM = 1.0

TYPICAL_MARGIN = (
    "A margin is how much more a model likes one reply than the other; its typical margin is how"
    " large its margins usually are here (their root mean square), which makes models of different"
    " scales comparable."
)
"""What the unit is, to stand where it is used."""
STRENGTHS = (
    f"“Clearly” is {CLEARLY_FROM:g} typical margin or more, “slightly” {SLIGHTLY_FROM:g} or more,"
    " “barely” less."
)
"""Where the words begin."""
ABOUT_MARGINS = f"{TYPICAL_MARGIN} {STRENGTHS}"


def shown_margin(margin: float) -> float:
    """The size of a margin as it is shown: in typical margins, one decimal."""
    return round(abs(margin), 1)


def strength(margin: float) -> Strength:
    """How much a margin says, in a word; `margin` in typical margins, not 0."""
    size = shown_margin(margin)
    if size >= CLEARLY_FROM:
        return "clearly"
    return "slightly" if size >= SLIGHTLY_FROM else "barely"


def margin_size(margin: float, *, unit: bool = True) -> str:
    """The size of a margin without its sign, as in "1.8 typical margins"; under 0.1 says so."""
    size = shown_margin(margin)
    told = f"{size:.1f}" if size else "under 0.1"
    if not unit:
        return told
    return f"{told} typical margin{'' if told in ('1.0', 'under 0.1') else 's'}"


def preference(margin: float | None, chosen: str, rejected: str, *, unit: bool = True) -> str:
    """What a model does with a pair, as in "clearly prefers B (1.8 typical margins)".

    `margin` is positive where it likes the chosen reply more, None (or NaN) where it did not rate
    the pair; `chosen` and `rejected` are what the replies are called.
    """
    if margin is None or isnan(margin):
        return "did not rate it"
    if margin == 0:
        return "likes both the same"
    reply = chosen if margin > 0 else rejected
    return f"{strength(margin)} prefers {reply} ({margin_size(margin, unit=unit)})"


def preferences_words(
    preferences: Sequence[tuple[str, float | None]], chosen: str, rejected: str
) -> str:
    """What several models do with a pair, one by one as `preference` says; empty without a model.

    More than four are counted by the reply that they like more, and those that like one of them the
    most are named.
    """
    if len(preferences) > MOST_TOLD:
        return _counted(preferences, chosen, rejected)
    clauses, unit_named = [], False
    for model, margin in preferences:
        clauses.append(f"{model} {preference(margin, chosen, rejected, unit=not unit_named)}")
        unit_named = unit_named or bool(margin)
    return ", ".join(clauses)


def _counted(preferences: Sequence[tuple[str, float | None]], chosen: str, rejected: str) -> str:
    known = [(model, margin) for model, margin in preferences if margin is not None]
    known = [(model, margin) for model, margin in known if not isnan(margin)]
    n, told = len(preferences), list[str]()
    for does, reply, found in (
        ("prefer", chosen, [one for one in known if one[1] > 0]),
        ("prefer", rejected, [one for one in known if one[1] < 0]),
        ("like", "both the same", [one for one in known if one[1] == 0]),
    ):
        if not found:
            continue
        of = "" if told else f" of {n} models"
        model, margin = max(found, key=lambda one: abs(one[1]))
        most = f", {model} the most ({margin_size(margin)})" if margin else ""
        told.append(f"{len(found)}{of} {does}{'s' if len(found) == 1 else ''} {reply}{most}")
    if len(known) < n:
        told.append(f"{n - len(known)} did not rate it")
    return "; ".join(told)
