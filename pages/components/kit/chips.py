"""Chips of the conditions that narrow a list: a button each, which takes its condition away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import streamlit as st

from pages.components.kit.text import md_escape


class _Conditions(Protocol):
    def without(self, name: str) -> _Conditions: ...


_Wanted = TypeVar("_Wanted", bound=_Conditions)


def condition_chips(
    kind: str,
    held: Sequence[tuple[str, str]],
    wanted: _Wanted,
    nothing: _Wanted,
    everything: str,
    choose: Callable[[_Wanted], None],
) -> None:
    """Draw a chip for each condition held (its name and words), and one that takes all away.

    `kind` begins the keys; `choose` gets the filter that a press asks for, `nothing` for all of it.
    """
    if not held:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"{kind}-chips"
    ):
        for name, words in held:
            st.button(
                f"{md_escape(words)} ✕", key=f"{kind}-chip-{name}", on_click=choose,
                args=(wanted.without(name),), help="Take this condition away",
            )  # fmt: skip
        if len(held) > 1:
            st.button(
                everything, key=f"{kind}-chips-clear", type="tertiary", on_click=choose,
                args=(nothing,),
            )  # fmt: skip
