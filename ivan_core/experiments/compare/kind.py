"""Comparisons as a kind of run."""

from __future__ import annotations

from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.kind import Counts, Kind, SideBySide, Transfer, late, record

_HERE = "ivan_core.experiments.compare"


def _about(spec: CompareSpec) -> str:
    return f"{spec.dataset.label} | {', '.join(spec.models)}"


def _weight(spec: CompareSpec) -> int:
    return max(1, len(spec.models))


KIND = Kind(
    name="compare",
    noun="comparison",
    listed="comparison",
    page="compare",
    stage="Compare",
    did="pairs judged",
    folders=("compare",),
    names_files=True,
    on_clusters=True,
    paths=("models",),
    stays="Its rewards stay in the cache, so the same comparison is quick to run again.",
    commands="ivan_core.cli.compare",
    spec=CompareSpec,
    about=_about,
    counts=Counts(weight=_weight),
    work=late(f"{_HERE}.work:work_compare"),
    proposes=late(f"{_HERE}.plan:propose"),
    open=late(f"{_HERE}.results:open_results"),
    report=late(f"{_HERE}.report:print_results"),
    beside=SideBySide(late(f"{_HERE}.sentences:beside"), late(f"{_HERE}.several:together")),
    figures=record(f"{_HERE}.figures:FIGURES"),
    conditions=record(f"{_HERE}.conditions:LANGUAGE"),
    transfer=Transfer(
        archive=record(f"{_HERE}.archive:ARCHIVE"),
        csvs=record(f"{_HERE}.import_csv:CSVS"),
        known=late(f"{_HERE}.report:known"),
        scores=late(f"{_HERE}.interchange.scores:scores"),
    ),
)
