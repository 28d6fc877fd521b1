"""Comparisons before they run: a preset's spec, the checks at the door, what it would take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter

from ivan_core import catalog
from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.runs import Plan
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.runs.cache import ScoreCache
from ivan_core.settings import data_dir, preset_name
from ivan_core.workspace import access, datasets

_LOOKED_UP = 1_000
"""Texts looked up in the cache for a plan; beyond that the share is extrapolated."""
_MULTIPLY_ADDS_PER_TOKEN = 21_300_000
_TOKENS_PER_TEXT = 40
_STARTUP = 6.0
"""Seconds to start a worker and load the embedded model, until this machine has measured them."""


@dataclass(frozen=True, slots=True)
class _Speed:
    texts_per_second: float
    startup: float
    identity: str


def preset_spec(name: str | None = None) -> CompareSpec:
    """The comparison of a preset, the one in force by default.

    Raises:
        BadInput: there is no such preset.
    """
    preset = catalog.preset(name or preset_name())
    return CompareSpec(dataset=DatasetRequest(source=preset.dataset), models=preset.models)


def check(spec: CompareSpec) -> None:
    """Refuse what cannot work before anything is started.

    Raises:
        BadInput: the dataset or a model cannot be what was meant, or rows do not exist.
        NotAllowed: one of them is not known here, and the visitor may not name files outside.
    """
    for name in spec.models:
        access.check_name(name, catalog.model_names)
        catalog.check_model(name)
    dataset = datasets.find(spec.dataset)
    if dataset is not None:
        choose_rows(spec, dataset)


def plan(spec: CompareSpec) -> Plan:
    """What a comparison would take: pairs, what is known already, the time at this machine's speed.

    Raises:
        BadInput: as `check`.
    """
    check(spec)
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return Plan(
            None, len(spec.models), 0, None, "the dataset has not been read on this machine yet"
        )
    choice = choose_rows(spec, dataset)
    cache = ScoreCache(data_dir() / "cache" / "scores")
    try:
        speeds = {name: _measured(cache, name) for name in spec.models}
        texts = 2 * len(choice.row_ids)
        known = {
            name: _known_share(cache, speed, spec, choice.row_ids) for name, speed in speeds.items()
        }
    finally:
        cache.close()
    cached = round(sum(known.values()) * len(choice.row_ids))
    if all(share == 1 for share in known.values()):
        return Plan(
            len(choice.row_ids), len(spec.models), cached, 1.0, "all known already", choice.notes
        )
    unmeasured = [name for name, speed in speeds.items() if speed is None]
    if not all(catalog.is_embedded(name) for name in unmeasured):
        why = f"{unmeasured[0]} has not been run on this machine yet"
        return Plan(len(choice.row_ids), len(spec.models), cached, None, why, choice.notes)
    seconds, source = 1.0, "measured on this machine"
    for name, speed in speeds.items():
        if speed is not None and known[name] < 1:
            seconds += speed.startup + texts * (1 - known[name]) / speed.texts_per_second
    if unmeasured:  # the embedded models share one encoder, so they read the texts once
        seconds += _STARTUP + texts / _embedded_speed()
        source = "estimated from a short measurement"
    return Plan(len(choice.row_ids), len(spec.models), cached, seconds, source, choice.notes)


def _measured(cache: ScoreCache, name: str) -> _Speed | None:
    facts = cache.recall(f"model|{name}")
    if not facts:
        return None
    return _Speed(facts["texts_per_second"], facts["startup"], facts["cache_identity"])


def _known_share(
    cache: ScoreCache, speed: _Speed | None, spec: CompareSpec, row_ids: list[int]
) -> float:
    """Share of the rows' texts that this model has scored before (by a sample of many)."""
    dataset = datasets.find(spec.dataset)
    if speed is None or dataset is None or not row_ids:
        return 0.0
    step = max(1, 2 * len(row_ids) // _LOOKED_UP)
    numbers = dataset.numbers(["chosen_hash", "rejected_hash"]).iloc[row_ids[::step]]
    hashes = {*numbers["chosen_hash"], *numbers["rejected_hash"]}
    return len(cache.get_many(speed.identity, hashes)) / len(hashes)


@lru_cache(maxsize=1)
def _embedded_speed() -> float:
    """Texts per second of the embedded encoder, from a matrix product of its size."""
    import numpy as np

    left, right = np.ones((512, 384), np.float32), np.ones((384, 1536), np.float32)
    left @ right
    best = float("inf")
    for _ in range(8):
        start = perf_counter()
        left @ right
        best = min(best, perf_counter() - start)
    per_second = 512 * 384 * 1536 / max(best, 1e-6)
    # Attention, norms and padding take the encoder to about a third of the bare product's speed.
    return per_second / (_MULTIPLY_ADDS_PER_TOKEN * _TOKENS_PER_TEXT) / 3
