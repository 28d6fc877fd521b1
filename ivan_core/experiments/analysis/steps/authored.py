"""The imprint by a labeler beside that by authored labels, as records."""

from __future__ import annotations

import numpy as np

from ivan_core.experiments.analysis.joined import Joined
from ivan_core.experiments.analysis.steps.outcomes import Record, effect_record
from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.effects import CLEAR_FOR_ONE, clearness, together
from ivan_core.metrics.paired import SIGNIFICANT


def beside_authored(joined: Joined, control: Control) -> list[Record]:
    """The imprint of each model by a labeler and by authored labels, on the pairs of both.

    `labeler` is whose labels an effect rests on and `beside` the other one; `clear` are effects by
    both, else for the one labeler. `found` counts the
    pairs of which both say that the replies differ, and in the same direction. Nothing where there
    are no authored labels, or no others.
    """
    authored = [run_id for run_id, own in joined.labelers.items() if own.authored]
    others = [run_id for run_id, own in joined.labelers.items() if not own.authored]
    return [
        record
        for written in authored[:1]
        for labeler in others
        for model in joined.models
        for record in _side_by_side(joined, model, (labeler, written), control)
    ]


def _side_by_side(
    joined: Joined, model: str, two: tuple[str, str], control: Control
) -> list[Record]:
    inside = joined.enters([model], two[0]) & joined.enters([model], two[1])
    if not inside.any():
        return []
    y = joined.models[model].in_units[inside]
    rows = [joined.rows(inside, one) for one in two]
    effects = [together(own, y, control).effects for own in rows]
    clear = clearness([{one.feature: one for one in own} for own in effects])
    shared = [key for key in rows[0].features if key in rows[1].features]
    signs = [np.sign(np.column_stack([own.column(key) for key in shared])) for own in rows]
    same = ((signs[0] == signs[1]) & (signs[0] != 0)).sum(axis=0)
    found = dict(zip(shared, same.tolist(), strict=True))
    return [
        {
            "model": model,
            "labeler": labeler,
            "beside": beside,
            **effect_record(one),
            "clear": words[one.feature] or (CLEAR_FOR_ONE if one.p_holm < SIGNIFICANT else ""),
            "found": found.get(one.feature, 0),
        }
        for labeler, beside, own, words in zip(two, two[::-1], effects, clear, strict=True)
        for one in own
    ]
