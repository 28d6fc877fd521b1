"""Finished labels: opened by run, joined by row and side, found for the pairs of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import DEMO_NAME, REGRESSION_FEATURES, Label
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import LabelSpec, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import alike
from ivan_core.engine.opened import Found, Opener, nothing_yet, runs_of
from ivan_core.experiments.compare.tables import with_prompts
from ivan_core.experiments.labels.files import TABLE
from ivan_core.experiments.labels.reuse import reused_words
from ivan_core.labels.reconcile import STATES
from ivan_core.labels.table import read_labels
from ivan_core.lists.conditions import Ints
from ivan_core.metrics.labels.answers import text_ids
from ivan_core.models.names import is_authored, is_rules, plain_name
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LabelResults:
    """What a finished labelling found. The table has one row a text, see `labels.table.COLUMNS`.

    `whole` is there where these are results of some texts alone; with `bare` rates of theirs mean
    nothing beyond them and have no intervals.
    """

    run: Run
    spec: LabelSpec | TaxonomySpec
    dataset: PreparedDataset
    table: pd.DataFrame
    manifest: Mapping[str, Any]
    whole: LabelResults | None = None
    bare: bool = False

    def only(self, texts: Ints, bare: bool) -> LabelResults:
        """The results of some texts, given by their numbers as `text_ids` has them."""
        inside = np.isin(text_ids(self.table), texts)
        table = self.table[inside].reset_index(drop=True)
        return replace(self, table=table, whole=self, bare=bare)

    @property
    def content(self) -> str:
        """Which pairs these are, whatever file they came from."""
        return str(self.dataset.about["content"])

    @property
    def labeler(self) -> str:
        """Who labelled, by its id."""
        return str(self.manifest["labeler"]["id"])

    @property
    def rule_based(self) -> bool:
        return is_rules(self.labeler)

    @property
    def authored(self) -> bool:
        """Whether these are the labels that were written with the sample's minimal pairs.

        Of a text they know one label alone; `differences` tells what they know of a pair. They are
        set beside others by name, and never stand for them.
        """
        return is_authored(self.labeler)

    @property
    def of_demo(self) -> bool:
        """Whether the demo server labelled, by rules and under the name of a model."""
        return self.labeler.endswith(DEMO_NAME.format(""))

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels that were asked for, or that pairs were written for."""
        return REGRESSION_FEATURES if self.authored else self.spec.keys

    @property
    def row_ids(self) -> list[int]:
        """Every row of which a text was asked for, in the order of the dataset."""
        return sorted({int(row_id) for row_id in self.table["row_id"]})

    @property
    def decided(self) -> pd.DataFrame:
        """The table without the rows in which the data prefers neither reply."""
        tied = self.dataset.tied_rows
        return self.table[~self.table["row_id"].isin(tied)] if tied else self.table

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the reconciliation line."""
        return dict(self.manifest["counts"])

    @property
    def line(self) -> str:
        """The reconciliation line, which adds up."""
        counts = self.counts
        states = " + ".join(f"{counts[state]:,} {state}" for state in STATES)
        return f"{counts['submitted']:,} submitted = {states}"

    @property
    def reused_words(self) -> str:
        """Which answers were not asked for, since other runs had them; empty if all were."""
        return reused_words(self.manifest.get("reused") or {})


@dataclass(frozen=True, slots=True)
class TextLabels:
    """The labels that one labeler gave to both texts of a pair; None where it gave none."""

    run_id: str
    labeler: str
    rule_based: bool
    keys: tuple[str, ...]
    chosen: Mapping[str, Label] | None
    rejected: Mapping[str, Label] | None
    authored: bool = False

    @property
    def differing(self) -> tuple[str, ...]:
        """The keys that have a label on both sides, and not the same."""
        ours, theirs = self.chosen or {}, self.rejected or {}
        return tuple(key for key in self.keys if _apart(ours.get(key), theirs.get(key)))

    @property
    def alike(self) -> tuple[str, ...]:
        """The keys that were written to be the same on both sides, whatever their value is."""
        if not self.authored or not self.differing:
            return ()
        return tuple(key for key in self.keys if key not in self.differing)


def labeler_of(run_id: str) -> str | None:
    """Who labelled, by its id, without opening the labels; None where the manifest is damaged."""
    folder = data_dir() / "runs" / run_id
    try:
        return _labeler(folder, folder.stat().st_ino)
    except (BadInput, FileNotFoundError):
        return None


@lru_cache(maxsize=4096)
def _labeler(folder: Path, _: int) -> str:
    manifest = runs.manifest(folder.name)
    if manifest is None:
        raise BadInput(f"Run {folder.name} is not finished.")
    with runs.whole(folder.name, "manifest"):
        return str(manifest["labeler"]["id"])


def _read(found: Found) -> LabelResults:
    run, manifest = found.run, found.manifest
    if not found.whole or manifest is None:
        raise nothing_yet(run, "labels")
    dataset = found.dataset
    with runs.whole(run.id, "manifest"):
        str(manifest["labeler"]["id"]), dict(manifest["counts"])
    with runs.whole(run.id, "table"):
        path = found.folder / TABLE
        if not path.exists():
            raise FileNotFoundError
        table = with_prompts(read_labels(path), dataset)
    return LabelResults(run, found.spec, dataset, table, manifest)


open_labels = Opener("labels", _read, table=TABLE, keep=8)
"""The labels of a finished run by its id, whoever labelled."""


def pairs_covered(run_id: str) -> int | None:
    """How many pairs the labels of a finished run are about, where these are not all of its rows.

    Authored labels are about minimal pairs alone.
    """
    if not is_authored(labeler_of(run_id) or ""):
        return None
    manifest = runs.manifest(run_id)
    return None if manifest is None else int(manifest["counts"]["valid"]) // 2


def labellings() -> list[Run]:
    """All labellings, newest first."""
    return runs.registry().some(alike("labels"))


def named_runs(content: str) -> dict[str, str]:
    """The labellings of the pairs of a dataset by run, each with its labeler's name."""
    return {
        run.id: f"{plain_name(labeler_of(run.id) or 'nobody')}, run {run.label}"
        for run in runs_of("labels", content)
    }


def labels_of_row(dataset: str, row_id: int) -> list[TextLabels]:
    """What each labeler said of the texts of a row, newest run first, one run a labeler.

    `dataset` is the content of a dataset, as its card gives it.
    """
    found: dict[str, TextLabels] = {}
    wanted = (run for run in runs_of("labels", dataset) if labeler_of(run.id) not in found)
    for results in runs.opened(wanted, open_labels):
        own = results.table[results.table["row_id"] == row_id]
        if own.empty:
            continue
        sides = {str(row["preference"]): labels_of(row, results.keys) for _, row in own.iterrows()}
        found[results.labeler] = TextLabels(
            results.run.id,
            results.labeler,
            results.rule_based,
            results.keys,
            sides.get("chosen"),
            sides.get("rejected"),
            results.authored,
        )
    return list(found.values())


def labels_of(row: Mapping[str, Any] | pd.Series, keys: Sequence[str]) -> dict[str, Label]:
    """The labels of some keys in a row of a labels table; None where there is none."""
    return {key: plain(row[key]) for key in keys}


def plain(value: Any) -> Label:
    """A cell of the labels table as a label; None where there is none."""
    import pandas as pd

    if value is None or value is pd.NA:
        return None
    return value if isinstance(value, str | tuple) else bool(value)


def _apart(ours: Label, theirs: Label) -> bool:
    if ours is None or theirs is None:
        return False
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return set(ours) != set(theirs)
    return ours != theirs
