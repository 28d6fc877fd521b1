"""Authored labels: what was written with the minimal pairs of the sample, taken as it stands.

Both sides of a minimal pair were written to differ in one feature and to be the same in all others.
So each of its texts has one label, that of the feature, and the values of the others are not known:
only that they are equal. Nothing is asked, judged or mended here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import AUTHOR, Labels, TextKey
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.specs import DatasetRequest, LabelSpec
from ivan_core.domain.words import number_of
from ivan_core.engine.work import begin
from ivan_core.experiments.labels.steps import Labelled, Tally
from ivan_core.labels.reconcile import Reconciled
from ivan_core.labels.table import read_cell
from ivan_core.labels.validate import Outcome
from ivan_core.models.labelers import has_author
from ivan_core.runs.context import RunContext

NO_LABEL = "No author's label: the text is of no minimal pair."
_FEATURE = "feature"
_COLUMNS = ("row_id", _FEATURE, *(f"{side}_value" for side in SIDES))


def take_authored(context: RunContext, spec: LabelSpec) -> Labelled:
    """Take the authored labels of the chosen rows, at once.

    Raises:
        IvanError: the data cannot be had, or is not the sample.
    """
    begun = begin(context, spec, lambda rows: rows)
    found = authored_labels(begun.dataset, begun.choice.row_ids)
    context.note([*begun.notes, *notes(found)])
    total = len(found.submitted)
    context.plan(total=total, done=0)
    tally = Tally(spec.keys)
    tally.add([(key, outcome, 1) for key, outcome in found.outcomes.items()])
    context.tell(tally.facts)
    context.finished(total, total, [])
    return Labelled(begun, card(begun.dataset), found)


def card(dataset: PreparedDataset) -> AnswererCard:
    """Who labelled; the labels are as old as the pairs that they were written with."""
    return AnswererCard(AUTHOR, str(dataset.about["content"])[:12], "authored")


def authored_labels(dataset: PreparedDataset, row_ids: Sequence[int]) -> Reconciled:
    """What was written of the texts of some rows: of others than minimal pairs nothing.

    Raises:
        BadInput: the dataset is not the sample.
    """
    about = dataset.about
    if not has_author(DatasetRequest(**about["request"])):
        raise BadInput(f"Nobody wrote labels with {about['label']}.", "Choose the dataset sample.")
    rows = dataset.numbers(_COLUMNS).set_index("row_id").loc[list(row_ids)]
    submitted, outcomes = [], {}
    for row_id, row in zip(row_ids, rows.to_dict("records"), strict=True):
        for side in SIDES:
            key = TextKey(row_id, side)
            submitted.append(key)
            if feature := str(row[_FEATURE] or ""):
                label, _ = read_cell(feature, str(row[f"{side}_value"]))
                outcomes[key] = Outcome("valid", {feature: label})
    return Reconciled(tuple(submitted), outcomes, dict.fromkeys(outcomes, 1), why_missing=NO_LABEL)


def notes(found: Reconciled) -> list[str]:
    """What a reader should know of authored labels of some texts."""
    counts = found.counts
    told = [
        f"{number_of(counts.valid // 2, 'minimal pair')}, each written to differ in one feature:"
        " the others have the same value on both sides, and nobody wrote which."
    ]
    if counts.missing:
        texts = number_of(counts.missing, "text")
        told.append(f"{texts} {'has' if counts.missing == 1 else 'have'} no author's label.")
    return told


def as_written(
    labels: Mapping[TextKey, Labels], dataset: PreparedDataset, row_ids: Sequence[int]
) -> Reconciled | None:
    """The authored labels of some rows, if these are they: no text more or less, nor other labels.

    None where they are not. Raises BadInput as `authored_labels`.
    """
    found = authored_labels(dataset, row_ids)
    own = {key: outcome.labels for key, outcome in found.outcomes.items()}
    return found if own == {key: dict(one) for key, one in labels.items()} else None
