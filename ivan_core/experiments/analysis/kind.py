"""Analyses as a kind of run."""

from __future__ import annotations

from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import Kind, Transfer, late, record
from ivan_core.experiments.analysis.units import AnalysisSpec

_HERE = "ivan_core.experiments.analysis"


def _about(spec: AnalysisSpec) -> str:
    return f"{spec.dataset.label} | {', '.join(spec.models)}"


def _command(run: Run) -> str:
    return runs.spec_of(run, AnalysisSpec).command_line


KIND = Kind(
    name="analysis",
    noun="analysis",
    listed="analysis",
    page="analysis",
    stage="Analysis",
    did="pairs analysed",
    folders=("analysis",),
    names_files=True,
    commands="ivan_core.cli.analyse",
    spec=AnalysisSpec,
    about=_about,
    work=late(f"{_HERE}.work:work_analysis"),
    proposes=late(f"{_HERE}.plan:propose"),
    adds=late(f"{_HERE}.plan:propose_again"),
    then="analyse what is rewarded (regressions, free, a few seconds)",
    open=late(f"{_HERE}.results:open_analysis"),
    report=late(f"{_HERE}.report:print_analysis"),
    command=_command,
    figures=record(f"{_HERE}.figures:FIGURES"),
    conditions=record(f"{_HERE}.conditions:LANGUAGE"),
    transfer=Transfer(
        archive=record(f"{_HERE}.archive:ARCHIVE"), known=late(f"{_HERE}.interchange.known:known")
    ),
)
