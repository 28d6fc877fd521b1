"""Labellings in batches of a provider as a kind of run: they end with labels as others do."""

from __future__ import annotations

from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine.kind import Counts, Kind, Sending, SideBySide, Transfer, late, record

_HERE, _LABELS = "ivan_core.experiments.batches", "ivan_core.experiments.labels"


def _about(spec: TaxonomySpec) -> str:
    return f"{spec.dataset.label} | {spec.model}"


KIND = Kind(
    name="taxonomy",
    noun="labelling in batches",
    listed="labels, in batches",
    page="taxonomy",
    stage="Labels",
    did="pairs labelled",
    folders=("taxonomy-input", "taxonomy-output"),
    stays="Answers that were paid for stay, without their texts, for the next run.",
    commands="ivan_core.cli.taxonomy",
    spec=TaxonomySpec,
    about=_about,
    counts=Counts(weight=lambda _: 2),
    work=late(f"{_HERE}.work:work_taxonomy"),
    proposes=late(f"{_HERE}.plan:propose"),
    open=late(f"{_LABELS}.results:open_labels"),
    report=late(f"{_LABELS}.report:print_labels"),
    command=late(f"{_HERE}.command:batch_command"),
    beside=SideBySide(late(f"{_LABELS}.sentences:beside")),
    figures=record(f"{_LABELS}.figures:FIGURES"),
    transfer=Transfer(
        archive=record(f"{_HERE}.archive:ARCHIVE"),
        known=late(f"{_LABELS}.interchange.known:known"),
        scores=late(f"{_LABELS}.interchange.scores:scores"),
    ),
    sending=Sending(
        stop=late(f"{_HERE}.handling:cancel_batches"),
        follow=late(f"{_HERE}.handling:follow"),
        part_with=late(f"{_HERE}.handling:part_with"),
    ),
)
