"""The joined rows that an analysis rests on, read again, and its numbers of some of them.

Of rows that somebody picked by conditions there are estimates and intervals, and no test: they were
chosen after looking. A typical margin stays that of all pairs that a model rated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.engine import handling as runs
from ivan_core.engine.opened import Stamp, stamp_of
from ivan_core.experiments.analysis.joined import Bools, Floats, Ints, Joined, Judged, Labelled
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.steps.against import misaligned, regimes_of
from ivan_core.experiments.analysis.steps.outcomes import effect_record, outcomes
from ivan_core.experiments.analysis.steps.rewards import effects_of
from ivan_core.experiments.analysis.tables import JOINED, frame
from ivan_core.metrics.paired import Difference

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def joined_again(analysed: Analysed, models: Sequence[str], labeler: str = "") -> Joined:
    """The rows of an analysis with the margins of some models and the labels of one labeler.

    Their subsets and topics stand in no file of an analysis: none are told. A typical margin is
    that of all pairs that a model rated.
    """
    return _kept(stamp_of(analysed.run), tuple(models), labeler)


def some_rows(joined: Joined, inside: Bools) -> Joined:
    """The same of some pairs; typical margins stay those of all."""
    models = {name: replace(one, margin=one.margin[inside]) for name, one in joined.models.items()}
    labelers = {
        run_id: replace(
            own,
            chosen=own.chosen[inside],
            rejected=own.rejected[inside],
            differences=own.differences[inside],
            topics=own.topics[inside],
        )
        for run_id, own in joined.labelers.items()
    }
    return Joined(
        joined.row_ids[inside],
        joined.prompts[inside],
        joined.folds[inside],
        joined.length[inside],
        joined.subset[inside],
        models,
        labelers,
    )


def net_change(analysed: Analysed) -> Difference | None:
    """By how much more often the model after training agrees than the one before it; None without
    two that were named, or without pairs that both rated."""
    before, after = analysed.spec.before, analysed.spec.after
    if not before:
        return None
    return regimes_of(joined_again(analysed, [before, after]), None, before, after).net


AFTER_LOOKING = "chosen after looking"
"""How sure an effect in picked rows is: no word of a test may stand there."""


AT_ONCE = 40_000
"""Of so many pairs numbers are computed as a page is drawn, of more when somebody asks for them."""


def takes_a_while(analysed: Analysed) -> bool:
    """Whether numbers of picked rows are computed only when somebody asks."""
    return len(analysed.row_ids) > AT_ONCE


def picked_effects(
    analysed: Analysed, labeler: str, view: str, control: str, places: Ints
) -> pd.DataFrame:
    """The imprint of each model in the pairs at some places, as the table `imprint` has it.

    Of no p and nothing clear; what is too few in these pairs says so.
    """
    return _effects(stamp_of(analysed.run), labeler, view, control, places.tobytes())


def picked_against(analysed: Analysed, labeler: str, places: Ints, *, bare: bool) -> pd.DataFrame:
    """How often each model goes against the choice in the pairs at some places, as the table
    `misaligned` has it; `bare`, where a condition is on what is counted, without intervals."""
    joined = _some(stamp_of(analysed.run), labeler, places.tobytes())
    found = frame("misaligned", misaligned(joined, labeler))
    return found.assign(low=np.nan, high=np.nan) if bare else found


@lru_cache(maxsize=16)
def _effects(stamp: Stamp, labeler: str, view: str, control: str, places: bytes) -> pd.DataFrame:
    joined = _some(stamp, labeler, places)
    records = [
        {**outcome.named, "control": control, "view": view, "spread": spread, **effect_record(one)}
        for outcome in outcomes(joined, labeler, differences=False)
        for own, spread in [effects_of(outcome, view, control)]
        for one in own
    ]
    found = frame("imprint", [{**one, "clear": AFTER_LOOKING} for one in records])
    return found.assign(p=np.nan, p_holm=np.nan)


@lru_cache(maxsize=2)
def _some(stamp: Stamp, labeler: str, places: bytes) -> Joined:
    analysed = open_analysis(stamp[1])
    joined = joined_again(analysed, analysed.models, labeler)
    inside = np.zeros(len(joined), dtype=np.bool_)
    inside[np.frombuffer(places, np.int64)] = True
    return some_rows(joined, inside)


@lru_cache(maxsize=6)
def _kept(stamp: Stamp, models: tuple[str, ...], labeler: str) -> Joined:
    import pyarrow.parquet as pq

    analysed = open_analysis(stamp[1])
    path = runs.registry().folder(analysed.run.id) / JOINED
    with runs.whole(analysed.run.id, "table"):
        there = set(pq.read_schema(path).names)
        keys = [key for key in REGRESSION_FEATURES if f"difference|{labeler}|{key}" in there]
        parts = ("chosen", "rejected", "difference")
        labels = [f"{part}|{labeler}|{key}" for part in parts for key in keys]
        margins = [f"margin|{name}" for name in models]
        own = ["row_id", "prompt", "fold", "log_length"]
        table = pq.read_table(path, columns=[*own, *margins, *labels])
    n = table.num_rows
    units = analysed.manifest["models"]
    labelers = {}
    if labeler:
        chosen, rejected, differences = (
            _columns(table, [f"{part}|{labeler}|{key}" for key in keys]) for part in parts
        )
        none = np.zeros((n, 0), dtype=np.bool_)
        who = analysed.labeler(labeler)
        labelers[labeler] = Labelled(
            labeler, who.id, tuple(keys), chosen, rejected, differences, (), none
        )
    row_ids, prompts, folds = (table[name].to_numpy().astype(np.int64) for name in own[:3])
    return Joined(
        row_ids,
        prompts,
        folds,
        table["log_length"].to_numpy().astype(np.float64),
        np.full(n, None, dtype=object),
        {
            name: Judged(_columns(table, [f"margin|{name}"])[:, 0], units[name]["typical_margin"])
            for name in models
        },
        labelers,
    )


def _columns(table: pa.Table, names: Sequence[str]) -> Floats:
    """Columns side by side; NaN where there is no number."""
    found = np.empty((table.num_rows, len(names)))
    for place, name in enumerate(names):
        found[:, place] = table[name].to_numpy()
    return found
