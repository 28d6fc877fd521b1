"""One run of batches as its worker, the pages and the command line see it: spec, files, ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import Estimate, Mode, read_estimate
from ivan_core.domain.labels import DEMO_NAME
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.engine.work import at_work
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey, PartState, PlanChanged, Stage
from ivan_core.runs.context import RunContext
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import file_sha256, replacing, storage_errors

KIND = "taxonomy"
OUTPUT = "taxonomy-output"
"""The folder of results for people, in the data folder."""
_CANCEL = "cancel-batches"
_AGAIN = "again.json"
_DEMO = "demo"
_ALL = "ask-all.json"
CLOSED = "Closed as it was"
"""How the note on a part begins whose missing answers a person has given up."""


def is_closed(state: PartState) -> bool:
    """Whether a person gave up what the provider did not deliver of a part."""
    return state.note.startswith(CLOSED)


@dataclass(frozen=True)
class BatchJob:
    """A run of batches. Cheap to make; what it tells is read anew each time."""

    registry: Registry
    run_id: str
    spec: TaxonomySpec
    ledger: Ledger

    @property
    def folder(self) -> Path:
        return self.registry.folder(self.run_id)

    @property
    def data_dir(self) -> Path:
        return self.registry.data_dir

    def estimates(self) -> list[Estimate]:
        """The estimates of all attempts, in their order."""
        found = [
            read_estimate(path.read_text("utf-8")) for path in self.folder.glob("estimate-*.json")
        ]
        return sorted(found, key=lambda one: one.attempt)

    def estimate(self) -> Estimate | None:
        """The estimate of the newest attempt; None before there is one."""
        return next(reversed(self.estimates()), None)

    def confirmed(self) -> set[int]:
        """The attempts that somebody said yes to."""
        return {given.attempt for given in self.ledger.attempts(self.run_id)}

    def parts(self) -> list[PartState]:
        return self.ledger.parts_of(self.run_id)

    def told(self) -> dict[PartKey, dict[str, Any]]:
        """What the last worker or command counted of each part."""
        facts = json.loads(self.registry.get(self.run_id).facts)
        return {
            PartKey(self.run_id, one["part"], one["attempt"]): one for one in facts.get("parts", [])
        }

    def undelivered(self) -> list[PartState]:
        """Parts whose batch has ended and whose answers are not all here."""
        return [state for state in self.parts() if state.stage is Stage.TERMINAL]

    def in_doubt(self) -> list[PartState]:
        """Parts of which nobody knows whether they were sent, and that were not sent again."""
        again = {(state.key.part, state.key.attempt) for state in self.parts()}
        return [
            state
            for state in self.parts()
            if state.stage is Stage.IN_DOUBT
            and not any(
                part == state.key.part and attempt > state.key.attempt for part, attempt in again
            )
        ]

    def check_unchanged(self, estimate: Estimate, account: str | None = None) -> None:
        """Refuse request files that are not those of an estimate, or another account.

        Raises:
            PlanChanged: a file is gone or has other bytes.
            BadInput: nobody confirmed the estimate for this account.
        """
        for file in estimate.files:
            path = self.data_dir / file.path
            if not path.is_file() or file_sha256(path) != file.sha256:
                raise PlanChanged(
                    f"The request file {path.name} is not the one that was estimated.",
                    "Nothing was sent. Have the estimate made anew, then look at it again.",
                )
        reused = estimate.reused
        path = self.reused_path(estimate.attempt)
        if reused and reused.count and (not path.is_file() or file_sha256(path) != reused.sha256):
            raise PlanChanged(
                "The answers that are reused are not those that were counted.",
                "Nothing was sent. Have the estimate made anew, then look at it again.",
            )
        if account is not None:
            key = PartKey(self.run_id, 1, estimate.attempt)
            self.ledger.check(key, account, estimate.plan_hash)

    def open_again(self, state: RunState) -> None:
        """Make a run that is done wait again.

        Raises:
            BadInput: another run is at work on the same texts.
        """
        try:
            self.registry.wait(self.run_id, state)
        except sqlite3.IntegrityError:
            raise BadInput(
                "Another run is at work on the same texts.", "Follow that one."
            ) from None

    def ask_to_cancel(self) -> None:
        """Leave word for the worker: cancel what was confirmed so far at the provider."""
        self._write(_CANCEL, json.dumps(max(self.confirmed(), default=0)))

    @property
    def cancelled(self) -> bool:
        """Whether the batches of the newest confirmed attempt are to be cancelled."""
        attempt = self._word(_CANCEL)
        return attempt is not None and int(attempt) >= max(self.confirmed(), default=0)

    def mark_demo(self) -> None:
        """Keep that the demo server answers: its labels are made by rules, whatever the model."""
        self._write(_DEMO, "")

    @property
    def labeler(self) -> str:
        """Who labels, by the name that stands wherever the labels are shown."""
        demo = (self.folder / _DEMO).exists()
        return DEMO_NAME.format(self.spec.model) if demo else self.spec.model

    def reused_path(self, attempt: int) -> Path:
        """Where the answers lie that an attempt reuses, as lines of a result file."""
        return self.folder / "results" / f"{attempt}-reused.jsonl"

    def ask_all(self, attempt: int, every: bool) -> None:
        """Leave word whether an attempt asks also for what has an answer already."""
        self._write(_ALL, json.dumps(attempt if every else 0))

    def asks_all(self, attempt: int) -> bool:
        """Whether it does."""
        return bool(self._word(_ALL) == attempt)

    def ask_again(self, attempt: int, mode: Mode) -> None:
        """Leave word for the worker: prepare an attempt for what has no usable labels."""
        self._write(_AGAIN, json.dumps({"attempt": attempt, "mode": mode}))

    def asked_again(self) -> tuple[int, Mode] | None:
        """The attempt that is still to be prepared, if there is one."""
        asked, newest = self._word(_AGAIN), self.estimate()
        if asked is None or (newest is not None and newest.attempt >= asked["attempt"]):
            return None
        return asked["attempt"], asked["mode"]

    def ask_no_more(self) -> None:
        """Take that word back."""
        (self.folder / _AGAIN).unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> None:
        write_text(self.folder / name, text)

    def _word(self, name: str) -> Any:
        """What was left word of under a name; None where nothing was."""
        path = self.folder / name
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    @contextmanager
    def at_work(self) -> Iterator[RunContext]:
        """What the steps of the run may touch."""
        with at_work(self.registry, self.run_id, TaxonomySpec) as job:
            yield job.context


def open_job(run_id: str, registry: Registry | None = None) -> BatchJob:
    """A run of batches, of the registry of the data folder if none is given.

    Raises:
        BadInput: there is no such run, or it is of another kind.
    """
    registry = registry or runs.registry()
    run = registry.get(run_id)
    if run.kind != KIND:
        raise BadInput(f"Run {run_id} sends no batches: it is a run of {run.kind}.")
    spec = TaxonomySpec.model_validate_json(run.spec)
    return BatchJob(registry, run_id, spec, Ledger(registry.data_dir))


def write_text(path: Path, text: str) -> None:
    """Write a file of a run, all of it or nothing.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(text, "utf-8")
