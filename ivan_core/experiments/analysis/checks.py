"""What of an analysis follows from its joined rows and from what it was asked for: tables
that come from elsewhere are held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.against import by_regime, misaligned, no_preference
from ivan_core.experiments.analysis.steps.voices import voices_on
from ivan_core.experiments.analysis.tables import frame
from ivan_core.experiments.analysis.units import AnalysisSpec, two_labels

if TYPE_CHECKING:
    import pandas as pd


def contradictions(
    spec: AnalysisSpec, tables: Mapping[str, pd.DataFrame], joined: Joined
) -> Iterator[str]:
    """What in some tables cannot be, in words, of the joined rows of an analysis."""
    if "second-look" in tables and not _looks(tables["second-look"], joined):
        yield "its list of pairs worth a second look contradicts its joined rows"
    if "no-preference" in tables and not _indifferent(tables["no-preference"], joined):
        yield "its shares without a preference contradict its joined rows"
    for name in ("misaligned", "regimes"):
        if name in tables and not _counted(name, tables[name], spec, joined):
            yield f"its table {name} does not count its joined rows"
    if "interaction" in tables:
        asked = tables["interaction"][["feature", "other"]].drop_duplicates()
        if [tuple(row) for row in asked.to_numpy(object)] != [two_labels(spec.interaction)]:
            yield "its labels together are others than its spec asks for"


def _looks(listed: pd.DataFrame, joined: Joined) -> bool:
    """Whether no pair has fewer voices than models and labels give it, or other margins. What
    people chose is in no zip, so there may be more."""
    own = voices_on(joined)
    row_ids = listed["row_id"].to_numpy(np.int64)
    spoke, against = (listed[name].to_numpy(np.int64) for name in ("voices", "against"))
    at = np.minimum(np.searchsorted(joined.row_ids, row_ids), len(joined) - 1)
    people = against - own.against[at]
    margins = listed["smallest_margin"].to_numpy(np.float64)
    return bool(
        listed["row_id"].is_unique
        and (joined.row_ids[at] == row_ids).all()
        and (people >= 0).all()
        and (spoke - own.spoke[at] >= people).all()
        and (against > 0).all()
        and np.allclose(margins, own.smallest[at], equal_nan=True)
    )


def _counted(name: str, given: pd.DataFrame, spec: AnalysisSpec, joined: Joined) -> bool:
    """Whether its counts are those of the joined rows, since each of them opens its pairs."""
    if name == "misaligned":
        records = [one for run_id in joined.labelers for one in misaligned(joined, run_id)]
    elif spec.before:
        moved = [by_regime(joined, one, spec.before, spec.after) for one in joined.labelers]
        records = [one for of_labeler in moved for one in of_labeler]
    else:
        return False
    own = frame(name, records)
    columns = [one for one in own if own[one].dtype != "float64" and one != "effective_n"]
    return bool(given[columns].equals(own[columns]))


def _indifferent(told: pd.DataFrame, joined: Joined) -> bool:
    """Whether margins and labels give these shares."""
    records = [one for run_id in joined.labelers for one in no_preference(joined, run_id)]
    given = frame("no-preference", records)
    names = [one[["model", "labeler"]].to_numpy(object).tolist() for one in (told, given)]
    if names[0] != names[1]:
        return False
    found, expected = (one.select_dtypes("number").to_numpy(float) for one in (told, given))
    return bool(np.allclose(found, expected, equal_nan=True))
