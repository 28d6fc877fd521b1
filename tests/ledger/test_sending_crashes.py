"""Sending under crashes at every step and from several sides at once: still one batch at most."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fakes.provider import FolderProvider, Killed, Steps
from given.sending_place import KEY, Place
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import OPEN, Stage

AT_ONCE = 8
FAULTS = {
    "none": {},
    "answer lost, batch made": {"lose": "after"},
    "answer lost, batch made, list lags": {"lose": "after", "lag": 2},
    "answer lost, no batch": {"lose": "before", "lag": 99},
    "refused": {"refuse": "You exceeded your current quota."},
}


def watched(ledger: Ledger, step: Steps) -> Ledger:
    """A ledger whose process may die before a write, in the middle of it, and right after it."""
    writing = ledger._file.writing

    @contextmanager
    def dying() -> Iterator[Any]:
        step()
        with writing() as db:
            yield db
            step()
        step()

    ledger._file.writing = dying
    return ledger


@contextmanager
def everybody(*_: object) -> Iterator[bool]:
    """A lock that does not lock, as on some network disks."""
    yield True


def work(place: Place, kill_at: int | None = None) -> int:
    """Confirm and send like a process that dies at a step; returns the steps it took."""
    step = Steps(kill_at)
    place.provider.step = step
    ledger = watched(place.ledger, step)
    with suppress(Killed, BackendUnavailable):
        place.confirm(ledger=ledger)
        place.send(ledger=ledger)
    place.provider.step = Steps()
    return step.count


def what_is_wrong(place: Place) -> str:
    """Why the promise is broken; nothing where it is kept."""
    made = Counter(batch.metadata["attempt"] for batch in place.provider.made)
    if any(count > 1 for count in made.values()):
        return f"batches by attempt: {dict(made)}"
    state = place.ledger.part(KEY)
    if state.stage is Stage.CREATED:
        return "" if state.batch_id == "batch-1" else f"took {state.batch_id!r}"
    if state.stage is not Stage.IN_DOUBT:
        return f"ended {state.stage}"
    return "in doubt, but the batch is in the list" if place.provider.made else ""


@pytest.mark.parametrize("fault", FAULTS)
def test_killed_at_every_step_and_started_again(fault, tmp_path):
    def place(name: object) -> Place:
        made = Place(tmp_path / str(name))
        for switch, value in FAULTS[fault].items():
            setattr(made.provider, switch, value)
        return made

    steps = work(place("whole"))
    assert steps >= 15
    wrong = {}
    for kill_at in range(1, steps + 1):
        killed = place(kill_at)
        with killed.ledger._file.kept_open():
            work(killed, kill_at)
            work(killed)
            work(killed)
        wrong[kill_at] = what_is_wrong(killed)
    assert {step: said for step, said in wrong.items() if said} == {}


def test_killed_again_and_again(tmp_path):
    for second in range(1, 16, 2):
        place = Place(tmp_path / str(second))
        with place.ledger._file.kept_open():
            for kill_at in range(4, 40, second):
                work(place, kill_at)
            work(place)
        assert what_is_wrong(place) == ""


def test_a_crash_in_the_call_is_a_doubt_and_never_a_second_call(tmp_path):
    place = Place(tmp_path)
    place.confirm()
    place.provider.on_create = Steps(1)
    with pytest.raises(Killed):
        place.send()
    assert place.ledger.part(KEY).stage is Stage.CREATING
    sent = place.send()
    assert (sent.stage, place.provider.made) == (Stage.IN_DOUBT, [])


def test_many_clicks_at_once_make_one_batch(tmp_path):
    place, start = Place(tmp_path), threading.Barrier(AT_ONCE)

    def click(_: int) -> bool:
        start.wait(300)
        new = place.confirm()
        place.send()
        return new

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(click, range(AT_ONCE))) == 1
    assert (len(place.provider.made), place.send().batch_id) == (1, "batch-1")


def test_without_the_lock_the_stages_alone_let_one_through(tmp_path, monkeypatch):
    monkeypatch.setattr(Ledger, "sending", everybody)
    place, start = Place(tmp_path), threading.Barrier(AT_ONCE)
    place.confirm()

    def click(_: int) -> None:
        start.wait(300)
        place.send()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(click, range(AT_ONCE)))
    assert len(place.provider.made) <= 1
    place.send()
    assert place.send().stage is Stage.CREATED
    assert len(place.provider.made) == 1


def test_without_the_lock_nobody_overtakes_a_call_under_way(tmp_path, monkeypatch):
    monkeypatch.setattr(Ledger, "sending", everybody)
    place = Place(tmp_path)
    place.confirm()

    def send_all_the_way(_: Path) -> None:
        """Another sender comes while this one uploads, and is through before it goes on."""
        place.provider.on_upload = lambda _: None
        place.send()

    place.provider.on_upload = send_all_the_way
    assert place.send().batch_id == "batch-1"
    place = Place(tmp_path / "other")
    place.confirm()

    def send_this_far() -> None:
        """Another who has uploaded meanwhile goes on while this one's call is under way."""
        for stage in (Stage.UPLOADING, Stage.UPLOADED, Stage.PLANNED, Stage.CREATING):
            assert not place.ledger.move(KEY, stage)

    place.provider.on_create = send_this_far
    assert place.send().batch_id == "batch-1"
    assert len(place.provider.made) == 1


