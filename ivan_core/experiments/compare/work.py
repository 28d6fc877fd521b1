"""A comparison at work: its models, its table and CSV files, and last its manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ivan_core.backends.pools.devices import PoolOfDevices
from ivan_core.backends.pools.here import PoolHere
from ivan_core.backends.pools.ray_cluster import RayPool
from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, RewardModel
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.work import Job, wait_for_slot, write_results
from ivan_core.experiments.compare.files import write_csvs
from ivan_core.experiments.compare.results import trust_strips
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.steps import run_compare
from ivan_core.experiments.compare.tables import TABLE, scores_table, with_prompts
from ivan_core.experiments.compare.units import CHUNK, GPU_CHUNK, SLOW_CHUNK
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models
from ivan_core.runs.context import RunContext
from ivan_core.runs.engine_choice import kept_choice
from ivan_core.runs.locks import FileLock
from ivan_core.settings import has_gpu

THREADS = "threads"
"""Key of the part that holds how many threads a model has on a processor."""
Provider = Callable[[CompareSpec, RunContext, FileLock], Models]
"""Where a run's models come from: it gets the spec, the run and the machine's slot."""


def work_compare(job: Job[CompareSpec], provide: Provider | None = None) -> None:
    """Do what is left of a comparison and write its files."""
    context, spec = job.context, job.spec
    done = run_compare(context, spec, (provide or models_for)(spec, context, job.slot))
    context.doing("Writing the results")
    dataset, cards = done.begun.dataset, done.cards
    table = scores_table(context.parts.all(), [card.id for card in cards], dataset, cards)
    summaries = summarise(with_prompts(table, dataset))
    files = write_csvs(
        context.data_dir, context.id, dataset.about["label"], dataset.rows, table, cards, summaries
    )
    facts = {
        "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in cards],
        "summaries": [summary.as_dict() for summary in summaries],
        "trust": trust_strips(table, summaries, cards, dataset, done.batches),
        "texts_computed": job.run.computed,
    }
    write_results(
        job,
        done.begun,
        tables={TABLE: table},
        files=[f"compare/{name}" for name in files],
        facts=facts,
    )


def models_for(spec: CompareSpec, context: RunContext, slot: FileLock) -> Models:
    """The models of a run, wherever it is kept that they work."""
    choice = kept_choice(context.folder)
    if choice.engine == "ray":
        return cluster_models(spec, context, slot, choice)
    return own_models(spec, context, slot)


def own_models(
    spec: CompareSpec, context: RunContext, slot: FileLock, several: bool = True
) -> Models:
    """The models of this machine: only the holder of its one slot loads any.

    They work on `several` devices where there are, else in this process.
    """
    together = reward_models.fit_together(spec.models)
    load = reward_models.Loader(
        spec.input_format,
        spec.max_tokens,
        spec.system,
        spec.quantization,
        kept={
            name: ModelCard.model_validate(context.parts.rows(key)[0])
            for name in spec.models
            if (key := f"card|{name}") in context.parts
        },
    )
    devices = reward_models.devices_for(spec.models, spec.quantization) if several else ()
    if threads := _kept_threads(context):
        # Read when the model libraries are loaded.
        os.environ["OMP_NUM_THREADS"] = str(threads)

    def load_here(name: str, revision: str) -> RewardModel:
        model = load(name, revision)
        if not reward_models.is_served(name):
            _keep_threads(context, reward_models.threads_at_work())
        return model

    here = PoolHere(load_here)
    served = all(map(reward_models.is_served, spec.models))

    def claim() -> None:
        wait_for_slot(context, slot)

    def compare(name: str, dialogues: Sequence[Dialogue]) -> ModelCard:
        try:
            return here.compare(name, dialogues, claim)
        finally:
            if served:  # A run that loads nothing itself keeps nobody waiting.
                slot.release()

    on_devices = PoolOfDevices(load, devices)
    return Models(
        claim=(lambda: None) if served else claim,
        pool=on_devices if devices else here,
        together=together,
        chunk=CHUNK if together or served else GPU_CHUNK if has_gpu() else SLOW_CHUNK,
        compare=on_devices.compare if devices else compare,
        notes=tuple(reward_models.unchanged(spec.models, spec.quantization)),
    )


def cluster_models(
    spec: CompareSpec, context: RunContext, slot: FileLock, choice: EngineChoice
) -> Models:
    """The models of a Ray cluster. One that is started on this machine alone takes its slot.

    Raises:
        BadInput: a model is behind a server.
        BackendUnavailable: there is no such cluster.
    """
    if served := [name for name in spec.models if reward_models.is_served(name)]:
        raise BadInput(
            f"{served[0]} is behind a server, which does its work, so no cluster can.",
            "Go on with the run on this machine.",
        )

    def claim() -> None:
        if not choice.address:
            wait_for_slot(context, slot)

    claim()
    context.doing("Waiting for the cluster")
    load = reward_models.Loader(spec.input_format, spec.max_tokens, spec.system, spec.quantization)
    threads = _kept_threads(context) or choice.threads
    pool = RayPool(load, choice.address, choice.actors, threads)
    _keep_threads(context, pool.actors.threads)
    small = CHUNK if reward_models.fit_together(spec.models) else SLOW_CHUNK
    chunk = GPU_CHUNK if pool.actors.gpus else small
    told = f"Scored on a Ray cluster: {pool.actors.words}."
    as_they_are = reward_models.unchanged(spec.models, spec.quantization)
    notes = (told, *as_they_are)
    return Models(claim, pool, together=False, chunk=chunk, compare=pool.compare, notes=notes)


def _kept_threads(context: RunContext) -> int | None:
    """The threads that a model of the run has; with another number scores differ in their bits."""
    return int(context.parts.rows(THREADS)[0]) if THREADS in context.parts else None


def _keep_threads(context: RunContext, threads: int) -> None:
    """Fix the threads for the whole run, unless an earlier worker did."""
    if THREADS not in context.parts:
        context.parts.append(THREADS, [threads])
