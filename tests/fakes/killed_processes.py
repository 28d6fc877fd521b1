"""Runs of batches whose processes are really killed, at every write and every call there is.

Each play happens in a process of its own without threads. It prepares a data folder once; for each
point it copies that folder and forks twice: who acts is killed at the point, who comes later goes
on as a person would. What they leave must be what is left where nobody is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from given.support import write_pairs

from fakes.folder_batches import FEW, REST, WHOLE, FolderBatches, Thirds
from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.engine.work import at_work
from ivan_core.experiments.batches import confirm, handling as taxonomy, requests as experiment
from ivan_core.experiments.batches.adopt import collect
from ivan_core.experiments.batches.kept_answers import keep_all_answers
from ivan_core.experiments.batches.work import Providers, work_taxonomy
from ivan_core.labels.request_files import Limits
from ivan_core.ledger import answers as answers_module
from ivan_core.ledger.answers import Answers, body_key, owner_of
from ivan_core.ledger.ledger import Ledger
from ivan_core.runs import registry as registry_module
from ivan_core.runs.database import Database
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry

NOBODY_LISTENS = "http://127.0.0.1:9/v1"


@dataclass
class Points:
    """Counts what the process does to the disk and to the provider, and is killed at one of it."""

    kill_at: int | None = None
    count: int = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Be killed before a file takes its place or goes, before single statements are made, and
        in a transaction before it is committed; a line that is appended is torn."""
        for owner, name in (
            (Path, "replace"),
            (Path, "unlink"),
            (Answers, "mark_read"),
            (Registry, "begin"),
            (Registry, "wait"),
            (Registry, "go_on"),
            (Registry, "finish"),
        ):
            self._before(owner, name)
        writing, write = Database.writing, os.pwrite

        @contextmanager
        def uncommitted(database: Database) -> Iterator[Any]:
            with writing(database) as db:
                yield db
                self.step()

        def torn(descriptor: int, data: bytes, offset: int) -> int:
            half = write(descriptor, data[: len(data) // 2], offset)
            self.step()
            return half + write(descriptor, data[half:], offset + half)

        setattr(Database, "writing", uncommitted)  # noqa: B010
        os.pwrite = torn  # type: ignore[assignment]

    def _before(self, owner: type, name: str) -> None:
        done = getattr(owner, name)

        def step(*given: Any, **named: Any) -> Any:
            if name != "unlink" or given[0].exists():
                self.step()
            return done(*given, **named)

        setattr(owner, name, step)


@dataclass
class Place:
    """A data folder, the provider's folder beside it, and who works here: this process."""

    root: Path
    points: Points = field(default_factory=Points)
    delivers: Thirds = WHOLE

    def enter(self) -> None:
        """Make it the place in which everything happens from now on, in this process."""
        os.environ |= {
            "IVAN_DATA_DIR": str(self.root / "data"),
            "IVAN_SLOT_FILE": str(self.root / "slot"),
            "OPENAI_BASE_URL": NOBODY_LISTENS,
            "OPENAI_API_KEY": "sk-of-nobody",
        }
        (self.root / "data").mkdir(parents=True, exist_ok=True)
        runs.spawn = self.work

    @property
    def provider(self) -> FolderBatches:
        return FolderBatches(self.root / "provider", self.points.step, self.delivers)

    @property
    def providers(self) -> Providers:
        return Providers(lambda _: self.provider, _nobody_is_sent_to)

    def work(self, run_id: str) -> None:
        """Be the worker of a run."""
        registry = runs.registry()
        with FileLock(registry.lock_path(run_id)) as lock:
            if not (lock.acquire() and registry.begin(run_id)):
                return
            try:
                with at_work(registry, run_id, TaxonomySpec) as job:
                    waiting = work_taxonomy(job, self.providers, lambda _: None)
            except IvanError as error:
                registry.finish(run_id, RunState.FAILED, error.message, error.hint)
                return
            if waiting is None:
                registry.finish(run_id, RunState.DONE)
            else:
                registry.wait(run_id, waiting.state, waiting.problem, waiting.hint)

    def collect(self, run_id: str, look: bool = True) -> None:
        """What `process-batch` does."""
        collect(run_id, self.providers, lambda _: None, look=look)

    def labelled(self, *row_ids: int) -> str:
        """A run that labelled some rows, or all."""
        run_id = self.start(*row_ids)
        self.to_the_end(run_id)
        return run_id

    def start(self, *row_ids: int) -> str:
        """A run that was registered, with an estimate if a worker makes one."""
        spec = TaxonomySpec(
            dataset=DatasetRequest(source=str(self.root.parent / "pairs.jsonl")),
            model="gpt-6-luna",
            row_ids=row_ids or None,
        )
        return taxonomy.start(spec)[0]

    def say_yes(self, run_id: str) -> None:
        """Confirm what is shown; also that it may be charged twice, where that is asked."""
        shown = taxonomy.estimate(run_id)
        assert shown
        confirm.confirm(run_id, shown.plan_hash, "Ada", shown.may_charge_twice)

    def to_the_end(self, run_id: str) -> None:
        """Do what a page offers until the run is done: resume, confirm or follow."""
        for _ in range(6):
            state = runs.get(run_id).state
            if state is RunState.DONE:
                return
            if taxonomy.awaits_yes(run_id):
                self.say_yes(run_id)
            elif taxonomy.is_sent(run_id):
                taxonomy.follow(run_id)
            else:
                runs.resume(run_id)
        raise AssertionError(f"run {run_id} is {state}: {runs.get(run_id).problem}")

    def came(self, run_id: str) -> dict[str, Any]:
        """What a person gets of a run, and what was paid."""
        summary = taxonomy.counts(run_id)
        assert summary
        data = self.root / "data"
        outputs = [data / "taxonomy-output" / f"{run_id}{end}.csv" for end in ("", "-failed")]
        return {
            "state": str(runs.get(run_id).state),
            "counts": summary["counts"],
            "reused": summary["reused"],
            "files": [
                hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs if path.exists()
            ],
            "manifest": (data / "runs" / run_id / "manifest.json").exists(),
            "usd": round(taxonomy.spent(run_id).usd, 9),
            "asked": sorted(Counter(self.provider.asked().values()).items()),
            "creations": self.provider.creations(),
        }


def _nobody_is_sent_to(_: TaxonomySpec) -> Any:
    raise AssertionError("nothing is labelled at once here")


@dataclass(frozen=True)
class Play:
    """What is there before, what somebody does who is killed, and what the next one does.

    Each gets the place and the id of the run that `before` gave back; `after` is done once all is
    whole, and shows that nothing paid was lost.
    """

    before: Callable[[Place], str]
    act: Callable[[Place, str], None]
    go_on: Callable[[Place, str], None]
    after: Callable[[Place, str], None] = lambda place, run_id: None
    delivers: Thirds = WHOLE
    in_a_part: int = 6
    """The most requests in one batch: a run has 12."""


def _register(place: Place, *row_ids: int) -> str:
    """A run that waits for a worker."""
    runs.spawn = lambda _: None
    run_id = place.start(*row_ids)
    runs.spawn = place.work
    return run_id


def _confirmed(place: Place) -> str:
    """A run that was confirmed and whose worker has not started."""
    run_id = _register(place)
    place.work(run_id)
    runs.spawn = lambda _: None
    place.say_yes(run_id)
    runs.spawn = place.work
    return run_id


def _all_is_known(place: Place, _: str) -> None:
    """Whoever asks for the same finds every answer that was paid for."""
    keep_all_answers(runs.registry())
    owner = owner_of(place.provider.account, demo=False)
    digests = (hashlib.sha256(body.encode()).digest() for body in place.provider.asked())
    keys = [body_key(owner, digest) for digest in digests]
    assert len(keys) == 12
    assert len(Answers(place.root / "data").find(keys)) == 12


def _second(place: Place) -> str:
    """A run of which another has four answers, which are to be read from its files again."""
    place.labelled(1, 4)
    for path in (place.root / "data").glob("answers.sqlite*"):
        path.unlink()
    return _register(place)


def _undelivered(place: Place) -> str:
    """A run of which 8 of 12 answers came."""
    run_id = _confirmed(place)
    place.delivers = FEW
    place.work(run_id)
    place.delivers = WHOLE
    assert runs.get(run_id).state is RunState.INTERRUPTED
    return run_id


def _finished_without_all(place: Place) -> str:
    """As older versions left such a run: its part counts as whole."""
    run_id, ledger = _undelivered(place), Ledger(place.root / "data")
    for state in ledger.parts_of(run_id):
        assert ledger.record_downloaded(state.key) and ledger.record_validated(state.key)
    runs.registry().finish(run_id, RunState.DONE)
    return run_id


def _follow(place: Place, run_id: str) -> None:
    assert taxonomy.follow(run_id)


def _close(place: Place, run_id: str) -> None:
    """As the page does it."""
    taxonomy.close_parts(run_id, "Ada")
    taxonomy.follow(run_id)


def _close_by_command(place: Place, run_id: str) -> None:
    """As `process-batch --close-as-is` does it."""
    place.collect(run_id)
    if taxonomy.undelivered(run_id):
        taxonomy.close_parts(run_id, "Ada")
        place.collect(run_id, look=False)


def _close_again(place: Place, run_id: str) -> None:
    if taxonomy.undelivered(run_id):
        taxonomy.close_parts(run_id, "Ada")
    place.to_the_end(run_id)


def _repair(place: Place, run_id: str) -> None:
    """Ask again for what was given up, and for nothing else."""
    assert place.came(run_id)["counts"]["valid"] == 8
    assert set(place.provider.asked().values()) == {1}
    place.delivers = WHOLE
    taxonomy.estimate_again(run_id)
    place.to_the_end(run_id)


PLAYS: dict[str, Play] = {
    "answers are stored while batches are collected": Play(
        _confirmed, lambda place, run_id: place.work(run_id), Place.to_the_end, _all_is_known
    ),
    "a plan that reuses is made, confirmed and sent": Play(
        _second, Place.to_the_end, Place.to_the_end, _all_is_known
    ),
    "the rest is followed": Play(_undelivered, _follow, Place.collect, _all_is_known, REST, 12),
    "the rest of a finished run is collected": Play(
        _finished_without_all, Place.collect, Place.collect, _all_is_known, REST, 12
    ),
    "parts are closed as they are": Play(_undelivered, _close, _close_again, _repair, FEW),
    "parts are closed as they are by the command": Play(
        _undelivered, _close_by_command, _close_by_command, _repair, FEW, 12
    ),
}


def _forked(work: Callable[[], None]) -> int:
    """Do some work in a process of its own; how it ended, below zero where it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_play(name: str, root: Path) -> None:
    """Play it whole, then killed at each of its points; what was wrong is in `report.json`."""
    play, wrong = PLAYS[name], {}
    registry_module._STARTUP_GRACE = 0.0
    answers_module._A_WRITE = 3
    experiment.Limits = lambda tokens: Limits(requests=play.in_a_part, tokens=tokens)
    write_pairs(root / "pairs.jsonl", 6)
    warm = Place(root / "warm")
    warm.enter()
    warm.labelled()  # whoever is forked has loaded what is loaded late
    first = Place(root / "first")
    first.enter()
    run_id = play.before(first)

    def place(named: str, points: Points) -> Place:
        shutil.copytree(root / "first", root / named)
        found = Place(root / named, points, play.delivers)
        found.enter()
        return found

    def act(kill_at: int | None, named: str) -> None:
        points = Points(kill_at)
        here = place(named, points)
        points.watch()
        play.act(here, run_id)
        (root / named / "steps").write_text(str(points.count))

    def later(named: str) -> None:
        here = Place(root / named, delivers=play.delivers)
        here.enter()
        play.go_on(here, run_id)
        came = {"then": here.came(run_id)}
        play.after(here, run_id)
        came["at last"] = here.came(run_id)
        (root / named / "came.json").write_text(json.dumps(came))

    def came(named: str) -> Any:
        return json.loads((root / named / "came.json").read_text())

    assert _forked(lambda: act(None, "whole")) == 0
    assert _forked(lambda: later("whole")) == 0
    steps = int((root / "whole" / "steps").read_text())
    for point in range(1, steps + 1):
        named = f"killed-at-{point}"
        ended = _forked(lambda: act(point, named))  # noqa: B023
        if ended != -signal.SIGKILL:
            wrong[point] = f"ended with {ended}"
        elif _forked(lambda: later(named)) != 0:  # noqa: B023
            wrong[point] = "could not go on"
        elif came(named) != came("whole"):
            wrong[point] = f"left {came(named)}"
        if point not in wrong:
            shutil.rmtree(root / named)
    report = {"steps": steps, "wrong": wrong, "whole": came("whole")}
    (root / "report.json").write_text(json.dumps(report))
