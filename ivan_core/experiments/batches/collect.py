"""Fetching what an ended batch left behind: both files, whole, into the run's folder.

As long as the provider tells of more finished requests than its file holds, a part stays open: what
was paid for is looked for again, and not paid for again meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from ivan_core.backends.openai.batches import MOST_FILE
from ivan_core.backends.openai.chat import ANSWER_TOKENS
from ivan_core.backends.openai.errors import NotAtProvider
from ivan_core.datasets.guarded_http import AnswerTooLong
from ivan_core.domain.labels import BatchProvider, BatchState
from ivan_core.labels.result_files import (
    EMPTY,
    Held,
    add_lost_lines,
    arriving,
    held_in,
    keep_download,
)
from ivan_core.ledger.records import PartKey
from ivan_core.runs.storage import file_sha256, storage_errors

_TRIES = 4
_LONGEST_TOKEN = 32
"""Bytes in a result file: characters may be written as escapes."""
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
        found |= held_in(path, asked).answered
    return len(set(asked) - found)


def most_bytes(requests: int, answer_tokens: int) -> int:
    """More than a result file of so many requests ever holds: twenty times an answer and more."""
    return min(MOST_FILE, 2**20 + requests * (2**15 + _LONGEST_TOKEN * answer_tokens))


def download(
    folder: Path,
    key: PartKey,
    asked: Collection[str],
    batch: BatchState,
    provider: BatchProvider,
    sleep: Callable[[float], None],
    answer_tokens: int = ANSWER_TOKENS,
) -> Fetched:
    """Fetch the files of an ended batch; `asked` are the ids of its requests, each of which may be
    answered with so many tokens.

    A batch may have either file, both or none, however it ended. A download that is worse than an
    earlier one takes nothing away.

    Raises:
        BackendUnavailable: the provider is away; call again later.
    """
    wanted = frozenset(asked)
    most = most_bytes(len(wanted), answer_tokens)
    told = max(0, min(batch.completed, len(wanted)))
    name = f"Part {key.part}"
    path = result_path(folder, key, "output")
    # Without counts nobody says that an empty file is all there is.
    none = batch.total > 0 and told == 0
    output, gone = _fetch(path, batch.output_file, wanted, told, most, provider, sleep, none)
    # The error file of an expired batch also names what never ran: only the output has a count.
    path = result_path(folder, key, "error")
    none = batch.failed == 0
    errors, lost = _fetch(path, batch.error_file, wanted, 0, most, provider, sleep, none)
    notes = [f"{name}: its error file is gone. {lost}"] if lost else []
    if gone and not told:
        return Fetched(tuple(notes), f"the file that it names is gone: {gone.rstrip('.')}")
    if len(output.answered) < told or (output.damage and not output.results):
        finished = "1 finished request" if told == 1 else f"{told:,} finished requests"
        held = f"the file held {len(output.answered):,}"
        if gone or not batch.output_file:
            held = f"its file is gone: {gone}" if gone else "it names no file of theirs"
        elif output.damage:
            held += f" ({output.damage})"
        return Fetched(
            tuple(notes),
            f"the provider tells of {finished}, {held.rstrip('.')}",
            told - len(output.answered),
        )
    if errors.damage and not errors.results:
        return Fetched(tuple(notes), f"the file of failed requests held none ({errors.damage})")
    notes += [
        f"{name}, {kind} file: {held.damage}. What can be read of it counts."
        for kind, held in (("output", output), ("error", errors))
        if held.damage
    ]
    return Fetched(tuple(notes))


def _fetch(
    path: Path,
    file_id: str,
    asked: frozenset[str],
    told: int,
    most: int,
    provider: BatchProvider,
    sleep: Callable[[float], None],
    may_be_empty: bool,
) -> tuple[Held, str]:
    """What is here of a file after a look at it, and why it cannot be had if the provider says so.

    An empty file is no damage where the provider tells of nothing that would be in it. Damage that
    comes twice alike was not made on the way: it is looked at again some other time.
    """
    gone, before = "", ""
    held = held_in(path, asked) if path.exists() else _NOTHING
    for pause in range(_TRIES if file_id else 0):
        if pause:
            sleep(float(pause))
        arrived = arriving(path)
        try:
            with storage_errors(path.parent):
                provider.collect(file_id, arrived, most)
            now, digest = held_in(arrived, asked), file_sha256(arrived)
            if may_be_empty and now.damage == EMPTY:
                now = _NOTHING
            if now.results:
                if path.exists():
                    add_lost_lines(arrived, path, asked)
                keep_download(arrived, path)
                held = held_in(path, asked)
        except NotAtProvider as error:
            gone = error.message
            break
        except AnswerTooLong:
            digest = "too long"
            now = Held(frozenset(), False, f"it is larger than {most / 2**20:,.0f} MB")
        finally:
            arrived.unlink(missing_ok=True)
        if not path.exists():
            held = now
        if (not now.damage and len(held.answered) >= told) or digest == before:
            break
        before = digest
    return held, "" if path.exists() else gone
