"""Which runs an analysis joins, before it runs: those that were named, else a study's newest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, LabelSpec, RewriteSpec, RowsSpec
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.kind import alike
from ivan_core.engine.plan import Proposal, overhead, rows_of, the
from ivan_core.experiments.analysis.steps.rewordings import shared_models, why_not
from ivan_core.experiments.analysis.units import AnalysisSpec, two_labels
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
    rewording: str | None = None,
    interaction: str = "",
) -> AnalysisSpec:
    """What to analyse: runs are known by their kind, and what is not named is a study's newest.

    `rewording` is a run, or empty for none; None where it is to be found like the others.

    Raises:
        BadInput: a run cannot be joined, two comparisons were named, or there is nothing to join.
    """
    named = [runs.get(run_id) for run_id in (*run_ids, *labelers)]
    compared = [run.id for run in named if run.kind in alike("compare")]
    labelled = [run.id for run in named if run.kind in alike("labels")]
    reworded = [run.id for run in named if run.kind in alike("rewrite")]
    for run in named:
        if run.id not in (*compared, *labelled, *reworded):
            raise runs.other_kind(run, "compare", "labels")
        if run.state is not RunState.DONE:
            raise BadInput(f"Run {run.id} is not finished.", "Wait for it, or resume it.")
    if len(compared) > 1:
        raise BadInput("Two comparisons were named.", "Name one, and labels of its rows.")
    if len(reworded) > 1:
        raise BadInput("Two rewordings were named.", "Name one.")
    if reworded and rewording == "":
        raise BadInput("A rewording was named, and none is to be joined.", "Leave one out.")
    comparison = compared[0] if compared else _comparison([*labelled, *reworded])
    labelled = list(dict.fromkeys(labelled)) or labels_of_study(comparison)
    _check_labelers(labelled)
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
    models = tuple(dict.fromkeys([*asked, before, after])) if asked and before else asked or here
    if rewording is None:
        rewording = _rewording(reworded, comparison, models)
    return AnalysisSpec(
        **rows_of(judged),
        comparison=comparison,
        labelers=tuple(_authored_last(labelled)),
        rewording=rewording,
        models=models,
        before=before,
        after=after,
        control=control,
        first_try=first_try,
        interaction=_together(interaction, labelled),
    )


def _check_labelers(labelled: Sequence[str]) -> None:
    """Refuse a labeler twice: what two labelers find is clear, what one finds twice is not."""
    runs_of: dict[str, str] = {}
    for run_id in labelled:
        first = runs_of.setdefault(labeler_of(run_id) or run_id, run_id)
        if first != run_id:
            raise BadInput(
                f"Runs {first} and {run_id} are labels by the same labeler.",
                "Name one of them: it counts as one labeler.",
            )


def models_of(comparison: str) -> tuple[str, ...]:
    """The models of a comparison, as results call them."""
    return _ids(runs.spec_of(runs.get(comparison), CompareSpec).models)


def labels_asked(labelled: Sequence[str]) -> tuple[str, ...]:
    """The labels that at least one of some labelers was asked for and that tell what each reply
    is, in the order of all labels: what two of them add together can be asked."""
    readers = [runs.get(run_id) for run_id in labelled if not _authored(run_id)]
    asked = {key for run in readers for key in runs.spec_of(run, LabelSpec).keys}
    return tuple(key for key in REGRESSION_FEATURES if key in asked)


def _together(asked: str, labelled: Sequence[str]) -> str:
    """The two labels that are looked at together, as the spec holds them; empty for none."""
    if not asked:
        return ""
    known = labels_asked(labelled)
    if not known:
        raise BadInput(
            "Authored labels do not tell what each reply is, so not what two labels add together.",
            "Label the pairs, by rules too.",
        )
    try:
        return ":".join(two_labels(asked, known))
    except ValueError as error:
        raise BadInput(
            f"This does not ask what two labels add together: it {error}.",
            f"The labels are {', '.join(known)}.",
        ) from error


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


def rewordings_of_study(comparison: str, models: Sequence[str] = ()) -> list[Run]:
    """The rewordings in the study of a comparison that its models rated, finished or at work.

    Those whose labels say something come first, then the finished, then the newest.
    """
    about = studies.about_run(comparison)
    return _rated_too(studies.runs_of(about.id) if about else (), comparison, models)


def rewordings_at_hand(comparison: str, models: Sequence[str] = ()) -> list[str]:
    """The finished ones of the study, then those of other rows of the same dataset."""
    about = studies.about_run(comparison)
    own = [run.id for run in rewordings_of_study(comparison, models) if _is_done(run)]
    others = [
        run
        for run in runs.newest_done("rewrite", limit=100)
        if run.id not in own
        and (its := studies.about_run(run.id))
        and about
        and its.fingerprint == about.fingerprint
    ]
    return own + [run.id for run in _rated_too(others, comparison, models)]


def _rated_too(found: Iterable[Run], comparison: str, models: Sequence[str]) -> list[Run]:
    """The rewordings among some runs that models of a comparison rated, the best first."""
    here = tuple(models) or _ids(runs.spec_of(runs.get(comparison), CompareSpec).models)
    ranked: list[tuple[bool, bool, Run]] = []
    for run in found:
        if run.kind in alike("rewrite") and _counts(run):
            spec = runs.spec_of(run, RewriteSpec)
            if shared_models(spec.models, here):
                silent = bool(why_not(spec.rewriter, spec.labeler))
                ranked.append((silent, not _is_done(run), run))
    return [run for *_, run in sorted(ranked, key=lambda one: one[:2])]


def _is_done(run: Run) -> bool:
    return run.state is RunState.DONE


def _rewording(named: Sequence[str], comparison: str, models: tuple[str, ...]) -> str:
    """The rewording that was named, else the study's; empty if it has none."""
    for run_id in named:
        if not shared_models(runs.spec_of(runs.get(run_id), RewriteSpec).models, models):
            raise BadInput(
                f"Run {run_id} was rated by none of {', '.join(models)}.",
                "Name a rewording that these models rated.",
            )
        return run_id
    done = (run for run in rewordings_of_study(comparison, models) if _is_done(run))
    return next((run.id for run in done), "")


def comparisons_of_study(study: str) -> list[str]:
    """The finished comparisons of a study, the newest first."""
    found = runs.newest_done("compare", limit=100)
    return [run.id for run in found if (its := studies.about_run(run.id)) and its.id == study]


def comparison_of_study(study: str | None = None) -> str | None:
    """The newest finished comparison of a study, or of the newest study that is labelled too."""
    for run in runs.newest_done("compare", limit=100):
        about = studies.about_run(run.id)
        if about and (about.id == study if study else labels_of_study(run.id)):
            return run.id
    return None


def _comparison(others: Sequence[str]) -> str:
    """The comparison that these runs are joined with, or that of the newest study that has both."""
    wanted = next((about.id for one in others if (about := studies.about_run(one))), None)
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
    reworded = rewordings_of_study(compared.id)[:1]
    joined = [compared, *(run for run in labelled if run.id in done), *reworded]
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
            rewording=reworded[0].id if reworded else "",
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
