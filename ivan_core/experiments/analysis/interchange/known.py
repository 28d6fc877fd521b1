"""What an analysis knows of its pairs: margins of models, labels of both replies, topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.errors import IvanError
from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.tables import JOINED
from ivan_core.experiments.labels.results import open_labels
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named
from ivan_core.interchange.content import Annotator, Beside, Known, Label, reward_model
from ivan_core.interchange.principles import principle
from ivan_core.labels.schema import feature
from ivan_core.metrics.labels.answers import SENTIMENT, SENTIMENTS

if TYPE_CHECKING:
    import pandas as pd

_TOPICS = "topics"
_Key = tuple[str, str]
"""A feature as one labeler answered it: the labeler's run and the feature."""


def known(analysed: Analysed, first: str = "") -> Known:
    """What stands beside pairs in files for others; the model `first` before the others.

    Raises:
        BadInput: the tables are damaged.
    """
    models = sorted(analysed.models, key=lambda model: model != first)
    keys = [
        (who.run_id, key)
        for who in analysed.labelers
        for key in REGRESSION_FEATURES
        if key in analysed.features_of(who.run_id)
    ]
    called = file_names(paths_of_run(analysed))
    of_models = [
        reward_model(str(named(model, called)), _unit(analysed, model)) for model in models
    ]
    return Known(
        (*of_models, *(_principle(analysed, *key) for key in keys)),
        {_title(analysed, *key): str if key[1] == SENTIMENT else bool for key in keys},
        lambda row_ids: _rows(analysed, models, keys, row_ids),
    )


def _principle(analysed: Analysed, run_id: str, key: str) -> Annotator:
    who = _who(analysed, run_id)
    return principle(key, feature(key).title, who)


def _title(analysed: Analysed, run_id: str, key: str) -> str:
    """The feature's title; with several labelers also whose label it is."""
    title = feature(key).title
    return title if len(analysed.labelers) == 1 else f"{title} ({_who(analysed, run_id)})"


def _who(analysed: Analysed, run_id: str) -> str:
    """What a labeler is called, with its run where another one is called so too."""
    named = [one.named for one in analysed.labelers]
    own = analysed.labeler(run_id).named
    return own if named.count(own) == 1 else f"{own}, run {run_id}"


def _joined(analysed: Analysed, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    run_id = analysed.run.id
    with runs.whole(run_id, "table"):
        return pd.read_parquet(runs.registry().folder(run_id) / JOINED, columns=list(columns))


def _unit(analysed: Analysed, model: str) -> float | None:
    """The typical margin by which the analysis divided; None where all margins are 0."""
    table = _joined(analysed, [f"margin|{model}", f"typical|{model}"])
    margins, typical = (table[name].to_numpy(np.float64) for name in table)
    there = np.flatnonzero(np.nan_to_num(typical))
    return float(margins[there[0]] / typical[there[0]]) if len(there) else None


def _rows(
    analysed: Analysed, models: Sequence[str], keys: Sequence[_Key], row_ids: Sequence[int]
) -> Iterator[Beside]:
    sides = [f"{side}|{run}|{key}" for side in ("chosen", "rejected") for run, key in keys]
    table = _joined(analysed, ["row_id", *(f"margin|{model}" for model in models), *sides])
    places = np.searchsorted(table["row_id"].to_numpy(np.int64), np.asarray(row_ids, np.int64))
    topics, count, width = _topics(analysed), len(models), len(keys)
    titles = [_title(analysed, *key) for key in keys]
    numbers = table.drop(columns="row_id").to_numpy(np.float64)
    for row_id, place in zip(row_ids, places.tolist(), strict=True):
        values = [None if one != one else float(one) for one in numbers[place]]
        labels = zip(values[count : count + width], values[count + width :], strict=True)
        told = dict(zip(keys, labels, strict=True))
        yield Beside(
            (*values[:count], *(_apart(*told[key]) for key in keys)),
            {title: _said(key, *told[key]) for title, key in zip(titles, keys, strict=True)},
            topics.get(row_id, ()),
        )


def _apart(chosen: float | None, rejected: float | None) -> float | None:
    return None if chosen is None or rejected is None else chosen - rejected


def _said(key: _Key, chosen: float | None, rejected: float | None) -> tuple[Label, Label]:
    """Both labels as they are told; none where one of them is missing."""
    if chosen is None or rejected is None:
        return None, None
    if key[1] == SENTIMENT:
        return SENTIMENTS[int(chosen) + 1], SENTIMENTS[int(rejected) + 1]
    return bool(chosen), bool(rejected)


def _topics(analysed: Analysed) -> Mapping[int, tuple[str, ...]]:
    """The topics of chosen replies by the first labeler that told any and is still here."""
    for who in analysed.labelers:
        try:
            own = open_labels(who.run_id)
        except IvanError:
            continue
        if _TOPICS in own.keys:
            table = own.table[own.table["preference"].eq("chosen")]
            told = zip(table["row_id"].tolist(), table[_TOPICS], strict=True)
            return {
                int(row): tuple(map(str, words)) for row, words in told if isinstance(words, tuple)
            }
    return {}
