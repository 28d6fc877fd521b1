"""Tables of scores that tests write down as rewards, and rewards that hypothesis makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from ivan_core.domain.models import Reward, verdict
from ivan_core.experiments.compare.tables import SCORES
from ivan_core.metrics.agreement import VERDICTS, rated
from ivan_core.metrics.models.judged import AGREE, DISAGREE, TIE, UNRATED, Judged

Rewards = tuple[float | None, float | None]


def scores(rewards: Sequence[Rewards], model: str = "m", **columns: Any) -> pd.DataFrame:
    """A scores table of one model with these (chosen, rejected) rewards; lengths are 2 and 1."""
    rows = []
    for row_id, (chosen, rejected) in enumerate(rewards):
        first, second = Reward(chosen), Reward(rejected)
        rows.append(
            {
                "row_id": row_id,
                "model": model,
                "subset": "s",
                "chosen_reward": chosen,
                "rejected_reward": rejected,
                "margin": None if chosen is None or rejected is None else chosen - rejected,
                "verdict": verdict(first, second),
                "chosen_truncated": False,
                "rejected_truncated": False,
                "failure": None if chosen is not None and rejected is not None else "no answer",
                "identical": False,
                "chosen_length": 2,
                "rejected_length": 1,
                "seen": None,
                "step": row_id,
            }
        )
    table = pd.DataFrame(rows, columns=list(SCORES))
    for name, values in columns.items():
        table[name] = values
    return table.astype(SCORES)


float32 = st.floats(-1000, 1000, width=32)
some_rewards = st.lists(st.tuples(float32, float32), min_size=1, max_size=40)


def chunk_counts(table: pd.DataFrame) -> pd.DataFrame:
    """The verdicts of each model in each chunk: model, step, agree, tie, disagree."""
    own = rated(table)
    counts = own[["model", "step"]].assign(
        **{name: own["verdict"].eq(name).astype("int64") for name in VERDICTS}
    )
    return counts.groupby(["model", "step"], sort=False, as_index=False).sum()


def judged(*, seen: Mapping[str, Sequence[int]] | None = None, **margins: Any) -> Judged:
    """What models made of pairs, from their margins (None: not rated); rejected rewards are 0.

    `seen` says for some models on which rows they were trained (1), not (0) or nobody knows (-1).
    """
    chosen = np.array([np.asarray(own, dtype=np.float64) for own in margins.values()])
    verdict = np.select(
        [chosen > 0, chosen == 0, chosen < 0], [AGREE, TIE, DISAGREE], UNRATED
    ).astype(np.int8)
    unit = np.sqrt(np.nanmean(np.where(np.isnan(chosen).all(1, keepdims=True), 1, chosen) ** 2, 1))
    trained = np.full(chosen.shape, -1, dtype=np.int8)
    for name, rows in (seen or {}).items():
        trained[list(margins).index(name)] = rows
    return Judged(
        tuple(margins),
        verdict,
        chosen / np.where(unit > 0, unit, 1)[:, None],
        chosen,
        np.where(np.isnan(chosen), np.nan, 0.0),
        trained,
    )
