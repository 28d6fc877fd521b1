"""Data folders by the steps that made them: what several tests begin with is made once a process.

A step is done once after the same steps; the next test that asks for it is given a copy of the
folder as it was then. Where anything else has written to the folder in between, or the step is told
to be unlike others, it is done as if nobody had done it before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_MADE: dict[tuple[Hashable, ...], tuple[Path, str]] = {}
"""The folder after some steps, and what the last one returned."""


@cache
def _shelf() -> TemporaryDirectory[str]:
    """Where folders are kept until the process ends."""
    return TemporaryDirectory(prefix="ivan-made-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))


def shelf() -> Path:
    return Path(_shelf().name)


class Remembered:
    """One data folder, and the steps that were done in it."""

    def __init__(self, folder: Path, start: Hashable) -> None:
        """The start says what the steps' meaning depends on."""
        self._folder = folder
        self._steps: tuple[Hashable, ...] | None = (start,)
        self._left = self._look()

    def done(self, step: Hashable | None, do: Callable[[], str]) -> str:
        """Do a step, or copy what it did before; None is a step that is like no other."""
        if step is None or self._look() != self._left:
            self._steps = None
        if self._steps is None:
            return do()
        self._steps = (*self._steps, step)
        if self._steps in _MADE:
            kept, told = _MADE[self._steps]
            shutil.rmtree(self._folder)
            shutil.copytree(kept, self._folder, symlinks=True)
        else:
            told = do()
            kept = shelf() / str(len(_MADE))
            shutil.copytree(self._folder, kept, symlinks=True)
            _MADE[self._steps] = kept, told
        self._left = self._look()
        return told

    def _look(self) -> set[tuple[Path, int, int]]:
        """What lies in the folder, with sizes and times."""
        facts = ((path, path.lstat()) for path in self._folder.rglob("*"))
        return {(path, fact.st_size, fact.st_mtime_ns) for path, fact in facts}