def test_while_another_sends_nobody_waits_or_doubts(tmp_path):
    place = Place(tmp_path)
    place.confirm()
    seen = []
    place.provider.on_create = lambda: seen.append(place.send().stage)
    assert place.send().stage is Stage.CREATED
    assert (seen, len(place.provider.made)) == ([Stage.CREATING], 1)


def send_from_a_process(data: Path, dies: bool = False) -> None:
    place = Place(data, FolderProvider(data, dies))
    place.confirm()
    place.send()


def test_two_processes_make_one_batch(tmp_path: Path, processes: ForkServerContext):
    Place(tmp_path)
    workers = [processes.Process(target=send_from_a_process, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len((tmp_path / "created.jsonl").read_text().splitlines()) == 1


def test_a_killed_process_leaves_a_batch_that_the_next_one_finds(
    tmp_path: Path, processes: ForkServerContext
):
    worker = processes.Process(target=send_from_a_process, args=(tmp_path, True))
    worker.start()
    worker.join(300)
    assert worker.exitcode == -signal.SIGKILL
    place = Place(tmp_path, FolderProvider(tmp_path))
    assert place.ledger.part(KEY).stage is Stage.CREATING
    assert place.send().batch_id == "batch-1"
    assert len((tmp_path / "created.jsonl").read_text().splitlines()) == 1


class AnyOrder(RuleBasedStateMachine):
    """Whatever people, crashes and the provider do in whatever order."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.place = Place(Path(self.folder.name))
        self.confirmed = 0
        self.click()

    @rule()
    def click(self) -> None:
        """Confirm the attempt that is on the screen, maybe for the second time."""
        self.confirmed += self.place.confirm(max(self.confirmed, 1))

    @rule(twice=st.booleans())
    def confirm_again(self, twice: bool) -> None:
        at_provider = any(s.stage in OPEN for s in self.place.ledger.parts_of(KEY.run))
        try:
            self.place.confirm(self.confirmed + 1, twice)
        except BadInput:
            assert at_provider and not twice
        else:
            assert twice or not at_provider
            self.confirmed += 1

    @rule(kill_at=st.none() | st.integers(1, 25), attempt=st.integers(1, 4))
    def send(self, kill_at: int | None, attempt: int) -> None:
        step = Steps(kill_at)
        self.place.provider.step = step
        with suppress(Killed, BackendUnavailable):
            ledger = watched(self.place.ledger, step)
            self.place.send(min(attempt, self.confirmed), ledger)
        self.place.provider.step = Steps()

    @rule(lose=st.sampled_from(["before", "after"]), lag=st.integers(0, 20))
    def lose_an_answer(self, lose: str, lag: int) -> None:
        self.place.provider.lose, self.place.provider.lag = lose, lag

    @rule()
    def refuse(self) -> None:
        self.place.provider.refuse = "You exceeded your current quota."

    @rule()
    def give_up(self) -> None:
        self.place.ledger.abandon_unsent(KEY.run)

    @rule()
    def end_a_batch(self) -> None:
        for state in self.place.ledger.parts_of(KEY.run):
            if state.stage is Stage.CREATED:
                batch = self.place.provider.end(state.batch_id, "expired")
                self.place.ledger.record_terminal(state.key, batch)

    @invariant()
    def one_batch_at_most_for_each_confirmation(self) -> None:
        made = Counter(batch.metadata["attempt"] for batch in self.place.provider.made)
        assert all(count == 1 for count in made.values())
        assert set(made) <= {str(attempt) for attempt in range(1, self.confirmed + 1)}

    @invariant()
    def every_batch_is_known_or_in_doubt(self) -> None:
        for batch in self.place.provider.made:
            attempt = int(batch.metadata["attempt"])
            (state,) = [s for s in self.place.ledger.parts_of(KEY.run) if s.key.attempt == attempt]
            assert state.batch_id == batch.id or state.stage in (Stage.CREATING, Stage.IN_DOUBT)

    def teardown(self) -> None:
        self.folder.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=20, stateful_step_count=15)
