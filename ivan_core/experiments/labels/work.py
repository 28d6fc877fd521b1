"""A labelling text by text at work: its labeler, its table and CSV files, and last its manifest."""

from __future__ import annotations

from pathlib import Path

from ivan_core.domain.labels import DEMO_NAME, Labeler
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.specs import LabelSpec
from ivan_core.engine.work import Job, write_results
from ivan_core.experiments.labels.authored import take_authored
from ivan_core.experiments.labels.files import (
    FOLDER,
    TABLE,
    count_dict,
    texts_of,
    write_label_files,
)
from ivan_core.experiments.labels.steps import run_labels
from ivan_core.labels.prompt import prompt_hash
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.models import labelers
from ivan_core.models.names import is_authored

NO_PROMPT = {"version": "", "hash": ""}
"""What a manifest says of the prompt where none was read."""


def work_labels(job: Job[LabelSpec]) -> None:
    """Do what is left of a labelling and write its files.

    Raises:
        IvanError: the data or the labeler cannot be had; what is finished is kept.
    """
    spec = job.spec
    labelers.check_authored(spec)
    written = is_authored(spec.labeler)  # with the pairs themselves: nothing is asked
    if written:
        done = take_authored(job.context, spec)
    else:
        done = run_labels(job.context, spec, lambda: make_labeler(spec))
    found = done.reconciled
    job.context.doing("Writing the results")
    stem = f"{job.context.id}-{done.card.slug}-control"
    files = write_label_files(
        job.context.data_dir, Path(FOLDER), stem, found, texts_of(done.begun.dataset)
    )
    facts = {
        "labeler": {
            "id": _named(done.card),
            "revision": done.card.revision,
            "kind": done.card.kind,
            "settings": dict(done.card.settings),
        },
        "prompt": NO_PROMPT
        if written
        else {"version": spec.prompt, "hash": prompt_hash(spec.keys, spec.prompt)},
        "counts": count_dict(found),
    }
    table = labels_table(
        found.outcomes, found.attempts, found.keys_of("missing"), why_missing=found.why_missing
    )
    write_results(
        job, done.begun, tables={TABLE: table}, files=files, facts=facts, write=write_labels
    )


def make_labeler(spec: LabelSpec) -> Labeler:
    """The labeler of a spec, ready to work.

    Raises:
        BackendUnavailable: the Ollama server is away, or it lacks the model.
    """
    return labelers.make(
        spec.labeler, temperature=spec.temperature, seed=spec.seed, num_ctx=spec.num_ctx
    )


def _named(card: AnswererCard) -> str:
    """Who labelled; the demo server answers by rules, whatever the model's name."""
    if card.kind == "ollama" and dict(card.settings).get("demo"):
        return DEMO_NAME.format(card.id)
    return card.id
