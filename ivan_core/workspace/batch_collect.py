"""Fetching what an ended batch left behind: both files, whole, into the run's folder.

As long as the provider tells of more finished requests than its file holds, a part stays open: what
was paid for is looked for again, and not paid for again meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from ivan_core.backends.openai_errors import NotAtProvider
from ivan_core.domain.labels import BatchProvider, BatchState
from ivan_core.labels.downloads import Held, held_in, keep_download, with_lost_lines
from ivan_core.ledger.records import PartKey

_TRIES = 4
_NOTHING = Held(frozenset(), False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a look at an ended batch came to.

    `problem` says what did not come although the provider has it, and `lacking` for how many
    finished requests; it is empty where all is here. `notes` are what else is to be known.
    """

    notes: tuple[str, ...] = ()
    problem: str = ""
    lacking: int = 0


def result_path(folder: Path, key: PartKey, kind: str) -> Path:
    """Where a result file of a part lies; `kind` is "output" or "error"."""
    return folder / "results" / f"{key.attempt}-{key.part}-{kind}.jsonl"


def result_files(folder: Path, key: PartKey) -> list[Path]:
    """The result files of a part that are here."""
    found = (result_path(folder, key, kind) for kind in ("output", "error"))
    return [path for path in found if path.exists()]


def now_path(folder: Path, attempt: int) -> Path:
    """Where the answers of an attempt that is labelled at once are kept."""
    return folder / "results" / f"{attempt}-now.jsonl"


def unanswered(folder: Path, key: PartKey, asked: Collection[str]) -> int:
    """How many requests of a part have no line in its files that can be read."""
    found: set[str] = set()
    for path in result_files(folder, key):
        found |= held_in(path.read_bytes(), asked).answered
    return len(set(asked) - found)


def download(
    folder: Path,
    key: PartKey,
    asked: Collection[str],
    batch: BatchState,
    provider: BatchProvider,
    sleep: Callable[[float], None],
) -> Fetched:
    """Fetch the files of an ended batch; `asked` are the ids of its requests.

    A batch may have either file, both or none, however it ended. A download that is worse than an
    earlier one takes nothing away.

    Raises:
        BackendUnavailable: the provider is away; call again later.
    """
    wanted = frozenset(asked)
    told = max(0, min(batch.completed, len(wanted)))
    name = f"Part {key.part}"
    output, gone = _fetch(folder, key, "output", batch.output_file, wanted, told, provider, sleep)
    # The error file of an expired batch also names what never ran: only the output has a count.
    errors, lost = _fetch(folder, key, "error", batch.error_file, wanted, 0, provider, sleep)
    notes = [f"{name}: its error file is gone. {lost}"] if lost else []
    if len(output.answered) < told or (output.damage and not output.results):
        finished = "1 finished request" if told == 1 else f"{told:,} finished requests"
        held = f"the file held {len(output.answered):,}"
        if gone or not batch.output_file:
            held = f"its file is gone: {gone}" if gone else "it names no file of theirs"
        elif output.damage:
            held += f" ({output.damage})"
        return Fetched(
            tuple(notes), f"the provider tells of {finished}, {held.rstrip('.')}",
            told - len(output.answered),
        )  # fmt: skip
    if errors.damage and not errors.results:
        return Fetched(tuple(notes), f"the file of failed requests held none ({errors.damage})")
    notes += [
        f"{name}, {kind} file: {held.damage}. What can be read of it counts."
        for kind, held in (("output", output), ("error", errors))
        if held.damage
    ]
    return Fetched(tuple(notes))


def _fetch(
    folder: Path,
    key: PartKey,
    kind: str,
    file_id: str,
    asked: frozenset[str],
    told: int,
    provider: BatchProvider,
    sleep: Callable[[float], None],
) -> tuple[Held, str]:
    """What is here of a file after a look at it, and why it cannot be had if the provider says so.

    Damage that comes twice alike was not made on the way: it is looked at again some other time.
    """
    path, gone, before = result_path(folder, key, kind), "", ""
    here = path.read_bytes() if path.exists() else None
    held = held_in(here, asked) if here is not None else _NOTHING
    for pause in range(_TRIES if file_id else 0):
        if pause:
            sleep(float(pause))
        try:
            content = provider.collect(file_id)
        except NotAtProvider as error:
            gone = error.message
            break
        now = held_in(content, asked)
        digest = hashlib.sha256(content).hexdigest()
        if now.results:
            content = content if here is None else with_lost_lines(content, here, asked)
            keep_download(content, path)
            here, held = content, held_in(content, asked)
        elif here is None:
            held = now
        if (not now.damage and len(held.answered) >= told) or digest == before:
            break
        before = digest
    return held, "" if here is not None else gone
