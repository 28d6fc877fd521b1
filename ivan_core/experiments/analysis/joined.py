"""One table a study: each pair's margins and labels, joined by row id and never by position.

For a model, d is the reward of the chosen reply minus that of the rejected one, y is d in typical
margins of all its rated pairs in the comparison. For a labeler and a feature, D is the label of the
chosen reply minus that of the rejected one: booleans count 1 and 0, sentiment -1, 0 and 1. Authored
labels tell D of more features than they tell each reply of: see `pair_labels`. L is the log of the
chosen reply's characters minus that of the rejected one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.runs import RunState
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.tables import ModelScores
from ivan_core.experiments.labels.differences import pair_labels
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.metrics.agreement import typical_margin
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.rows import Rows
from ivan_core.models.names import is_authored

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FOLDS = 10
TOPICS = "topics"


@dataclass(frozen=True, eq=False)
class Judged:
    """One model's margins (n), NaN where it did not rate a pair, and its typical margin.

    `seen` (n) says which pairs it was trained on, as codes of a comparison.
    """

    margin: Floats
    unit: float | None
    seen: NDArray[np.int8] | None = None

    @property
    def in_units(self) -> Floats:
        """Margins in typical margins; where there is no unit all of them are 0."""
        return self.margin / (self.unit or 1.0)


@dataclass(frozen=True, eq=False)
class Labelled:
    """One labeler's answers (n, k) for both replies of each pair, and how these differ; NaN where
    it tells nothing.

    `topics` (n, t) says which topics of `topic_names` the chosen reply has; `mended` (n) which
    pairs were left out since labels of a reply did not come valid at first try.
    """

    run_id: str
    labeler: str
    features: tuple[str, ...]
    chosen: Floats
    rejected: Floats
    differences: Floats
    topic_names: tuple[str, ...]
    topics: Bools
    mended: Bools | None = None

    @property
    def authored(self) -> bool:
        """Whether these are authored labels, which tell how replies differ and not what each is."""
        return is_authored(self.labeler)

    @property
    def answered(self) -> Bools:
        """Where it answered all of its features for both replies."""
        return np.asarray(~np.isnan(self.differences).any(axis=1))


@dataclass(frozen=True, eq=False)
class Joined:
    """All arrays have one place a pair, in the order of `row_ids`; labelers go by their run."""

    row_ids: Ints
    prompts: Ints
    folds: Ints
    length: Floats
    subset: NDArray[np.object_]
    models: Mapping[str, Judged]
    labelers: Mapping[str, Labelled]

    def __len__(self) -> int:
        return len(self.row_ids)

    def rated_by(self, models: Sequence[str]) -> Bools:
        rated = [~np.isnan(self.models[one].margin) for one in models]
        return np.asarray(np.all(rated, axis=0)) if rated else np.ones(len(self), dtype=np.bool_)

    def enters(self, models: Sequence[str], labeler: str) -> Bools:
        """The pairs that a number of these models and this labeler rests on."""
        return self.rated_by(models) & self.labelers[labeler].answered

    def out(self, models: Sequence[str], labeler: str) -> dict[str, int]:
        """How many pairs are not in such a number, each for the first reason that it has."""
        rated = self.rated_by(models)
        own = self.labelers[labeler]
        mended = np.zeros(len(self), dtype=np.bool_) if own.mended is None else own.mended
        nothing = np.isnan(own.differences).all(axis=1) & ~mended
        some = np.isnan(own.differences).any(axis=1) & ~nothing & ~mended
        unlabelled = "of no minimal pair" if own.authored else "not labelled on both sides"
        found = {
            "not rated": int((~rated).sum()),
            "labels mended or asked again": int((rated & mended).sum()),
            unlabelled: int((rated & nothing).sum()),
            "a label missing": int((rated & some).sum()),
        }
        return {why: count for why, count in found.items() if count}

    def rows(self, inside: Bools, labeler: str) -> Rows:
        """These pairs as regressions take them."""
        own = self.labelers[labeler]
        return Rows(
            own.features,
            own.differences[inside],
            self.length[inside],
            Groups.of(self.prompts[inside], int(inside.sum())),
        )


def join(
    compared: Results,
    labelled: Sequence[LabelResults],
    models: Sequence[str],
    *,
    first_try: bool = False,
) -> Joined:
    """Join one comparison with labellings of the same dataset's pairs.

    With `first_try` labels that were mended or asked for again are left out.

    Raises:
        BadInput: the comparison is not finished, or a labelling is about other pairs, or shares no
            row with it.
    """
    if compared.run.state is not RunState.DONE:
        raise BadInput(
            f"Run {compared.run.id} has judged only some of its pairs.",
            "Resume it first, then this run.",
        )
    aligned = compared.aligned
    row_ids = aligned.row_ids
    judged = {name: _judged(aligned.models[name]) for name in models}
    labels = {one.run.id: _labels(compared, one, row_ids, first_try) for one in labelled}
    return on_rows(compared.dataset, row_ids, judged, labels)


def on_rows(
    dataset: PreparedDataset,
    row_ids: Ints,
    models: Mapping[str, Judged],
    labelers: Mapping[str, Labelled],
) -> Joined:
    """Margins and labels of some rows, in their order, with what the dataset tells of these."""
    columns = ["first_turn", "chosen_length", "rejected_length", "subset"]
    numbers = dataset.numbers(columns).iloc[row_ids]
    return Joined(
        row_ids,
        dataset.prompt_groups[row_ids],
        np.array([int(turn[:8], 16) % FOLDS for turn in numbers["first_turn"]], dtype=np.int64),
        _log(numbers["chosen_length"]) - _log(numbers["rejected_length"]),
        numbers["subset"].to_numpy(object),
        models,
        labelers,
    )


def _judged(scores: ModelScores) -> Judged:
    """A model's margins by row id, and its typical one, whatever order they were written in."""
    import pandas as pd

    return Judged(scores.margin, typical_margin(pd.Series(scores.margin)), scores.seen)


