"""Parts of a page that are drawn again by themselves, and dialogs.

Each shows its own problems, since the page is not there to do it, and is counted in a demo.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

import streamlit as st

from pages.components.kit.frame import problems_shown
from pages.components.public.pace import require_part

_Given = ParamSpec("_Given")


def redrawn(draw: Callable[_Given, None], every: float | None = None) -> Callable[_Given, None]:
    """A part that is drawn again by what is pressed in it, and after so many seconds each."""
    return st.fragment(_by_itself(draw), run_every=every)


def dialog(
    title: str, width: Literal["small", "medium", "large"] = "small"
) -> Callable[[Callable[_Given, None]], Callable[_Given, None]]:
    """A function that draws what stands in a dialog, and so opens it."""

    def opens(draw: Callable[_Given, None]) -> Callable[_Given, None]:
        return st.dialog(title, width=width)(_by_itself(draw))

    return opens


def _by_itself(draw: Callable[_Given, None]) -> Callable[_Given, None]:
    @wraps(draw)
    def counted(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        with problems_shown():
            require_part()
            draw(*args, **kwargs)

    return counted
