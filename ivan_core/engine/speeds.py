"""How fast this machine is: what earlier runs measured, and what is usual before the first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ivan_core.domain.runs import Span, time_under_load
from ivan_core.models import reward_models
from ivan_core.runs.cache import ScoreCache
from ivan_core.settings import has_gpu, machine_load

HERE = "measured on this machine"
USUAL = "not measured on this machine yet"
_OVERHEAD = Span(0.5, 3.0)
"""Seconds of an idle machine to start a worker, to read its pairs and to write the results."""
_USUAL_STARTUP = Span(1.5, 6.0)
_USUAL_RATE = Span(25.0, 120.0)
"""Seconds to load the embedded models, and the texts they read a second on each of two to eight
cores: the slow and the fast ones of common machines."""
_RULES_RATE, _LEXICON_RATE = Span(500.0, 4_000.0), Span(400.0, 2_000.0)
"""Pieces that rules reword and texts that rules label a second, on slow and on fast machines."""
_CHECKED = 64
"""Texts read once a model to see whether its scores depend on the batch."""


@dataclass(frozen=True, slots=True)
class Speed:
    """A model's speed as a run measured it, and the load of the machine then, if that was kept.

    `startup` is what passes before the first text is read, of which `loading` passes too where all
    is known already; `checked` says that it was read alone and in batches before.
    """

    texts_per_second: float
    startup: float
    loading: float
    identity: str
    load: float | None
    checked: bool


def speed_of(cache: ScoreCache, name: str) -> Speed | None:
    """The speed of a model on this machine; None where it never ran here."""
    facts = cache.recall(f"model|{name}")
    if not facts:
        return None
    identity = facts["cache_identity"]
    return Speed(
        facts["texts_per_second"],
        facts["startup"],
        facts.get("loading", facts["startup"]),
        identity,
        facts.get("load"),
        cache.recall(f"batch|{identity}") is not None,
    )


def now(seconds: float, load_then: float | None = 0.0) -> Span:
    """What took so many seconds of this machine under some load, at its load of now."""
    cores = os.cpu_count() or 1
    threads = 1 if has_gpu() else cores
    return time_under_load(seconds, load_then, machine_load(), threads, cores)


def between(idle: Span) -> Span:
    """A range of seconds of an idle machine, at the load of now."""
    return Span(now(idle.low).low, now(idle.high).high)


def overhead() -> Span:
    """What a run takes beside its models."""
    return between(_OVERHEAD)


def scoring_time(
    speeds: Mapping[str, Speed | None], texts: Mapping[str, int]
) -> tuple[Span | None, str]:
    """The time to load models and to read so many texts with each, and where it comes from.

    The embedded models share one encoder, which reads each text once; so the slowest of their
    speeds is taken, the others having found the work done.
    """
    embedded = [name for name in speeds if reward_models.is_embedded(name)]
    others = [name for name in speeds if name not in embedded]
    unknown = next((name for name in others if speeds[name] is None), None)
    if unknown:
        return None, f"{unknown} has not been run on this machine yet"
    told, source = Span(0.0, 0.0), HERE
    for name in others:
        if speed := speeds[name]:
            told += _reading(speed, texts[name])
    if embedded:
        most = max(texts[name] for name in embedded)
        known = [speed for name in embedded if (speed := speeds[name])]
        if known:
            told += _reading(min(known, key=lambda one: one.texts_per_second), most)
        else:
            told, source = told + usual_scoring(most), USUAL
    return told, source


def usual_scoring(texts: int) -> Span:
    """The time of the embedded models before this machine has measured them."""
    cores = min(max(os.cpu_count() or 1, 2), 8)
    return between(
        Span(
            _USUAL_STARTUP.low + texts / (_USUAL_RATE.high * cores),
            _USUAL_STARTUP.high + texts / (_USUAL_RATE.low * cores),
        )
    )


def rules_time(pieces: int) -> Span:
    """The time in which `ivan/rules` rewords so many pieces."""
    return between(Span(pieces / _RULES_RATE.high, pieces / _RULES_RATE.low))


def lexicon_time(texts: int) -> Span:
    """The time in which `ivan/lexicon` labels so many texts."""
    return between(Span(texts / _LEXICON_RATE.high, texts / _LEXICON_RATE.low))


def _reading(speed: Speed, texts: int) -> Span:
    wanted = texts + (0 if speed.checked else _CHECKED)
    before = speed.startup if wanted else speed.loading
    return now(before + wanted / speed.texts_per_second, speed.load)
