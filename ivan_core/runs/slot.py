"""Who has the machine's slot, the lock that is held while models are loaded, and who waits for it.

A run keeps the slot until it is done with its models. The warm worker keeps it for the next
question too, and gives way as soon as somebody waits, so those who wait have to be seen.
"""

from __future__ import annotations

from pathlib import Path

from ivan_core.domain.runs import RunState
from ivan_core.runs.locks import FileLock, holder_of, is_held
from ivan_core.runs.registry import Registry

WARM = "the worker that answers questions about single pairs"
"""What the warm worker calls itself."""


def _mark_path(slot: Path) -> Path:
    return slot.with_name(f"{slot.name}.waiting")


def waiting_mark(slot: Path) -> FileLock:
    """A lock to hold while waiting for the slot; who cannot have it knows that another shows it."""
    return FileLock(_mark_path(slot))


def is_wanted(slot: Path, registry: Registry) -> bool:
    """Whether somebody may wait for the slot while the caller holds it.

    That is whoever shows the mark, on the whole machine, or a run of this data folder: at work
    without the slot it waits for it, or will want it soon.
    """
    if is_held(_mark_path(slot)):
        return True
    working = (RunState.QUEUED, RunState.RUNNING)
    return any(run.state in working for run in registry.some(states=working))


def whoever_has(slot: Path, data_dir: Path) -> str:
    """Who has the slot, to stand behind "Waiting for", and how to end that.

    Other data folders are not named: whoever reads this may not know their places.
    """
    holder = holder_of(slot)
    if holder is None:
        return "another run on this machine"
    if holder.what == WARM:
        return f"{WARM}: it gives way by itself, unless it hangs (`kill -9 {holder.pid}` ends it)"
    if holder.folder == str(data_dir):
        return (
            f"run {holder.what}, which has models loaded (Cancel on its page, or "
            f"`ivan runs cancel {holder.what}`, ends it)"
        )
    return (
        f"run {holder.what} of another data folder on this machine (process {holder.pid}, which "
        f"`kill -9 {holder.pid}` ends; it can be resumed)"
    )
