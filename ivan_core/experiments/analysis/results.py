"""A finished analysis: its tables as they were computed, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.engine.opened import Found, Opener, files, nothing_yet
from ivan_core.experiments.analysis.tables import JOINED, TABLES, completed, file_of, frame
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.models.names import is_authored, shown_name

if TYPE_CHECKING:
    import pandas as pd

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WhoLabelled:
    """A labeler whose labels an analysis rests on, by its run and its id.

    `checked` says how often it gives the answers of people, or of other labelers: see
    `people.checked`. `described` says what exactly labelled, where that is known.
    """

    run_id: str
    id: str
    checked: Mapping[str, Any] | None = field(default=None, compare=False)
    described: str = field(default="", compare=False)

    @property
    def named(self) -> str:
        return shown_name(self.id)

    @property
    def authored(self) -> bool:
        """Whether these are authored labels, which tell how replies differ and not what each is."""
        return is_authored(self.id)

    @property
    def labels(self) -> str:
        """Whose labels a number rests on, as in "labels: reader:1b"."""
        return self.named if self.authored else f"labels: {self.named}"

    @property
    def sentence(self) -> str:
        """The same as a sentence of its own."""
        return f"{self.labels[0].upper()}{self.labels[1:]}."


@dataclass(frozen=True)
class Analysed:
    """The tables of an analysis by their names, all computed when it ran."""

    run: Run
    spec: AnalysisSpec
    dataset: PreparedDataset
    manifest: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    row_ids: tuple[int, ...]
    bare: bool = False

    @property
    def content(self) -> str:
        """Which pairs these are, whatever file they came from."""
        return str(self.dataset.about["content"])

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The reward models, in the order of the comparison."""
        return tuple(self.manifest["models"])

    @cached_property
    def cards(self) -> tuple[ModelCard, ...]:
        """What is known of the models; nothing of those of an analysis from before it was kept."""
        return tuple(ModelCard.model_validate(one) for one in self.manifest.get("cards", ()))

    @cached_property
    def labelers(self) -> tuple[WhoLabelled, ...]:
        return tuple(
            WhoLabelled(one["run"], one["id"], one.get("checked"), one.get("described", ""))
            for one in self.manifest["labelers"]
        )

    def labeler(self, run_id: str) -> WhoLabelled:
        """The labeler with this run; the first if it is none of them."""
        return next((one for one in self.labelers if one.run_id == run_id), self.labelers[0])

    @cached_property
    def readers(self) -> tuple[WhoLabelled, ...]:
        """Those who read each reply: all labelers but authored labels."""
        return tuple(one for one in self.labelers if not one.authored)

    def table(self, name: str, **wanted: str) -> pd.DataFrame:
        """The rows of a table whose columns have these values; none of a table that it lacks."""
        found = self.tables[name] if name in self.tables else frame(name, ())
        for column, value in wanted.items():
            found = found[found[column] == value]
        return found.reset_index(drop=True)

    def behind(self, model: str, labeler: str, feature: str) -> pd.DataFrame:
        """The pairs whose two replies differ in a feature and that the model rated: row_id,
        typical (its margin) and difference (of the labels)."""
        found = self._joined(model, f"difference|{labeler}|{feature}")
        found.columns = ["row_id", "typical", "difference"]
        return found[found["typical"].notna() & found["difference"].abs().gt(0)]

    def features_of(self, labeler: str) -> tuple[str, ...]:
        """The features that a labeler's labels of this analysis have."""
        from pyarrow.parquet import read_schema

        start = f"difference|{labeler}|"
        with runs.whole(self.run.id, "table"):
            names = read_schema(runs.registry().folder(self.run.id) / JOINED).names
        return tuple(one.removeprefix(start) for one in names if one.startswith(start))

    def entered(self, model: str, labeler: str) -> Bools:
        """Of each pair (n), whether the model rated it and the labeler answered all its features:
        what their numbers rest on."""
        kept = self._entered.get((model, labeler))
        if kept is None:
            asked = [f"difference|{labeler}|{key}" for key in self.features_of(labeler)]
            found = self._joined(model, *asked).drop(columns="row_id")
            kept = self._entered[model, labeler] = found.notna().all(axis=1).to_numpy(np.bool_)
        return kept

    @cached_property
    def _entered(self) -> dict[tuple[str, str], Bools]:
        return {}

    def margin(self, model: str, row_id: int) -> float:
        """The margin of a model on a row, in its typical margins."""
        found = self._joined(model)
        return float(found.loc[found["row_id"] == row_id, f"typical|{model}"].iloc[0])

    def _joined(self, model: str, *others: str) -> pd.DataFrame:
        import pandas as pd

        path = runs.registry().folder(self.run.id) / JOINED
        with runs.whole(self.run.id, "table"):
            return pd.read_parquet(path, columns=["row_id", f"typical|{model}", *others])

    @property
    def files(self) -> list[Path]:
        """The files for people, those that are still there."""
        return files(self.manifest)

    def used(self, model: str, labeler: str) -> Mapping[str, Any]:
        """How many pairs enter the numbers of a model and a labeler, and why others do not."""
        return next(
            one
            for one in self.manifest["pairs"]
            if one["model"] == model and one["labeler"] == labeler
        )


def _read(found: Found) -> Analysed:
    import pandas as pd

    run, manifest = found.run, found.manifest
    if not found.whole or manifest is None:
        raise nothing_yet(run)
    with runs.whole(run.id, "manifest"):
        list(manifest["models"]), list(manifest["labelers"]), list(manifest["pairs"])
    with runs.whole(run.id, "table"):
        tables = {
            name: completed(name, pd.read_parquet(found.folder / file_of(name)))
            for name in TABLES
            if (found.folder / file_of(name)).exists()
        }
        rows = pd.read_parquet(found.folder / JOINED, columns=["row_id"])["row_id"]
    dataset = found.dataset
    return Analysed(run, found.spec, dataset, manifest, tables, tuple(rows.tolist()))


open_analysis = Opener("analysis", _read, table=JOINED, keep=4)
"""The results of a finished analysis by its run's id."""
