"""What people say of the replies of an analysis, and what is known of a labeler's mistakes by it.

Only blind answers to random items count (`engine.opinions`); of several people, what most say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ivan_core.domain.labels import REGRESSION_FEATURES, Label
from ivan_core.domain.pairs import SIDES
from ivan_core.engine.opinions import described_by_people, texts_of_majority, used_opinions
from ivan_core.experiments.analysis.joined import Bools, Floats, Ints, Joined, Labelled
from ivan_core.metrics.imprint.controls import control_named
from ivan_core.metrics.imprint.corrected import corrected, corrected_alone
from ivan_core.metrics.imprint.effects import Effect
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.rows import Rows
from ivan_core.metrics.intervals import Rate, share_in, units_of
from ivan_core.metrics.labels.answers import SENTIMENTS

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

PEOPLE, LABELERS = "people", "labelers"
"""By whom a labeler was checked."""
_USUAL = 0.5
"""A question counts where people answered it on so many of the pairs that they described."""


@dataclass(frozen=True, eq=False)
class People:
    """How many people described a reply of these pairs, and what most of them say of each."""

    count: int
    said: Labelled

    def reviewed(self, features: Sequence[str]) -> tuple[tuple[str, ...], Bools]:
        """Which of a labeler's features people were asked for as a rule, and the pairs on whose
        two replies they answered all of these."""
        places = [at for at, key in enumerate(self.said.features) if key in features]
        answered = ~np.isnan(self.said.differences[:, places])
        least = _USUAL * int(answered.any(axis=1).sum())
        kept = np.flatnonzero(answered.any(axis=0) & (answered.sum(axis=0) >= least))
        whole = answered[:, kept].all(axis=1) & bool(len(kept))
        return tuple(self.said.features[places[at]] for at in kept), np.asarray(whole)

    def on(self, inside: Bools, features: Sequence[str]) -> int:
        """On how many of some pairs they answered all that they were asked of these features."""
        return int((self.reviewed(features)[1] & inside).sum())

    def effects(
        self, inside: Bools, labelled: Rows, outcome: Floats, view: str, control: str
    ) -> tuple[Effect, ...] | None:
        """An imprint as people label: of an outcome on the pairs `inside`, which are `labelled`.

        None while they described too few pairs.
        """
        features, reviewed = self.reviewed(labelled.features)
        places = [self.said.features.index(key) for key in features]
        both = reviewed & inside
        count = int(both.sum())
        rows = Rows(
            features,
            self.said.differences[both][:, places],
            labelled.length[reviewed[inside]],
            Groups.of(labelled.groups.codes[reviewed[inside]], count),
        )
        if view == "alone":
            return corrected_alone(rows, labelled, outcome, reviewed[inside])
        return corrected(rows, labelled, outcome, reviewed[inside], control_named(control))


def people_on(dataset: PreparedDataset, row_ids: Ints) -> People | None:
    """What people said of some rows of a dataset; None where nobody said anything."""
    used = described_by_people(used_opinions(dataset))
    places = {row: at for at, row in enumerate(row_ids.tolist())}
    sides = np.full((2, len(row_ids), len(REGRESSION_FEATURES)), np.nan)
    for text, said in texts_of_majority(used, REGRESSION_FEATURES).items():
        if text.row_id in places:
            own = sides[SIDES.index(text.preference), places[text.row_id]]
            own[:] = [_number(said[key]) for key in REGRESSION_FEATURES]
    asked = np.flatnonzero(~np.isnan(sides).all(axis=(0, 1)))
    if not len(asked):
        return None
    keys = tuple(REGRESSION_FEATURES[at] for at in asked)
    nothing = np.zeros((len(row_ids), 0), dtype=np.bool_)
    chosen, rejected = sides[0][:, asked], sides[1][:, asked]
    said_of = Labelled("", PEOPLE, keys, chosen, rejected, chosen - rejected, (), nothing)
    count = sum(any(text.row_id in places for text in own) for own in used.texts.values())
    return People(count, said_of)


def _number(answer: Label) -> float:
    if answer is None:
        return np.nan
    return float(SENTIMENTS.index(answer) - 1 if isinstance(answer, str) else bool(answer))


def checked(joined: Joined, people: People | None) -> dict[str, dict[str, Any] | None]:
    """By labeler, how often it gives the answer that people give, else that the others give.

    `same` are all answers to the same question about the same text, `both` those that at least one
    of the two calls so. None where nobody has checked it.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for run_id, own in joined.labelers.items():
        others = [one for name, one in joined.labelers.items() if name != run_id]
        by_people = people and _beside(joined, own, [people.said], PEOPLE, people.count)
        found[run_id] = by_people or _beside(joined, own, others, LABELERS, len(others))
    return found


def _beside(
    joined: Joined, own: Labelled, others: Sequence[Labelled], by: str, count: int
) -> dict[str, Any] | None:
    """The shares of the same answers, each of which belongs to its prompt."""
    same: list[Bools] = []
    called: list[Bools] = []
    prompts: list[Ints] = []
    texts = np.zeros((2, len(joined)), dtype=np.bool_)
    for other in others:
        shared = [key for key in own.features if key in other.features]
        ours, theirs = (_both_sides(one, shared) for one in (own, other))
        answered = ~np.isnan(ours) & ~np.isnan(theirs)
        texts |= answered.any(axis=2)
        same.append((ours == theirs)[answered])
        called.append(((ours != 0) | (theirs != 0))[answered])
        of = np.broadcast_to(joined.prompts[None, :, None], ours.shape)
        prompts.append(np.asarray(of[answered], dtype=np.int64))
    if not texts.any():
        return None
    holds, so = np.concatenate(same), np.concatenate(called)
    units = np.concatenate(prompts)
    return {
        "by": by,
        "who": count,
        "texts": int(texts.sum()),
        "same": _told(share_in(holds, units_of(units, None))),
        "both": _told(share_in(holds[so], units_of(units[so], None))),
    }


def _both_sides(labels: Labelled, keys: Sequence[str]) -> Floats:
    """The answers (2, n, k) to some questions."""
    places = [labels.features.index(key) for key in keys]
    return np.stack([labels.chosen[:, places], labels.rejected[:, places]])


def _told(rate: Rate | None) -> dict[str, float] | None:
    if rate is None:
        return None
    return {
        "count": rate.count,
        "n": rate.n,
        "low": rate.low,
        "high": rate.high,
        "effective_n": rate.effective_n,
    }
