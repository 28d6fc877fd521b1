"""A comparison whose models work on a Ray cluster, and the threads that any run keeps to."""

from __future__ import annotations

from ivan_core.backends.pools.ray_cluster import RayPool
from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.work import wait_for_slot
from ivan_core.experiments.compare.scoring import CHUNK, GPU_CHUNK, SLOW_CHUNK, Models
from ivan_core.models import reward_models
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock

THREADS = "threads"
"""Key of the part that holds how many threads a model has on a processor."""


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
    threads = kept_threads(context) or choice.threads
    pool = RayPool(load, choice.address, choice.actors, threads)
    keep_threads(context, pool.actors.threads)
    small = CHUNK if reward_models.fit_together(spec.models) else SLOW_CHUNK
    chunk = GPU_CHUNK if pool.actors.gpus else small
    told = f"Scored on a Ray cluster: {pool.actors.words}."
    return Models(claim, pool, together=False, chunk=chunk, notes=(told,))


def kept_threads(context: RunContext) -> int | None:
    """The threads that a model of the run has; with another number scores differ in their bits."""
    return int(context.parts.rows(THREADS)[0]) if THREADS in context.parts else None


def keep_threads(context: RunContext, threads: int) -> None:
    """Fix the threads for the whole run, unless an earlier worker did."""
    if THREADS not in context.parts:
        context.parts.append(THREADS, [threads])
