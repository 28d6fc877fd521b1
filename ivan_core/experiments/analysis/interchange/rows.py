"""The rows of an analysis one after the other, with their texts: what each file is written of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.errors import IvanError
from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.pairs import Pair, Side
from ivan_core.domain.transcripts import Dialogue, Turn, print_transcript
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.tables import JOINED
from ivan_core.experiments.labels.results import open_labels
from ivan_core.figures.chart import paths_of_run
from ivan_core.figures.files import file_names, named

if TYPE_CHECKING:
    import pandas as pd

MOST = 20_000
"""Pairs in a file unless all are asked for: a draw by the seed of the analysis."""
_TOPICS = "topics"


@dataclass(frozen=True, slots=True)
class AnalysedPair:
    """One pair with its texts, margins by model and labels of both replies by labeler and feature.

    What nobody rated or labelled is None. `topics` are those of the chosen reply.
    """

    pair: Pair
    margins: Mapping[str, float | None]
    typical: Mapping[str, float | None]
    labels: Mapping[tuple[str, str], tuple[float, float] | None]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """What a file is made of: an analysis, and which of its rows.

    `features` are those that each labeler was asked for, by its run. `called` are names of files in
    the place of paths.
    """

    analysed: Analysed
    rows: tuple[int, ...]
    features: Mapping[str, tuple[str, ...]]
    called: Mapping[str, str] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.analysed.spec.seed

    @property
    def dataset_name(self) -> str:
        return str(named(str(self.analysed.dataset.about["label"]), self.called))

    def model_name(self, model: str) -> str:
        """A model as a file for others names it: never by a path."""
        return str(named(model, self.called))

    def first_side(self, row_id: int) -> Side:
        """Which reply stands first where the order may tell nothing: by chance, and always so."""
        drawn = sha256(f"{self.seed}:{row_id}".encode()).digest()[0]
        return "chosen" if drawn % 2 else "rejected"

    def pairs(self) -> Iterator[AnalysedPair]:
        """Every row in the order of the dataset; only one is in memory with its texts.

        Raises:
            StorageProblem: the prepared dataset is damaged.
        """
        models = self.analysed.models
        keys = [(run, key) for run, own in self.features.items() for key in own]
        table = self._joined(
            [
                "row_id",
                *(f"{what}|{model}" for what in ("margin", "typical") for model in models),
                *(f"{side}|{run}|{key}" for side in ("chosen", "rejected") for run, key in keys),
            ]
        )
        numbers = table[table["row_id"].isin(self.rows)].to_numpy(np.float64)
        topics = self._topics()
        pairs = self.analysed.dataset.pairs(self.rows)
        count, width = len(models), len(keys)
        for pair, row in zip(pairs, numbers, strict=True):
            found = [None if value != value else float(value) for value in row[1:]]
            margins, typical = found[:count], found[count : 2 * count]
            sides = found[2 * count :]
            told = zip(sides[:width], sides[width:], strict=True)
            yield AnalysedPair(
                pair,
                dict(zip(models, margins, strict=True)),
                dict(zip(models, typical, strict=True)),
                {
                    key: None if chosen is None or rejected is None else (chosen, rejected)
                    for key, (chosen, rejected) in zip(keys, told, strict=True)
                },
                topics.get(pair.row_id, ()),
            )

    def _joined(self, columns: Sequence[str]) -> pd.DataFrame:
        import pandas as pd

        run_id = self.analysed.run.id
        with runs.whole(run_id, "table"):
            return pd.read_parquet(runs.registry().folder(run_id) / JOINED, columns=list(columns))

    def _topics(self) -> dict[int, tuple[str, ...]]:
        """The topics of chosen replies by the first labeler that told any and is still here."""
        for who in self.analysed.labelers:
            try:
                own = open_labels(who.run_id)
            except IvanError:
                continue
            if _TOPICS in own.keys:
                table = own.table[own.table["preference"].eq("chosen")]
                told = zip(table["row_id"].tolist(), table[_TOPICS], strict=True)
                return {
                    int(row): tuple(map(str, words))
                    for row, words in told
                    if isinstance(words, tuple)
                }
        return {}


def source_of(analysed: Analysed, *, every: bool = False) -> Source:
    """An analysis as files are made of it: all of its rows, or at most `MOST`, drawn by its seed.

    Raises:
        BadInput: its tables are damaged.
    """
    import pyarrow.parquet as pq

    rows = list(analysed.row_ids)
    if len(rows) > MOST and not every:
        rows = sorted(random.Random(analysed.spec.seed).sample(rows, MOST))
    run_id = analysed.run.id
    with runs.whole(run_id, "table"):
        columns = set(pq.read_schema(runs.registry().folder(run_id) / JOINED).names)
    features = {
        one.run_id: tuple(
            key for key in REGRESSION_FEATURES if f"chosen|{one.run_id}|{key}" in columns
        )
        for one in analysed.labelers
    }
    return Source(analysed, tuple(rows), features, file_names(paths_of_run(analysed)))


def prompt_and_replies(pair: Pair) -> tuple[str, dict[Side, str]]:
    """What both sides begin with, and how each goes on, as they are read.

    A single turn stands without its role; several are a transcript.
    """
    shared = pair.shared_turns
    alike = pair.chosen.preamble == pair.rejected.preamble
    sides: dict[Side, Dialogue] = {"chosen": pair.chosen, "rejected": pair.rejected}
    return _read(pair.chosen.preamble if alike else "", shared), {
        side: _read("" if alike else one.preamble, one.turns[len(shared) :])
        for side, one in sides.items()
    }


def _read(preamble: str, turns: tuple[Turn, ...]) -> str:
    if len(turns) == 1 and not preamble.strip():
        return whole_text(turns[0].words)
    return whole_text(print_transcript(preamble, turns).strip())


def whole_text(text: str) -> str:
    """A text that every reader of JSON can hold: half a character becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
