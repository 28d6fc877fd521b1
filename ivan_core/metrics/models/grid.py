"""How often each of many models sides with the choice, by subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.models.judged import AGREE, Codes, Judged
from ivan_core.metrics.summary import ModelSummary

GRID = ("model", "subset", "agree", "n", "rate", "low", "high", "effective_n")


def agreement_grid(
    judged: Judged,
    subset: NDArray[np.int64],
    subsets: Sequence[str],
    joined: Mapping[str, Codes] | None = None,
) -> pd.DataFrame:
    """The agreement of each model on all rows and on each subset, if there are several.

    `subset` is for each row a place in `subsets`. One row a model and subset, in columns `GRID`:
    models by their agreement on all rows, the highest first; all rows first, then the largest
    subsets. Rates and ends are missing where a model rated nothing. Rows that a model was trained
    on are left out where it has others; intervals are Wilson's, as wide as repeated prompts ask.
    `joined` are the verdicts of models made of all others, which stand among them: rows on which
    they rest are those that all models rated and none was trained on, if there are any.
    """
    sizes = np.bincount(subset, minlength=len(subsets))
    largest = sorted(range(len(subsets)), key=lambda place: (-sizes[place], subsets[place]))
    inside = [(ALL_SUBSETS, np.ones(len(subset), dtype=np.bool_))]
    if len(subsets) > 1:
        inside += [(subsets[place], subset == place) for place in largest]
    found = []
    lines = list(zip(judged.names, judged.verdict, judged.fair, strict=True))
    lines += [(name, verdict, judged.by_all()[0]) for name, verdict in (joined or {}).items()]
    for name, verdict, fair in lines:
        for label, part in inside:
            rows = fair & part
            agrees = verdict[rows] == AGREE
            rate = wilson(int(agrees.sum()), len(agrees), design=judged.design(agrees, rows))
            ends = (rate.rate, rate.low, rate.high, rate.effective_n) if rate else (np.nan,) * 4
            found.append((name, label, int(agrees.sum()), len(agrees), *ends))
    table = pd.DataFrame(found, columns=list(GRID))
    first = table[table["subset"] == ALL_SUBSETS].sort_values(
        "rate", ascending=False, kind="stable", na_position="last"
    )
    place = {name: i for i, name in enumerate(first["model"])}
    by_model = table["model"].map(place)
    return table.iloc[np.argsort(by_model.to_numpy(np.int64), kind="stable")].reset_index(drop=True)


LONGER, SHORTER = "longer chosen", "shorter chosen"
EVERY_LENGTH = "The headline"


def by_length(summaries: Sequence[ModelSummary]) -> pd.DataFrame:
    """A grid of each model's headline, and where the longer, and the shorter, reply was chosen.

    Models stand by how far the two lie apart, the furthest first.
    """
    found = []
    for summary in summaries:
        longer, shorter = (
            summary.length_balanced.longer_chosen,
            summary.length_balanced.shorter_chosen,
        )
        apart = abs(longer.rate - shorter.rate) if longer and shorter else -1.0
        for label, rate in ((ALL_SUBSETS, summary.headline), (LONGER, longer), (SHORTER, shorter)):
            ends = (rate.rate, rate.low, rate.high, rate.effective_n) if rate else (np.nan,) * 4
            counts = (rate.count, rate.n) if rate else (0, 0)
            found.append((summary.model, label, *counts, *ends, apart))
    table = pd.DataFrame(found, columns=[*GRID, "apart"])
    return table.sort_values("apart", ascending=False, kind="stable", ignore_index=True)[list(GRID)]
