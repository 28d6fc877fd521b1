"""How much a demo does for strangers: so much for each, and so much for all together.

Each has a bucket of drawings of a page that fills at a steady pace, and all share one. What takes
longer than a page takes more out of it. Whoever comes with many sessions empties the shared one,
and then everybody waits, but the machine does not drown.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from ivan_core.domain.errors import IvanError
from ivan_core.engine import access

PAGE = 1.0
PART = 0.25
"""What a part of a page or a dialog costs that is drawn again by itself. One that asks twice a
second how far something is leaves three quarters of a session's pace to who reads."""
FILE = 10.0
"""What a file costs that is made for a download, in drawings of a page."""
MANY_CHARTS = 30.0
"""What one costs that has all charts of several runs."""
_MOST_SESSIONS = 2_000
_Made = TypeVar("_Made")


class Busy(IvanError):
    """More was asked for than a demo does."""

    def __init__(self) -> None:
        super().__init__(
            "This demo is asked for more than it does at a time.",
            "Wait a few seconds, then reload the page.",
        )


@dataclass(slots=True)
class Bucket:
    """Holds `most`, gains `a_second`, and gives away what is in it."""

    most: float
    a_second: float
    content: float
    at: float

    def take(self, cost: float, now: float) -> bool:
        self.content = min(self.most, self.content + (now - self.at) * self.a_second)
        self.at = now
        if self.content < cost:
            return False
        self.content -= cost
        return True


class Pace:
    """The buckets of one server. Threads of many sessions ask it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._all = Bucket(240.0, 8.0, 240.0, clock())
        self._of: OrderedDict[str, Bucket] = OrderedDict()

    def require(self, session: str, cost: float = PAGE) -> None:
        """Take so much for a session. Raises Busy where it, or all together, asked for too much."""
        with self._lock:
            now = self._clock()
            own = self._of.pop(session, None) or Bucket(40.0, 2.0, 40.0, now)
            self._of[session] = own
            if len(self._of) > _MOST_SESSIONS:
                self._of.popitem(last=False)
            if not (own.take(cost, now) and self._all.take(cost, now)):
                raise Busy


PACE = Pace()
_whole: ContextVar[bool] = ContextVar("whole-page", default=False)


def require_pace() -> None:
    """Take a drawing of a page for who asks, where strangers ask. Raises Busy at too many."""
    if stranger := access.asking().stranger:
        PACE.require(stranger)


@contextmanager
def whole_page() -> Iterator[None]:
    """While a page is drawn, which was counted, its parts cost nothing more."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


def require_part() -> None:
    """Take the drawing of a part for who asks, where it is drawn by itself. Raises Busy at too
    many."""
    stranger = access.asking().stranger
    if stranger and not _whole.get():
        PACE.require(stranger, PART)


def paced(make: Callable[[], _Made], cost: float = FILE) -> Callable[[], _Made]:
    """What makes a file, with what it costs in a demo.

    Who asks is known while the page is drawn; the file is made later, in a thread without a page.
    """
    stranger = access.asking().stranger

    def make_at_pace() -> _Made:
        if stranger:
            PACE.require(stranger, cost)
        return make()

    return make_at_pace