def _log(characters: pd.Series) -> Floats:
    return np.asarray(np.log(np.maximum(characters.to_numpy(np.float64), 1)), dtype=np.float64)


def _labels(compared: Results, own: LabelResults, row_ids: Ints, first_try: bool) -> Labelled:
    if own.content != str(compared.dataset.about["content"]):
        raise BadInput(
            f"Run {own.run.id} labels {own.dataset.about['label']}, run {compared.run.id} judged "
            f"{compared.dataset.about['label']}, which holds other pairs.",
            "Choose labels of the same dataset.",
        )
    keys = tuple(key for key in REGRESSION_FEATURES if key in own.keys)
    told = pair_labels(own, keys, first_try=first_try)
    at, here = _places(told.row_ids, row_ids)
    if not here.any() or not keys:
        raise BadInput(
            f"Run {own.run.id} has no labels of the rows that run {compared.run.id} judged.",
            "Choose labels of the same rows.",
        )
    placed = np.full((3, len(row_ids), len(keys)), np.nan)
    for place, values in enumerate((told.chosen, told.rejected, told.difference)):
        placed[place, at[here]] = values[here]
    names, topics = _topics(own, row_ids)
    chosen, rejected, difference = placed
    mended = _mended(own, row_ids) if first_try else None
    return Labelled(
        own.run.id, own.labeler, keys, chosen, rejected, difference, names, topics, mended
    )


def _mended(own: LabelResults, row_ids: Ints) -> Bools:
    """The pairs of which a reply has labels that did not come valid at first try."""
    table = own.table
    valid = table["status"].eq("valid") & table["attempt"].eq(1).fillna(False)
    labelled = table[list(own.keys)].notna().any(axis=1)
    late = table["row_id"][labelled & ~valid].to_numpy(np.int64)
    return np.isin(row_ids, late)


def _places(wanted: Ints, row_ids: Ints) -> tuple[Ints, Bools]:
    """The place of each wanted row among sorted row ids, and whether it is there."""
    at = np.searchsorted(row_ids, wanted)
    return at, np.asarray(row_ids[np.minimum(at, len(row_ids) - 1)] == wanted)


def _topics(own: LabelResults, row_ids: Ints) -> tuple[tuple[str, ...], Bools]:
    """The topics that chosen replies have, and which has which."""
    if TOPICS not in own.keys:
        return (), np.zeros((len(row_ids), 0), dtype=np.bool_)
    table = own.table[own.table["preference"].eq("chosen")]
    at, here = _places(table["row_id"].to_numpy(np.int64), row_ids)
    places: dict[str, int] = {}
    rows: list[int] = []
    columns: list[int] = []
    for row, words in zip(at[here].tolist(), table[TOPICS][here], strict=True):
        for word in words if isinstance(words, tuple) else ():
            rows.append(row)
            columns.append(places.setdefault(word, len(places)))
    found = np.zeros((len(row_ids), len(places)), dtype=np.bool_)
    found[rows, columns] = True
    order = sorted(places)
    return tuple(order), found[:, [places[name] for name in order]]
