"""The voices on each pair, as the records of the table of pairs worth a second look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.engine.second_choices import SecondChoice, counted
from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.against import preferences
from ivan_core.metrics.imprint.second_look import Voices, voices


def second_look(
    joined: Joined, dataset: PreparedDataset, second: Iterable[SecondChoice]
) -> list[dict[str, Any]]:
    """The pairs with a voice against the choice, the first to look at first.

    Pairs without a choice, or whose replies are the same, are not among them.
    """
    found = voices_on(joined, second)
    left_out = dataset.tied_rows | dataset.identical_rows
    return [
        {
            "row_id": row,
            "voices": int(found.spoke[place]),
            "against": int(found.against[place]),
            "smallest_margin": float(found.smallest[place]),
        }
        for place in found.ranked
        if (row := int(joined.row_ids[place])) not in left_out
    ]


def voices_on(joined: Joined, second: Iterable[SecondChoice] = ()) -> Voices:
    """The voices of models, labelers and people on each of the joined pairs."""
    counts = counted(second)
    people = np.array([counts.get(int(row), (0, 0)) for row in joined.row_ids], dtype=np.int64)
    told = [codes for one in joined.labelers if (codes := preferences(joined, one)) is not None]
    margins = [one.in_units for one in joined.models.values()]
    return voices(margins, told, people[:, 0], people[:, 1])


def second_choices(joined: Joined, second: Iterable[SecondChoice]) -> int:
    """How many choices of people are among the voices."""
    here = set(joined.row_ids.tolist())
    return sum(spoke for row, (spoke, _) in counted(second).items() if row in here)
