"""An analysis at work: it joins, computes every table once, writes them and last its manifest."""

from __future__ import annotations

from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.engine.second_choices import second_choices_on
from ivan_core.engine.work import Job, begin, write_results
from ivan_core.experiments.analysis import steps, voices
from ivan_core.experiments.analysis.authored import beside_authored
from ivan_core.experiments.analysis.files import write_files
from ivan_core.experiments.analysis.joined import Joined, join
from ivan_core.experiments.analysis.people import People, checked, people_on
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.tables import JOINED, TABLES, file_of, frame, joined_table
from ivan_core.experiments.analysis.told import write_told
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import LabelResults, open_labels


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
    models = spec.models or compared.models
    joined = join(compared, labelled, models, first_try=spec.first_try)
    people = people_on(compared.dataset, joined.row_ids)
    by_labeler = [
        steps.outcomes(joined, run_id, spec.before, spec.after) for run_id in joined.labelers
    ]
    every = [outcome for found in by_labeler for outcome in found]
    records: dict[str, list[steps.Record]] = {}
    context.doing("What does it reward?")
    records["imprint"] = steps.imprint(by_labeler, people)
    if people and (as_people := steps.as_people(every, people)):
        records["corrected"] = as_people
    records["explained"] = steps.explains(every)
    context.doing("Which labels matter most?")
    records["importance"] = steps.matters(every)
    context.doing("Where does it differ?")
    records["topics"] = steps.by_topic(every, joined.subset)
    context.doing("Where does it go against people?")
    if whys := steps.whys(every):
        records["why"] = whys
    if both := beside_authored(joined, spec.control):
        records["authored"] = both
    for run_id in joined.labelers:
        _by_labeler(records, joined, run_id, spec)
    second = second_choices_on(begun.dataset)
    records["second-look"] = voices.second_look(joined, begun.dataset, second)
    context.doing("Writing the results")
    tables = {name: frame(name, records[name]) for name in TABLES if name in records}
    rows = joined_table(joined)
    facts = {
        **_facts(joined, labelled, people, spec),
        "second_choices": voices.second_choices(joined, second),
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


def _by_labeler(
    records: dict[str, list[steps.Record]], joined: Joined, run_id: str, spec: AnalysisSpec
) -> None:
    """The tables that each labeler adds its own part to."""
    found = {
        "choice": steps.choices(joined, run_id),
        "misaligned": steps.misaligned(joined, run_id),
    }
    if spec.before:
        found["regimes"] = steps.by_regime(joined, run_id, spec.before, spec.after)
        found["shift"] = steps.shifts(joined, run_id, spec.before, spec.after)
    for name, more in found.items():
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
