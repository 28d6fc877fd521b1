"""All replies to the prompt of a pair, the one that a model rewards most first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ivan_core.domain.words import one_line
from ivan_core.experiments.compare.results import Results

LONGEST = 300
"""Characters of a reply in a list."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: its place in its row of the source, the first 0, and a pair that it stands in.

    `rewards` are those of the models that rated it.
    """

    place: int
    right: bool
    text: str
    row_id: int
    rewards: Mapping[str, float]


def answers_of(results: Results, row_id: int, model: str) -> list[Answer]:
    """The replies to the prompt of a pair, by the reward of a model, those without one last.

    Empty where the prompt has two replies, or not all of its pairs are in the run.
    """
    best = results.best_of_n
    place = np.flatnonzero(results.aligned.row_ids == row_id)
    if best is None or not len(place):
        return []
    found = best.found
    own = np.flatnonzero(found.pairs == place[0])
    if not len(own):
        return []
    prompt = found.of_pair[own[0]]
    pairs = np.flatnonzero(found.of_pair == prompt)
    start, end = found.starts[prompt], found.starts[prompt + 1]
    if end - start < 3:
        return []
    texts: dict[int, tuple[str, int]] = {}
    rows = results.aligned.row_ids[found.pairs[pairs]].tolist()
    for at, pair in zip(pairs, results.dataset.pairs(rows), strict=True):
        for reply, side in ((found.chosen[at], pair.chosen), (found.rejected[at], pair.rejected)):
            texts.setdefault(int(reply), (side.reply or "", pair.row_id))
    answers = [
        Answer(
            reply - int(start),
            bool(found.right[reply]),
            one_line(text, LONGEST),
            row,
            {
                name: float(rewards[reply])
                for name, rewards in best.rewards.items()
                if not np.isnan(rewards[reply])
            },
        )
        for reply, (text, row) in texts.items()
    ]
    return sorted(answers, key=lambda one: (-one.rewards.get(model, -np.inf), one.place))
