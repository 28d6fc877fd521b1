"""The finished comparisons and labellings of a dataset's pairs, which reviews are set beside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label, TextKey
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.reviews import NO_DIFFERENCE
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.engine.opened import runs_of
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.labels.results import LabelResults, labeler_of, labels_of, open_labels
from ivan_core.metrics.labels.answers import (
    CHOICE_KEYS,
    Answers,
    Bools,
    join_labelers,
    labeler_choice,
)

if TYPE_CHECKING:
    from ivan_core.datasets.prepared import PreparedDataset

SIDE_OF_VERDICT = {"agree": "chosen", "tie": NO_DIFFERENCE, "disagree": "rejected"}
"""Which reply a model's verdict says is better."""


def comparisons(dataset: PreparedDataset) -> list[Run]:
    """The finished comparisons of these pairs, newest first."""
    return runs_of("compare", str(dataset.about["content"]))


def labellings(dataset: PreparedDataset) -> list[Run]:
    """The finished labellings of these pairs, newest first."""
    return runs_of("labels", str(dataset.about["content"]))


def analyses(dataset: PreparedDataset) -> list[Run]:
    """The finished analyses of these pairs, newest first."""
    return runs_of("analysis", str(dataset.about["content"]))


def newest_labellings(
    dataset: PreparedDataset, among: Collection[str] | None = None
) -> list[LabelResults]:
    """The newest labelling of each labeler, newest first; `among` are ids of runs, all if None."""
    found: dict[str, LabelResults] = {}
    asked = (run for run in labellings(dataset) if among is None or run.id in among)
    wanted = (run for run in asked if labeler_of(run.id) not in found)
    for one in runs.opened(wanted, open_labels):
        found[one.labeler] = one
    return list(found.values())


def labelers_on(dataset: PreparedDataset, among: Collection[str]) -> set[str]:
    """Who labelled these pairs in some runs, by their ids; no labels are opened."""
    names = (labeler_of(run.id) for run in labellings(dataset) if run.id in among)
    return {name for name in names if name is not None}


def open_comparison(run_id: str, dataset: PreparedDataset) -> Results:
    """A finished comparison of these pairs. Raises BadInput if it is none."""
    if run_id not in {run.id for run in comparisons(dataset)}:
        raise _not_of(run_id, dataset, "comparison")
    return open_results(run_id)


def open_labelling(run_id: str, dataset: PreparedDataset) -> LabelResults:
    """A finished labelling of these pairs. Raises BadInput if it is none."""
    if run_id not in {run.id for run in labellings(dataset)}:
        raise _not_of(run_id, dataset, "labelling")
    return open_labels(run_id)


def labels_on(
    labelling: LabelResults, rows: Collection[int], keys: Sequence[str]
) -> dict[TextKey, dict[str, Label]]:
    """The labels of the texts of some rows by these keys, None where there is none that counts."""
    table = labelling.table[labelling.table["row_id"].isin(list(rows))]
    return {
        TextKey(int(row["row_id"]), row["preference"]): labels_of(row, keys)
        for row in table[["row_id", "preference", *keys]].to_dict("records")
    }


def labeler_choices(labelling: LabelResults, rows: Collection[int]) -> dict[int, str]:
    """Which reply a labeler prefers on some rows: chosen, rejected, or none for neither.

    Rows of which its labels do not tell are left out.
    """
    if not set(CHOICE_KEYS) <= set(labelling.keys):
        return {}
    given = labels_on(labelling, rows, CHOICE_KEYS)
    choices = {
        row: labeler_choice(given.get(TextKey(row, "chosen")), given.get(TextKey(row, "rejected")))
        for row in dict.fromkeys(text.row_id for text in given)
    }
    return {row: choice for row, choice in choices.items() if choice is not None}


def differ(ours: Answers, theirs: Answers) -> Bools:
    """On which texts two labelers give different answers."""
    return np.asarray((ours.holds != theirs.holds).any(axis=1), np.bool_)


def called_so(ours: Answers, theirs: Answers) -> Bools:
    """Which texts either labeler calls so."""
    return ours.marked | theirs.marked


def texts_where(
    first: LabelResults,
    second: LabelResults,
    keys: Sequence[str],
    holds: Callable[[Answers, Answers], Bools],
) -> list[TextKey]:
    """The texts on which something holds for any of the keys that both labellings answered."""
    texts = join_labelers({"first": first.table, "second": second.table})
    found = np.zeros(len(texts.ids), np.bool_)
    for key in keys:
        ours, theirs = texts.answers(key)
        found |= ours.answered & theirs.answered & holds(ours, theirs)
    return [
        TextKey(int(row), SIDES[int(side)])
        for row, side in (divmod(int(one), 2) for one in texts.ids[found])
    ]


def rows_of(texts: Sequence[TextKey]) -> list[int]:
    """The rows of some texts, in their order."""
    return sorted({one.row_id for one in texts})


def _not_of(run_id: str, dataset: PreparedDataset, kind: str) -> BadInput:
    runs.get(run_id)  # says so where there is no such run
    return BadInput(
        f"Run {run_id} is no finished {kind} of {dataset.about['label']}.",
        "Choose a finished run on the same pairs.",
    )
