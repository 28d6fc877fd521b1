"""When the batches of a run were sent, and when its worker looked at them last and looks next."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from ivan_core.domain.runs import ACTIVE, time_words
from ivan_core.experiments.batches.job import BatchJob

USUAL = (
    "Batches usually take 10 to 60 minutes, at the most 24 hours. This page may be closed: a"
    " process of its own follows them."
)
KEPT = (
    "Answers are kept even if this machine sleeps or is switched off: the provider goes on, and"
    " they are fetched at the next look."
)
LOOKED, NEXT_LOOK = "looked", "next_look"
"""What a worker tells beside the parts, as Unix seconds."""
_LATE = 120.0
"""Seconds after which a look that was due is told as late."""
_LONG_AGO = 18 * 3600.0
"""Seconds after which a time of day says too little."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Unix seconds; None where there is none yet."""

    sent: float | None
    looked: float | None = None
    next_look: float | None = None

    def sentence(self, now: float) -> str:
        """As in "Sent 12 min ago, at 14:03. Last look 8 s ago, the next in 30 s."; empty before
        anything was sent."""
        if self.sent is None:
            return ""
        day = "on %d %b at %H:%M" if now - self.sent > _LONG_AGO else "at %H:%M"
        told = f"Sent {_ago(self.sent, now)}, {time.strftime(day, time.localtime(self.sent))}."
        if self.looked is None:
            return told
        told += f" Last look {_ago(self.looked, now)}"
        if self.next_look is None:
            return f"{told}."
        if now - self.next_look > _LATE:
            return f"{told}; the next was due {_ago(self.next_look, now)}, as after a sleep."
        return f"{told}, the next in {time_words(max(self.next_look - now, 0.0))}."


def watch_of(job: BatchJob) -> Watch:
    """How the newest attempt of a run is watched; of one that ended nobody looks at it next."""
    states = job.parts()
    newest = max((state.key.attempt for state in states), default=0)
    sent = [state.sent for state in states if state.key.attempt == newest and state.sent]
    run = job.registry.get(job.run_id)
    facts = json.loads(run.facts)
    next_look = facts.get(NEXT_LOOK) if run.state in ACTIVE else None
    return Watch(min(sent, default=None), facts.get(LOOKED), next_look)


def _ago(then: float, now: float) -> str:
    return f"{time_words(max(now - then, 0.0))} ago"
