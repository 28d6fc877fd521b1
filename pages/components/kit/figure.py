"""Taking a chart away: SVG, PDF or PNG, its numbers as CSV, a caption and a methods sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from typing import Unpack

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.engine import figures
from ivan_core.figures.chart import WHOLE
from ivan_core.figures.choices import Wish, figure_command
from ivan_core.figures.files import KINDS, Kind
from pages.components.kit.redrawn import dialog
from pages.components.kit.text import in_one, say
from pages.components.public.pace import paced

_WIDTHS = {85: "one column, 85 mm", 170: "two columns, 170 mm"}


@dataclass(frozen=True, slots=True)
class _Figure:
    """Which chart of which run, and what it shows where it leaves a choice."""

    run_id: str
    name: str
    shown: Wish

    @property
    def key(self) -> str:
        shown = self.shown
        more = [shown.get("label"), shown.get("gate"), shown.get("row"), shown.get("side")]
        parts = [self.name, shown.get("model"), shown.get("other"), shown.get("column")]
        return "-".join(map(str, ["figure", *parts, *filter(None, more)]))


def figure_menu(run_id: str, name: str, **shown: Unpack[Wish]) -> None:
    """A button that opens the files and words of one chart; they are made when asked for."""
    figure = _Figure(run_id, name, shown)
    told = "Take this chart away: files, caption and methods."
    if st.button("Figure", key=figure.key, help=told):
        _files(figure)


# A dialog scrolls where a small window cuts it; what floats beside a button does not.
@dialog("Take this figure away", width="medium")
def _files(figure: _Figure) -> None:
    """Files of a chart in a width of your choice, and what to write below it."""
    figure = _narrowed(figure)
    run_id, name, shown = figure.run_id, figure.name, figure.shown
    width = (
        st.segmented_control(
            "Width",
            list(_WIDTHS),
            default=85,
            required=True,
            key=f"{figure.key}-width",
            format_func=lambda millimetres: _WIDTHS[millimetres],
        )
        or 85
    )
    with st.container(horizontal=True):
        for kind in KINDS:
            st.download_button(
                kind.upper(),
                _maker(figure, kind, width),
                figures.file_name(run_id, name, kind, width, **shown),
                key=f"{figure.key}-{kind}",
                on_click="ignore",
            )
    for title, text in (
        *_words(figure, figures.stamp(run_id, shown.get("where"))),
        ("Command", figure_command(run_id, name, width_mm=width, **shown)),
    ):
        say(title, "small", quiet=True)
        st.code(text, language=None, wrap_lines=True)


def _narrowed(figure: _Figure) -> _Figure:
    """The chart of the rows alone that the page lists, if it lists some of them and this is chosen.

    A chart that cannot be had so says why.
    """
    run_id = figure.run_id
    listed = figures.conditions_of(run_id, st.query_params.to_dict())
    if not listed:
        return figure
    if whole := figures.whole(run_id, figure.name):
        say(whole, "small", quiet=True)
        return figure
    where = rows_alone(run_id, listed, "listed below", f"This figure shows {WHOLE}.", figure.key)
    return replace(figure, shown={**figure.shown, "where": where}) if where else figure


def rows_alone(run_id: str, where: str, where_listed: str, else_shown: str, key: str) -> str | None:
    """The conditions `where` of the rows that the page lists, if they alone are wanted.

    `where_listed` says where the list stands, `else_shown` what is shown while a condition cannot
    be judged yet.
    """
    if not where:
        return None
    try:
        n = figures.rows_picked(run_id, where)
    except IvanError as error:  # a search that is still at work, which the rows below wait for too
        say(in_one(error.message, f"{error.hint} {else_shown}"), "small", quiet=True)
        return None
    told = f"Only the {figures.rows_listed(run_id, where)} {where_listed}"
    wanted = st.toggle(told, key=f"{key}-rows", disabled=not n)
    return where if wanted and n else None


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={_Figure: astuple})
def _words(figure: _Figure, stamp: object) -> list[tuple[str, str]]:
    """Caption and methods of a chart; on a large run they take as long as the chart."""
    return [
        ("Caption", figures.caption(figure.run_id, figure.name, **figure.shown)),
        ("Methods", figures.methods(figure.run_id, figure.name, **figure.shown)),
    ]


def _maker(figure: _Figure, kind: Kind, width: int) -> Callable[[], bytes]:
    run_id, name = figure.run_id, figure.name
    return paced(lambda: figures.figure(run_id, name, kind, width, **figure.shown))
