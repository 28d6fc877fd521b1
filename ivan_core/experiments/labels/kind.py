"""Labellings, text by text, as a kind of run."""

from __future__ import annotations

from ivan_core.domain.specs import LabelSpec
from ivan_core.engine.kind import Counts, Kind, SideBySide, Transfer, late, record
from ivan_core.models.names import plain_name

_HERE = "ivan_core.experiments.labels"


def _about(spec: LabelSpec) -> str:
    return f"{spec.dataset.label} | {plain_name(spec.labeler)}"


KIND = Kind(
    name="labels",
    noun="labelling",
    listed="labels, text by text",
    page="taxonomy",
    stage="Labels",
    did="pairs labelled",
    folders=("taxonomy-control",),
    commands="ivan_core.cli.taxonomy",
    spec=LabelSpec,
    about=_about,
    counts=Counts(weight=lambda _: 2, covers=late(f"{_HERE}.results:pairs_covered")),
    work=late(f"{_HERE}.work:work_labels"),
    proposes=late(f"{_HERE}.plan:propose"),
    adds=late(f"{_HERE}.plan:propose_beside"),
    open=late(f"{_HERE}.results:open_labels"),
    report=late(f"{_HERE}.report:print_labels"),
    command=late(f"{_HERE}.plan:label_command"),
    beside=SideBySide(late(f"{_HERE}.sentences:beside")),
    figures=record(f"{_HERE}.figures:FIGURES"),
    conditions=record(f"{_HERE}.conditions:LANGUAGE"),
    transfer=Transfer(
        archive=record(f"{_HERE}.archive:ARCHIVE"),
        csvs=record(f"{_HERE}.import_csv:CSVS"),
        known=late(f"{_HERE}.interchange.known:known"),
        scores=late(f"{_HERE}.interchange.scores:scores"),
    ),
)
