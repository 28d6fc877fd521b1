"""Which runs an analysis joins, before it runs: those that were named, else a study's newest."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, RowsSpec
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.kind import alike
from ivan_core.engine.plan import Proposal, overhead, rows_of
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.labels.results import labeler_of
from ivan_core.metrics.imprint.controls import Control


def spec_of_runs(
    run_ids: Sequence[str] = (),
    *,
    models: tuple[str, ...] = (),
    labelers: tuple[str, ...] = (),
    before: str = "",
    after: str = "",
    control: Control = "length",
) -> AnalysisSpec:
    """What to analyse: runs are known by their kind, and what is not named is a study's newest.

    Raises:
        BadInput: a run cannot be joined, two comparisons were named, or there is nothing to join.
    """
    named = [runs.get(run_id) for run_id in (*run_ids, *labelers)]
    compared = [run.id for run in named if run.kind in alike("compare")]
    labelled = [run.id for run in named if run.kind in alike("labels")]
    for run in named:
        if run.id not in (*compared, *labelled):
            raise runs.other_kind(run, "compare", "labels")
        if run.state is not RunState.DONE:
            raise BadInput(f"Run {run.id} is not finished.", "Wait for it, or resume it.")
    if len(compared) > 1:
        raise BadInput("Two comparisons were named.", "Name one, and labels of its rows.")
    comparison = compared[0] if compared else _comparison(labelled)
    labelled = list(dict.fromkeys(labelled)) or labels_of_study(comparison)
    if not labelled:
        raise BadInput(
            f"No labels of the rows of run {comparison} are there.",
            "Label them first: `ivan taxonomy run-control-batch`.",
        )
    judged = runs.spec_of(runs.get(comparison), CompareSpec)
    unknown = [name for name in (*models, before, after) if name and name not in judged.models]
    if unknown:
        raise BadInput(
            f"Run {comparison} did not judge with {unknown[0]}.",
            f"Its models are {', '.join(judged.models)}.",
        )
    return AnalysisSpec(
        **rows_of(judged),
        comparison=comparison,
        labelers=tuple(labelled),
        models=models or judged.models,
        before=before,
        after=after,
        control=control,
    )


def labels_of_study(comparison: str) -> list[str]:
    """The newest finished labels of each labeler in the study of a comparison."""
    about = studies.about_run(comparison)
    found: dict[str, str] = {}
    for run in studies.runs_of(about.id) if about else ():
        if run.kind in alike("labels") and run.state is RunState.DONE:
            found.setdefault(labeler_of(run.id) or run.id, run.id)
    return list(found.values())


def comparison_of_study(study: str | None = None) -> str | None:
    """The newest finished comparison of a study, or of the newest study that is labelled too."""
    for run in runs.newest_done("compare", limit=100):
        about = studies.about_run(run.id)
        if about and (about.id == study if study else labels_of_study(run.id)):
            return run.id
    return None


def _comparison(labelled: Sequence[str]) -> str:
    """The comparison that labels are joined with, or that of the newest study that has both."""
    wanted = next((about.id for one in labelled if (about := studies.about_run(one))), None)
    found = comparison_of_study(wanted)
    if found is None:
        raise BadInput(
            "No study has both a comparison and labels of the same rows.",
            "Judge pairs and label them first: `ivan compare`, `ivan taxonomy run-control-batch`.",
        )
    return found


def propose(rows: RowsSpec) -> Proposal:
    """Analysing some rows, once they are judged and labelled.

    Raises:
        BadInput: they are not.
    """
    fields = rows_of(rows)
    for run in runs.newest_done("compare", limit=100):
        if rows_of(runs.spec_of(run, CompareSpec)) != fields or not labels_of_study(run.id):
            continue
        spec = spec_of_runs([run.id])
        return Proposal(
            spec.kind,
            "Analyse what is rewarded",
            "What do the models reward, and where do they go against the choice?",
            "computed here",
            spec,
            None,
            overhead(),
            starts=True,
        )
    raise BadInput("These rows are not judged and labelled yet.", "Compare and label them first.")
