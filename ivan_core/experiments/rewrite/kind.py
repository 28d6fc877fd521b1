"""Rewordings as a kind of run."""

from __future__ import annotations

from ivan_core.domain.specs import RewriteSpec
from ivan_core.engine.kind import Counts, Kind, SideBySide, Transfer, late, record
from ivan_core.experiments.rewrite.units import weight_of_pair

_HERE = "ivan_core.experiments.rewrite"


def _about(spec: RewriteSpec) -> str:
    return f"{spec.dataset.label} | {', '.join((spec.rewriter, *spec.models))}"


KIND = Kind(
    name="rewrite",
    noun="rewording",
    listed="rewordings",
    page="rewrite",
    stage="Rewording",
    did="pairs reworded",
    folders=("rewrite",),
    paths=("models", "similarity"),
    commands="ivan_core.cli.rewrite",
    spec=RewriteSpec,
    about=_about,
    counts=Counts(weight=weight_of_pair, reached=late(f"{_HERE}.tables:pairs_reworded_by")),
    work=late(f"{_HERE}.work:work_rewrite"),
    proposes=late(f"{_HERE}.plan:propose"),
    open=late(f"{_HERE}.results:open_rewrite"),
    report=late(f"{_HERE}.report:print_rewordings"),
    beside=SideBySide(late(f"{_HERE}.sentences:beside")),
    figures=record(f"{_HERE}.figures:FIGURES"),
    conditions=record(f"{_HERE}.conditions:LANGUAGE"),
    transfer=Transfer(
        archive=record(f"{_HERE}.archive:ARCHIVE"),
        csvs=record(f"{_HERE}.import_csv:CSVS"),
        known=late(f"{_HERE}.report:known"),
    ),
)
