"""What the models of a file of rewordings are called: the file has two names for whatever models,
a comparison of the same pairs knows them by their rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.pairs import SIDES, Side
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.csvs.files import FromCsv
from ivan_core.engine.kind import alike, kind_for
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.tables import TABLE

if TYPE_CHECKING:
    import pandas as pd

Rewards = Mapping[tuple[int, Side], float]
"""The rewards of the originals by row and side."""
_RECENT = 20
"""So many of the newest comparisons are looked through."""
_LEAST = 4
"""Rewards that must be known, and not all the same, before they tell a model."""
_CLOSE = 1e-5
"""Files write rewards with as few digits as six."""


def model_names(
    found: Mapping[str, Rewards], dataset: PreparedDataset, before: Sequence[FromCsv]
) -> dict[str, str]:
    """The names of a file's models, by what the file calls them.

    A model is the one that gives the originals the same rewards: of the comparison that is read in
    the same command, else of one of the same dataset that is here. Where none does, or several do,
    or two models would be one, the file's own names stay.
    """
    for table in _comparisons(dataset, before):
        named = {name: _same(rewards, table) for name, rewards in found.items()}
        known = [name for name in named.values() if name]
        if known and len(set(known)) == len(known):
            return {name: other or name for name, other in named.items()}
    return {name: name for name in found}


def _comparisons(dataset: PreparedDataset, before: Sequence[FromCsv]) -> Iterator[pd.DataFrame]:
    """The scores of comparisons on a dataset, those of the same command first."""
    for one in before:
        if kind_for(one.spec).name in alike("compare"):
            yield one.came.tables[TABLE]
    recent = runs.newest_done("compare", limit=_RECENT)
    told = ((run, studies.about_run(run.id)) for run in recent)
    same = (run for run, about in told if about and about.fingerprint == dataset.fingerprint)
    for results in runs.opened(same, open_results):
        yield results.table


def _same(rewards: Rewards, table: pd.DataFrame) -> str:
    """The only model of a table that gives these rewards; empty for none."""
    fitting: list[str] = []
    for model, own in table.groupby("model", sort=False, observed=True):
        there = {
            (row_id, side): value
            for side in SIDES
            for row_id, value in zip(own["row_id"], own[f"{side}_reward"], strict=True)
            if value == value
        }
        both = [(value, there[place]) for place, value in rewards.items() if place in there]
        told = np.array(both, dtype=np.float64).reshape(-1, 2)
        if len(told) < _LEAST or len(np.unique(told[:, 0])) < 2:
            continue
        if np.allclose(told[:, 0], told[:, 1], rtol=_CLOSE, atol=_CLOSE):
            fitting.append(str(model))
    return fitting[0] if len(fitting) == 1 else ""
