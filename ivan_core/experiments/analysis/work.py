"""An analysis at work: it joins, computes every table once, writes them and last its manifest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.second_choices import second_choices_on
from ivan_core.engine.work import Job, begin, write_results
from ivan_core.experiments.analysis.files import write_files
from ivan_core.experiments.analysis.joined import Floats, Joined, join
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.steps import against, authored, rewards, several, voices
from ivan_core.experiments.analysis.steps.outcomes import Record, outcomes
from ivan_core.experiments.analysis.steps.people import People, checked, people_on
from ivan_core.experiments.analysis.steps.published import published, who_of
from ivan_core.experiments.analysis.steps.rewordings import rewordings, why_not
from ivan_core.experiments.analysis.tables import JOINED, TABLES, file_of, frame, joined_table
from ivan_core.experiments.analysis.told import write_told
from ivan_core.experiments.analysis.units import AnalysisSpec, two_labels
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.labels.figures import labeler_words
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.experiments.rewrite.results import RewriteResults, open_rewrite


def work_analysis(job: Job[AnalysisSpec]) -> None:
    """Do an analysis and write its files: seconds of work, so one that stopped begins anew."""
    context, spec = job.context, job.spec
    begun = begin(context, spec, lambda rows: max(1, rows))
    context.note(begun.notes)
    context.plan(total=len(begun.choice.row_ids), done=0)
    context.doing("Joining rewards and labels by row")
    compared = open_results(spec.comparison)
    labelled = [open_labels(run_id) for run_id in spec.labelers]
    if begun.dataset.fingerprint != compared.dataset.fingerprint:
        raise BadInput(
            f"The dataset has changed since run {spec.comparison} judged it.",
            "Judge it anew, then analyse that.",
        )
    reworded = _reworded(spec, compared)
    if spec.rewording and reworded is None:
        context.note([*begun.notes, f"Run {spec.rewording} is not finished: it was left out."])
    models = spec.models or compared.models
    joined = join(compared, labelled, models, first_try=spec.first_try)
    people = people_on(compared.dataset, joined.row_ids)
    by_labeler = [outcomes(joined, run_id, spec.before, spec.after) for run_id in joined.labelers]
    every = [outcome for found in by_labeler for outcome in found]
    records: dict[str, list[Record]] = {}
    context.doing("What does it reward?")
    records["imprint"] = rewards.imprint(by_labeler, people)
    if people and (as_people := rewards.as_people(every, people)):
        records["corrected"] = as_people
    if len(models) > 1:
        records["differences"] = several.differences(every)
    if len(asked := two_labels(spec.interaction)) == 2:
        records["interaction"] = several.interactions(every, (asked[0], asked[1]))
    records["explained"] = rewards.explains(every)
    context.doing("Which labels matter most?")
    records["importance"] = rewards.matters(every)
    context.doing("Where does it differ?")
    records["topics"] = rewards.by_topic(every, joined.subset)
    context.doing("Where does it go against people?")
    if whys := against.whys(every):
        records["why"] = whys
    if both := authored.beside_authored(joined, spec.control):
        records["authored"] = both
    for run_id in joined.labelers:
        _by_labeler(records, joined, run_id, spec)
    second = second_choices_on(begun.dataset)
    records["second-look"] = voices.second_look(joined, begun.dataset, second)
    if reworded and not why_not(reworded.spec.rewriter, reworded.spec.labeler):
        context.doing("What breaks it?")
        records["rewording"] = rewordings(joined, reworded)
    of = who_of(joined, spec.before, spec.after)
    if of is not None:
        context.doing("As published")
        judged = _rewards(compared, joined)
        records["published"] = published(joined, judged, of, records, reworded)
    context.doing("Writing the results")
    tables = {name: frame(name, records[name]) for name in TABLES if name in records}
    rows = joined_table(joined)
    facts = {
        **_facts(joined, labelled, people, spec),
        "cards": _cards(compared, joined),
        "second_choices": voices.second_choices(joined, second),
        "net_design": against.net_design(joined, spec.before, spec.after),
        "rewording": _rewording(reworded),
        "published": asdict(of) if of else None,
    }
    row_ids = tuple(joined.row_ids.tolist())
    told = Analysed(job.run, spec, begun.dataset, facts, tables, row_ids)
    files = write_files(context.data_dir, context.id, tables, rows)
    files += write_told(context.data_dir, context.id, told)
    context.finished(len(begun.choice.row_ids), len(begun.choice.row_ids), [])
    write_results(
        job,
        begun,
        tables={JOINED: rows, **{file_of(name): table for name, table in tables.items()}},
        files=files,
        facts=facts,
    )


def _rewards(compared: Results, joined: Joined) -> dict[str, Floats]:
    """The rewards (n, 2) of both replies by model, in the order of the joined rows."""
    at = compared.aligned.at(joined.row_ids.tolist())
    found: dict[str, Floats] = {}
    for name in joined.models:
        own = compared.aligned.models[name]
        found[name] = np.column_stack([own.chosen_reward[at], own.rejected_reward[at]])
    return found


def _cards(compared: Results, joined: Joined) -> list[dict[str, Any]]:
    """What is known of the models, without the pairs that they were trained on."""
    beside = {"seen_hashes"}
    return [compared.cards[one].model_dump(mode="json", exclude=beside) for one in joined.models]


def _reworded(spec: AnalysisSpec, compared: Results) -> RewriteResults | None:
    """The rewording of the same pairs; None without one, or if it has not come to its end."""
    if not spec.rewording:
        return None
    if runs.get(spec.rewording).state is not RunState.DONE:
        return None
    found = open_rewrite(spec.rewording)
    if found.content != str(compared.dataset.about["content"]):
        raise BadInput(
            f"Run {found.run.id} reworded {found.dataset.about['label']}, run {spec.comparison}"
            f" judged {compared.dataset.about['label']}, which holds other pairs.",
            "Choose a rewording of the same dataset.",
        )
    return found


def _rewording(found: RewriteResults | None) -> dict[str, str] | None:
    """What a reader must know of a rewording: its run, who reworded and who labelled."""
    if found is None:
        return None
    spec = found.spec
    return {"run": found.run.id, "rewriter": spec.rewriter, "labeler": spec.labeler}


def _by_labeler(
    records: dict[str, list[Record]], joined: Joined, run_id: str, spec: AnalysisSpec
) -> None:
    """The tables that each labeler adds its own part to."""
    found = {
        "choice": rewards.choices(joined, run_id),
        "misaligned": against.misaligned(joined, run_id),
        "no-preference": against.no_preference(joined, run_id),
    }
    if spec.before:
        found["regimes"] = against.by_regime(joined, run_id, spec.before, spec.after)
        found["shift"] = against.shifts(joined, run_id, spec.before, spec.after)
    for name, more in found.items():
        if more:
            records.setdefault(name, []).extend(more)


def _facts(
    joined: Joined, labelled: list[LabelResults], people: People | None, spec: AnalysisSpec
) -> dict[str, Any]:
    by_whom = checked(joined, people)
    return {
        "comparison": spec.comparison,
        "models": {name: {"typical_margin": one.unit} for name, one in joined.models.items()},
        "labelers": [
            {
                "run": one.run.id,
                "id": one.labeler,
                "rule_based": one.rule_based,
                "described": labeler_words(one),
                "checked": by_whom[one.run.id],
            }
            for one in labelled
        ],
        "pairs": [
            {
                "model": model,
                "labeler": run_id,
                "used": int(joined.enters([model], run_id).sum()),
                "out": joined.out([model], run_id),
                "reviewed": people.on(joined.enters([model], run_id), own.features)
                if people
                else 0,
            }
            for model in joined.models
            for run_id, own in joined.labelers.items()
        ],
    }
