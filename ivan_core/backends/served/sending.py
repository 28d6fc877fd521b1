"""Many rows to one server: a few requests at a time, waits where it is busy, every row once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import TypeVar

from ivan_core.backends.served.client import Away, Busy, OddAnswer, Refused, TooLarge
from ivan_core.backends.served.rows import Row, in_requests
from ivan_core.domain.models import Reward
from ivan_core.settings import seconds_of

PATIENCE = "IVAN_SERVER_PATIENCE"
USUAL_PATIENCE = 120.0
"""Seconds in all that one request waits for a server that is away or busy."""
AT_ONCE, BATCH = 8, 32
_FIRST_WAIT, _LONGEST_PAUSE = 1 / 240, 1 / 4
"""Of the patience: half a second and half a minute of two minutes."""
_ODD_TRIES = 3
_BUSY_TRIES = 3
"""After so many refusals a request is halved: the server may never have room for all of it."""

Ask = Callable[[Sequence[Row]], list[Reward]]
_Given = TypeVar("_Given")


class _Stopped(Exception):
    """Another request has failed for good."""


class Sender:
    """Sends rows by `ask`, which makes one request and raises what the client raises.

    `draw` gives numbers from 0 to 1 that spread the waits.
    """

    def __init__(
        self, ask: Ask, at_once: int = AT_ONCE, draw: Callable[[], float] = random.random
    ) -> None:
        self._ask, self._at_once, self._draw = ask, max(1, at_once), draw
        self._patience = seconds_of(PATIENCE, USUAL_PATIENCE)

    def send(
        self, rows: Sequence[Row], most: int, progress: Callable[[int], object] = lambda count: None
    ) -> list[Reward]:
        """One reward a row, same order, in requests of at most `most` rows.

        Raises:
            BackendUnavailable: the server stays away or busy, or refuses all work.
        """
        requests = in_requests(rows, most)
        found: dict[int, Reward] = {}
        stop = Event()
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="served") as pool:
            working = {
                pool.submit(self._rewards, [rows[place] for place in places], stop): places
                for places in requests
            }
            try:
                for done in as_completed(working):
                    places = working[done]
                    found |= zip(places, done.result(), strict=True)
                    progress(len(places))
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [found[place] for place in range(len(rows))]

    def patiently(self, call: Callable[[], _Given]) -> _Given:
        """What a call gives; it is made again while the server is away or busy."""
        waits, stop = _Waits(self._patience, self._draw), Event()
        while True:
            try:
                return call()
            except (OddAnswer, Busy, Away) as error:
                waits.after(error, stop)

    def _rewards(self, rows: Sequence[Row], stop: Event) -> list[Reward]:
        waits = _Waits(self._patience, self._draw)
        while not stop.is_set():
            try:
                return self._ask(rows)
            except TooLarge:
                if len(rows) == 1:
                    return [_failure(rows[0], "the text is too long for the server")]
                return self._halves(rows, stop)
            except Refused as error:
                if len(rows) == 1:
                    return [_failure(rows[0], f"the server refused the text{error.words}")]
                return self._halves(rows, stop)
            except (OddAnswer, Busy, Away) as error:
                if isinstance(error, Busy) and waits.tries + 1 >= _BUSY_TRIES and len(rows) > 1:
                    return self._halves(rows, stop)
                waits.after(error, stop)
        raise _Stopped

    def _halves(self, rows: Sequence[Row], stop: Event) -> list[Reward]:
        middle = (len(rows) + 1) // 2
        return [*self._rewards(rows[:middle], stop), *self._rewards(rows[middle:], stop)]


class _Waits:
    """The waits of one request."""

    def __init__(self, patience: float, draw: Callable[[], float]) -> None:
        self.tries = 0
        self._patience, self._draw = patience, draw
        self._waited, self._odd = 0.0, 0

    def after(self, problem: OddAnswer | Busy | Away, stop: Event) -> None:
        """Wait until it is to be tried again; raises the problem where that is too long.

        So long as the server asks for, but never none at all, else twice as long each time. An
        odd answer is asked for again a few times only.
        """
        self._odd += isinstance(problem, OddAnswer)
        wait = self._wait(problem)
        if self._odd == _ODD_TRIES or self._waited + wait > self._patience:
            raise problem
        self._waited, self.tries = self._waited + wait, self.tries + 1
        stop.wait(wait)

    def _wait(self, problem: OddAnswer | Busy | Away) -> float:
        asked = problem.retry_after if isinstance(problem, Busy) else None
        if asked is not None:
            return max(asked, self._patience * _FIRST_WAIT)
        share = min(_FIRST_WAIT * 2.0**self.tries, _LONGEST_PAUSE)
        return self._patience * share * (0.5 + self._draw() / 2)


def _failure(row: Row, reason: str) -> Reward:
    return Reward(None, row.truncated, reason)
