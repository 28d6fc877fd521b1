"""Which runs an analysis joined, and which of them are here: one that came as a zip brings none."""

from __future__ import annotations

from collections.abc import Iterator

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import datasets, handling as runs, studies
from ivan_core.engine.kind import alike
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.units import AnalysisSpec

IMPORT_THEM = "Import them on Runs, then they open here."


def is_here(analysed: Analysed, run_id: str) -> bool:
    """Whether a run that the analysis joined is here: there may be another one of its name."""
    kinds = {one: kind for one, kind, _ in _joined_by(analysed.spec)}
    return run_id in kinds and _same(run_id, kinds[run_id], analysed.content)


def not_here(analysed: Analysed) -> str:
    """Which joined runs are not here, what that takes away and what to do; empty if all are."""
    gone = [
        f"{what} (run {run_id})"
        for run_id, kind, what in _joined_by(analysed.spec)
        if not _same(run_id, kind, analysed.content)
    ]
    if not gone:
        return ""
    return f"Not here: {', '.join(gone)}. So their rows cannot be opened. {IMPORT_THEM}"


def left_behind(spec: AnalysisSpec) -> str:
    """The first run without which an analysis cannot be asked for again; empty if all are here."""
    dataset = datasets.find(spec.dataset)
    content = str(dataset.about["content"]) if dataset else None
    return next(
        (run_id for run_id, kind, _ in _joined_by(spec) if not _same(run_id, kind, content)), ""
    )


def _joined_by(spec: AnalysisSpec) -> Iterator[tuple[str, str, str]]:
    """Each run that is joined, of which kind it is, and what it is to the analysis."""
    yield spec.comparison, "compare", "the comparison"
    for run_id in spec.labelers:
        yield run_id, "labels", "labels"
    if spec.rewording:
        yield spec.rewording, "rewrite", "the rewording"


def _same(run_id: str, kind: str, content: str | None) -> bool:
    try:
        run = runs.get(run_id)
        about = studies.about_run(run_id)
    except BadInput:
        return False
    if run.kind not in alike(kind) or run.state is not RunState.DONE or about is None:
        return False
    return content is not None and datasets.content_of(about.fingerprint) == content
