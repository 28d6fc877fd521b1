"""What IVAN uses from inside libraries, or of them without a word in their documentation.

Each such thing is named by a test of tests/borrowed with who uses it, and tried by itself: an
upgrade that takes it away fails there by name, before it fails somewhere in a page.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAM = [
    ROOT / "streamlit_app.py",
    *sorted(path for top in ("ivan_core", "pages") for path in (ROOT / top).rglob("*.py")),
]
Test = Callable[..., None]


def borrowed(library: str, *names: str, by: str) -> Callable[[Test], Test]:
    """Says of a test which names of a library it is about, and which files use them."""
    users = [ROOT / path for path in by.split()]

    def mark(test: Test) -> Test:
        @functools.wraps(test)
        def tried(*args: Any, **named: Any) -> None:
            text = "".join(user.read_text("utf-8") for user in users)
            assert all(name in text for name in names), f"{by} no longer uses {names}: delete this."
            try:
                test(*args, **named)
            except Exception as error:
                raise AssertionError(
                    f"{library} {version(library)} is not as {by} needs it: {', '.join(names)}."
                ) from error

        return tried

    return mark
