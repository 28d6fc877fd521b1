"""A run's scores as arrays, one place a row: any filter of them is a few operations on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.pairs import TIED
from ivan_core.metrics.agreement import VERDICTS, subset_label, typical_margin

if TYPE_CHECKING:
    import pandas as pd

Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNRATED = -1
"""Code of a row without a verdict; the others are places in `VERDICTS`."""
UNKNOWN = -1
"""Code of a row of which nobody knows whether the model was trained on it; else 0 or 1."""


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model's numbers; rows it has not judged (yet) are unrated and NaN.

    `unit` is the typical margin, None where there is none or it is 0.
    """

    verdict: Codes
    margin: Floats
    chosen_reward: Floats
    rejected_reward: Floats
    truncated: Bools
    failed: Bools
    seen: Codes
    unit: float | None

    @property
    def in_units(self) -> Floats:
        """Margins in typical margins of the model."""
        return self.margin / (self.unit or 1.0)


@dataclass(frozen=True, slots=True)
class Aligned:
    """Every array has one place a row, in the order of row ids; `subset` are places in `subsets`.

    `length` is the length of the chosen reply minus that of the rejected one, in characters.
    """

    row_ids: Ints
    subset: NDArray[np.int64]
    subsets: tuple[str, ...]
    identical: Bools
    length: Ints
    models: dict[str, ModelScores]

    def at(self, row_ids: Sequence[int]) -> Ints:
        """The places of rows that the run has."""
        return np.searchsorted(self.row_ids, np.asarray(row_ids, np.int64))

    def apart(self) -> Floats:
        """How far the models' margins lie apart where their verdicts differ; NaN elsewhere."""
        found = np.full(len(self.row_ids), np.nan)
        differ = self.differ()
        margins = np.array([scores.in_units[differ] for scores in self.models.values()])
        if margins.size:
            found[differ] = np.nanmax(margins, axis=0) - np.nanmin(margins, axis=0)
        return found

    def sharpest(self) -> list[int]:
        """Row ids on which the models differ in verdict, the sharpest disagreement first."""
        apart = self.apart()
        order = np.lexsort([self.row_ids, -apart])
        rows: list[int] = self.row_ids[order[: np.count_nonzero(~np.isnan(apart))]].tolist()
        return rows

    def differ(self) -> Bools:
        """Whether the models that rated a row do not all have the same verdict."""
        seen = [
            np.any([scores.verdict == code for scores in self.models.values()], axis=0)
            for code in range(len(VERDICTS))
        ]
        return np.asarray(np.sum(seen, axis=0) > 1)


def align(table: pd.DataFrame) -> Aligned:
    """The arrays of a scores table, whose rows may stand in any order."""
    import pandas as pd

    row_ids, first = np.unique(table["row_id"].to_numpy(np.int64), return_index=True)
    shared = table[["subset", "identical", "chosen_length", "rejected_length"]].iloc[first]
    codes, named = pd.factorize(shared["subset"], use_na_sentinel=False)
    labels = [subset_label(value) for value in named]
    subsets = tuple(dict.fromkeys(labels))
    places = np.array([subsets.index(label) for label in labels], np.int64)
    model, models = pd.factorize(table["model"])
    return Aligned(
        row_ids,
        places[codes] if len(places) else codes,
        subsets,
        shared["identical"].to_numpy(bool),
        shared["chosen_length"].to_numpy(np.int64) - shared["rejected_length"].to_numpy(np.int64),
        {
            str(name): _scores(table.iloc[np.flatnonzero(model == code)], row_ids)
            for code, name in enumerate(models)
        },
    )


def _scores(own: pd.DataFrame, row_ids: Ints) -> ModelScores:
    import pandas as pd

    at = np.searchsorted(row_ids, own["row_id"].to_numpy(np.int64))

    def spread(values: NDArray[Any], missing: object, kind: type[Any]) -> NDArray[Any]:
        found = np.full(len(row_ids), missing, dtype=kind)
        found[at] = values
        return found

    def floats(name: str) -> Floats:
        return spread(own[name].to_numpy(float, na_value=np.nan), np.nan, np.float64)

    verdict = np.asarray(pd.Categorical(own["verdict"], VERDICTS).codes)
    rated = verdict != UNRATED
    truncated = own["chosen_truncated"].to_numpy(bool) | own["rejected_truncated"].to_numpy(bool)
    reason = own["failure"].fillna("").ne("").to_numpy(bool)
    tied = own["failure"].eq(TIED).to_numpy(bool, na_value=False)
    failed = reason & ~rated & ~own["identical"].to_numpy(bool) & ~tied
    seen = own["seen"].astype("boolean").astype("Int8").to_numpy(np.int8, na_value=UNKNOWN)
    return ModelScores(
        spread(verdict, UNRATED, np.int8),
        floats("margin"),
        floats("chosen_reward"),
        floats("rejected_reward"),
        spread(truncated & rated, False, np.bool_),
        spread(failed, False, np.bool_),
        spread(seen, UNKNOWN, np.int8),
        typical_margin(own["margin"][rated]) or None,
    )
