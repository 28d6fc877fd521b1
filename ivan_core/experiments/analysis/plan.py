"""Which runs an analysis joins, before it runs: those that were named, else a study's newest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, RowsSpec
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.kind import alike
from ivan_core.engine.plan import Proposal, overhead, rows_of, the
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.labels.results import labeler_of
from ivan_core.metrics.imprint.controls import Control
from ivan_core.models.names import is_authored
from ivan_core.models.reward_models import split_revision


def spec_of_runs(
    run_ids: Sequence[str] = (),
    *,
    models: tuple[str, ...] = (),
    labelers: tuple[str, ...] = (),
    before: str = "",
    after: str = "",
    control: Control = "length",
    first_try: bool = False,
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
        raise BadInput(f"No labels of the rows of run {comparison} are there.", "Label them first.")
    judged = runs.spec_of(runs.get(comparison), CompareSpec)
    here = _ids(judged.models)
    asked, (before, after) = _ids(models), _ids((before, after))
    unknown = [name for name in (*asked, before, after) if name and name not in here]
    if unknown:
        raise BadInput(
            f"Run {comparison} did not judge with {unknown[0]}.",
            f"Its models are {', '.join(here)}.",
        )
    if bool(before) != bool(after) or (before and before == after):
        raise BadInput(
            "A model before training and another one after it are named together.",
            "Give both, or neither.",
        )
    return AnalysisSpec(
        **rows_of(judged),
        comparison=comparison,
        labelers=tuple(_authored_last(labelled)),
        models=asked or here,
        before=before,
        after=after,
        control=control,
        first_try=first_try,
    )


def _ids(models: Iterable[str]) -> tuple[str, ...]:
    """Models as results call them: without the revision that their names may carry."""
    return tuple(split_revision(name)[0] if name else "" for name in models)


def labels_of_study(comparison: str) -> list[str]:
    """The newest finished labels of each labeler in the study of a comparison, authored ones last:
    they stand beside a labeler's and not for them."""
    about = studies.about_run(comparison)
    found: dict[str, str] = {}
    for run in studies.runs_of(about.id) if about else ():
        if run.kind in alike("labels") and run.state is RunState.DONE:
            found.setdefault(labeler_of(run.id) or run.id, run.id)
    return _authored_last(found.values())


def _authored_last(labelled: Iterable[str]) -> list[str]:
    return sorted(labelled, key=_authored)


def _authored(run_id: str) -> bool:
    return is_authored(labeler_of(run_id) or "")


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
            "Judge pairs and label them first.",
        )
    return found


def propose(rows: RowsSpec) -> Proposal:
    """Analysing some rows, once they are judged and labelled; until then after the runs that are
    at it.

    Raises:
        BadInput: nobody judges or labels them.
    """
    study = studies.id_of(rows)
    own = [run for run in (studies.runs_of(study) if study else ()) if _counts(run)]
    compared = _first_done([run for run in own if run.kind in alike("compare")])
    labelled = [run for run in own if run.kind in alike("labels")]
    if compared is None or not labelled:
        raise BadInput("These rows are not judged and labelled yet.", "Judge and label them first.")
    judged = runs.spec_of(compared, CompareSpec)
    done = labels_of_study(compared.id)
    if all(_authored(one) for one in done):  # a labeler's own that are at work are waited for
        live = [run.id for run in labelled if run.state is not RunState.DONE]
        done = [*live[:1], *done]
    joined = [compared, *(run for run in labelled if run.id in done)]
    about = studies.about(study) if study else None
    pairs = about.rows if about else None
    return Proposal(
        "analysis",
        f"Analyse {the(pairs, 'pair')}",
        "What do the models reward, and which pairs show it?",
        "regressions",
        AnalysisSpec(
            **rows_of(judged),
            comparison=compared.id,
            labelers=tuple(done),
            models=_ids(judged.models),
        ),
        pairs,
        overhead(),
        starts=True,
        after=tuple(run.id for run in joined if run.state is not RunState.DONE),
    )


def propose_again(rows: RowsSpec) -> Proposal:
    """Analysing some rows once more, by labels that came after their analysis.

    Raises:
        BadInput: there are none that have come to their end.
    """
    offer, study = propose(rows), studies.id_of(rows)
    labelers = set(offer.spec.labelers) if isinstance(offer.spec, AnalysisSpec) else set()
    known = (
        set(runs.spec_of(run, AnalysisSpec).labelers)
        for run in (studies.runs_of(study) if study else ())
        if run.kind in alike("analysis") and run.state is RunState.DONE
    )
    if offer.after or any(labelers <= own for own in known):
        raise BadInput("All labels of these rows are analysed.", "Label them by somebody else.")
    second = "An effect is clear only where a second labeler shows it too."
    return replace(offer, second=second)


def _counts(run: Run) -> bool:
    return run.state is RunState.DONE or run.state.live


def _first_done(found: Sequence[Run]) -> Run | None:
    """The newest finished of some runs, else the newest."""
    done = (run for run in found if run.state is RunState.DONE)
    return next(done, next(iter(found), None))
