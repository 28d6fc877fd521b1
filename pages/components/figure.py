"""Taking a chart away: SVG, PDF or PNG, its numbers as CSV, a caption and a methods sentence."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.workspace import figures, runs
from ivan_core.workspace.commands import figure_command
from pages.components.frame import problems_shown
from pages.components.text import say

_KINDS: tuple[figures.Kind, ...] = ("svg", "pdf", "png", "csv")
_WIDTHS = {85: "one column, 85 mm", 170: "two columns, 170 mm"}


def figure_menu(
    run_id: str, name: str, *, model: str | None = None, other: str | None = None
) -> None:
    """A button that opens the files and words of one chart; they are made when asked for."""
    key = f"figure-{name}-{model}-{other}"
    if st.button("Figure", key=key, help="Take this chart away: files, caption and methods."):
        _dialog(key, run_id, name, model, other)


@st.dialog("Take this figure away", width="medium")
def _dialog(key: str, run_id: str, name: str, model: str | None, other: str | None) -> None:
    # A dialog scrolls where a small window cuts it; what floats beside a button does not.
    with problems_shown():
        figure_files(key, run_id, name, model, other)


def figure_files(key: str, run_id: str, name: str, model: str | None, other: str | None) -> None:
    """Files of a chart in a width of your choice, and what to write below it."""
    width = st.segmented_control(
        "Width", list(_WIDTHS), default=85, required=True, key=f"{key}-width",
        format_func=lambda millimetres: _WIDTHS[millimetres],
    ) or 85  # fmt: skip
    with st.container(horizontal=True):
        for kind in _KINDS:
            st.download_button(
                kind.upper(), _maker(run_id, name, kind, width, model, other),
                figures.file_name(run_id, name, kind, width, model=model, other=other),
                key=f"{key}-{kind}", on_click="ignore",
            )  # fmt: skip
    for title, text in (
        *_words(run_id, runs.get(run_id).done, name, model, other),
        ("Command", figure_command(run_id, name, model=model, other=other)),
    ):
        say(title, "small", quiet=True)
        st.code(text, language=None, wrap_lines=True)


@st.cache_data(max_entries=64, show_spinner=False)
def _words(
    run_id: str, done: int, name: str, model: str | None, other: str | None
) -> list[tuple[str, str]]:
    """Caption and methods of a chart; on a large run they take as long as the chart."""
    return [
        ("Caption", figures.caption(run_id, name, model=model, other=other)),
        ("Methods", figures.methods(run_id, name, model=model, other=other)),
    ]


def _maker(
    run_id: str, name: str, kind: figures.Kind, width: int, model: str | None, other: str | None
) -> Callable[[], bytes]:
    return lambda: figures.figure(run_id, name, kind, width, model=model, other=other)
