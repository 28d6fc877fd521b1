"""The same model under several names: equal rewards, or rewards that differ in scale alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ivan_core.metrics.models.judged import UNRATED, Judged

LEAST_PAIRS = 10
"""On fewer pairs two models may look the same by chance."""
NEARLY = 0.9999
"""From this correlation of margins on, with all verdicts equal, two models are called the same."""
_DIGITS = 2.0**-22
"""How far rewards lie from an affine map by rounding: both are float32, with 24 binary digits."""
How = Literal["equal", "affine", "nearly"]
_WEAKEST: tuple[How, ...] = ("nearly", "affine", "equal")


@dataclass(frozen=True, slots=True)
class Disguise:
    """Models that give the same answers on `n` pairs.

    `how`: their rewards are equal; or those of one are an affine map of those of another, as near
    as float32 can tell; or all verdicts are equal and margins correlate at .9999 or above.
    """

    models: tuple[str, ...]
    how: How
    n: int


def disguises(judged: Judged, table: pd.DataFrame) -> list[Disguise]:
    """The groups of models of which each is the same as another, in the order of the models.

    `table` is that of `likeness.likeness`. Pairs of models that share fewer than 10 rated pairs are
    not judged. A group is called by the weakest of what holds it together.
    """
    place = {name: i for i, name in enumerate(judged.names)}
    group = {name: {name} for name in judged.names}
    held: list[tuple[str, str, How, int]] = []
    near = table[(table["margins"] >= NEARLY) & (table["n"] >= LEAST_PAIRS)]
    for row in near.to_dict("records"):
        first, second = str(row["first"]), str(row["second"])
        how, n = _how(judged, place[first], place[second])
        if how is not None:
            held.append((first, second, how, n))
            joined = group[first] | group[second]
            group |= dict.fromkeys(joined, joined)
    found = []
    for models in dict.fromkeys(
        tuple(n for n in judged.names if n in own) for own in group.values()
    ):
        inside = [one for one in held if one[0] in models]
        if inside:
            weakest = min((one[2] for one in inside), key=_WEAKEST.index)
            found.append(Disguise(models, weakest, min(one[3] for one in inside)))
    return found


def _how(judged: Judged, first: int, second: int) -> tuple[How | None, int]:
    """How two models are the same, if they are, and on how many pairs both rated."""
    rows = (judged.verdict[first] != UNRATED) & (judged.verdict[second] != UNRATED)
    n = int(np.count_nonzero(rows))
    x, y = (
        np.concatenate([judged.chosen[i][rows], judged.rejected[i][rows]]) for i in (first, second)
    )
    if np.array_equal(x, y):
        return "equal", n
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred)) if centred.any() else 0.0
    off = np.abs(y - y.mean() - slope * centred)
    room = _DIGITS * (np.abs(y).max() + abs(slope) * np.abs(x).max())
    if slope > 0 and float(off.max()) <= room:
        return "affine", n
    same = np.array_equal(judged.verdict[first][rows], judged.verdict[second][rows])
    return ("nearly" if same else None), n
