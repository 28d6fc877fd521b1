"""A rewording run at work: who rewords, judges and labels; its tables, and last its manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import REWRITE_FEATURES, Labeler
from ivan_core.domain.rewriting import TEMPERATURES, Rewriter
from ivan_core.domain.specs import PROMPT, CompareSpec, RewriteSpec
from ivan_core.engine.work import Job, wait_for_slot, write_results
from ivan_core.experiments.compare.units import kept_card
from ivan_core.experiments.compare.work import own_models
from ivan_core.experiments.labels.reuse import ReusingLabeler, reused_words
from ivan_core.experiments.rewrite.cost import reused_labels, spent
from ivan_core.experiments.rewrite.files import write_files
from ivan_core.experiments.rewrite.rows import STYLE_OF
from ivan_core.experiments.rewrite.run import DEMO, Reworded, run_rewrite
from ivan_core.experiments.rewrite.steps import CARDS, Tools
from ivan_core.experiments.rewrite.tables import LABELS_FILE, SCORES_FILE, SIMILARITIES_FILE, Tables
from ivan_core.experiments.rewrite.units import variants_of
from ivan_core.labels.prompt import prompt_hash
from ivan_core.ledger.answers import Answers
from ivan_core.models import labelers, rewriters, similarity
from ivan_core.models.names import on_openai, way_of
from ivan_core.models.servers import answered_by_demo
from ivan_core.rewording.styles import VERSIONS, style_hash
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry

ACCOUNT = "account"
"""Key of the part that says for which account a run was started, by its fingerprint."""


def work_rewrite(job: Job[RewriteSpec]) -> None:
    """Do what is left of a rewording run and write its files."""
    context, spec = job.context, job.spec
    _check_account(context, spec)
    if DEMO not in context.parts and (names := answered_by_demo((spec.rewriter, spec.labeler))):
        context.parts.append(DEMO, names)
    done = run_rewrite(context, spec, make_tools(spec, context, job.slot))
    context.doing("Writing the results")
    _write(job, done)


def make_tools(spec: RewriteSpec, context: RunContext, slot: FileLock) -> Tools:
    """Who works for a spec on this machine; nobody is loaded or asked before it is needed."""
    # Each unit waits for the one before, so that a second device would have nothing to do.
    scoring = CompareSpec(dataset=spec.dataset, models=spec.models)
    # The similarity model needs the slot too, where reward models run on servers.
    models = replace(
        own_models(scoring, context, slot, several=False),
        claim=lambda: wait_for_slot(context, slot),
    )
    return Tools(
        rewriter=lambda: make_rewriter(spec),
        models=models,
        similarity=lambda revision: similarity.make(spec.similarity, revision),
        labeler=lambda seed: _labeler(spec, seed, context),
        together=models.together and similarity.is_embedded(spec.similarity),
    )


def _check_account(context: RunContext, spec: RewriteSpec) -> None:
    """Refuse to go on for another account than the one whose cost was accepted.

    Raises:
        BadInput: the key, the organisation or the address is another one than at the start.
    """
    if not on_openai((spec.rewriter, spec.labeler)):
        return
    from ivan_core.backends.openai.client import account_for

    mine = account_for().fingerprint
    if ACCOUNT not in context.parts:
        context.parts.append(ACCOUNT, [mine])
    elif context.parts.rows(ACCOUNT)[0] != mine:
        raise BadInput(
            "This run was started for another account or server: its cost was accepted for that.",
            "Set OPENAI_BASE_URL and OPENAI_API_KEY as they were, or start a new run.",
        )


def make_rewriter(spec: RewriteSpec) -> Rewriter:
    """The rewriter of a spec, ready to work.

    Raises:
        BackendUnavailable: the server is away, or it lacks the model.
    """
    # Left as published, each style has the temperature of its own.
    usual = spec.temperature == TEMPERATURES["published"]
    return rewriters.make(
        spec.rewriter,
        temperature=None if usual else spec.temperature,
        seed=spec.seed,
        num_ctx=spec.num_ctx,
    )


def _labeler(spec: RewriteSpec, seed: int, context: RunContext) -> Labeler:
    if way_of(spec.labeler) != "openai":
        return labelers.make(spec.labeler, seed=seed)
    from ivan_core.backends.openai.client import account_for
    from ivan_core.experiments.batches.kept_answers import keep_all_answers

    account = account_for()
    keep_all_answers(Registry(context.data_dir))
    return ReusingLabeler(
        labelers.make_paid(spec.labeler, account),
        account,
        Answers(context.data_dir),
        context.id,
        again=seed != spec.seed,
        all_again=spec.ask_again,
    )


def _write(job: Job[RewriteSpec], done: Reworded) -> None:
    """Write the tables, the files for people and, last, the manifest."""
    context, spec = job.context, job.spec
    reused = reused_labels(context.parts, done.units)
    told = reused_words(reused)
    if told and told not in job.run.notes:
        job.registry.note(context.id, [*job.run.notes, told])
    tables = Tables(context.parts, spec, done.begun.dataset, done.units)
    measured = tables.measured()
    styles = [STYLE_OF[variant] for variant in variants_of(spec)[1:]]
    facts = {
        "models": [
            kept_card(context, name).model_dump(mode="json", exclude={"seen_hashes"})
            for name in spec.models
        ],
        **{kind: _card(context, kind) for kind in CARDS},
        "styles": {
            style: {"version": VERSIONS[style], "hash": style_hash(style)} for style in styles
        },
        "label_prompt": (
            {"version": PROMPT, "hash": prompt_hash(REWRITE_FEATURES)} if spec.labeler else None
        ),
        "pieces": done.facts["pieces"],
        "texts_computed": job.run.computed,
        "seconds": job.seconds,
        "labels_reused": reused,
        "spend_usd": spent(spec, context.parts, done.units),
    }
    write_results(
        job,
        done.begun,
        tables={
            SCORES_FILE: measured.scores,
            SIMILARITIES_FILE: measured.similarities,
            LABELS_FILE: measured.labels,
        },
        files=write_files(context.data_dir, context.id, spec, tables, measured),
        facts=facts,
    )


def _card(context: RunContext, kind: str) -> dict[str, Any] | None:
    """Who worked, as kept when they began; None for a labeler that was not asked for."""
    if kind not in context.parts:
        return None
    card: dict[str, Any] = context.parts.rows(kind)[0]
    return {**card, "settings": dict(card["settings"])} if "settings" in card else card
