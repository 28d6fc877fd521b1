"""Writing beside the work: in one thread, in order, and not far behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType

Write = Callable[[], None]


class Writer:
    """Does what it is given, one after the other, while its caller works on.

    One write at most is under way, so that a kill costs no more than that. After one has failed
    none is done any more, and the next call raises what it raised. The end of the block waits for
    the last write, whatever ended it.
    """

    def __init__(self) -> None:
        self._given: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._free = threading.Semaphore()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._given.put(None)
        self._thread.join()
        if error is None:
            self._check()

    def write(self, work: Write) -> None:
        """Have something written, once what was given before is.

        Raises:
            IvanError: an earlier write failed, with what it said.
        """
        self._free.acquire()
        self._check()
        self._given.put(work)

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _write(self) -> None:
        while (work := self._given.get()) is not None:
            try:
                work()
            except BaseException as error:
                self._failed = error
            self._free.release()
