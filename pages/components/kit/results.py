"""What results of every experiment share: one question at a time, marks to click, sentences to
copy, files to take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from ivan_core.charts.palette import Drawing
from ivan_core.domain.runs import RunState
from ivan_core.domain.words import number_of, short_names
from ivan_core.engine import figures, handling as runs
from ivan_core.figures.chart import WHOLE
from ivan_core.figures.words import Quote
from pages.components.kit.figure import rows_alone
from pages.components.kit.state import write_query
from pages.components.kit.text import md_escape, say

if TYPE_CHECKING:
    import pandas as pd

VIEW = "view"
"""The question that is open, in the URL, by its place."""
_MOST_IN_LINE = 6
"""More models stand in a list that opens, not in a line."""
_MOST_SENTENCES = 30
"""Of more to a question the first are shown, and words are asked for."""
Option = TypeVar("Option")
Point = Mapping[str, Any]
"""What a clicked mark of a chart holds."""
Spec = dict[str, Any] | str
"""The specification of a chart, or the sentence that stands in its place."""


def one_question(questions: Mapping[str, Callable[[], None]], key: str) -> None:
    """Questions, of which the open one computes; the URL says which it is."""
    questions[one_view("Questions", list(questions), key)]()


def one_view(label: str, views: Sequence[str], key: str, first: str | None = None) -> str:
    """As `one_of` for the views of a page, of which the URL names the chosen one."""
    usual = views[0] if first is None else first
    asked = st.query_params.get(VIEW, "")
    places = [str(place) for place in range(len(views))]
    st.session_state[key] = views[int(asked)] if asked in places else usual

    def turn() -> None:
        write_query({VIEW: str(views.index(st.session_state[key]))})

    picked = st.segmented_control(
        label, views, key=key, label_visibility="collapsed", required=True, on_change=turn
    )
    return picked or usual


def spec_of(drawing: Drawing) -> Spec:
    """The specification of a chart, which can be kept: making one takes longer than drawing it.

    Its rows are in Arrow's form already, in which each drawing would put them anew.
    """
    if isinstance(drawing, str):
        return drawing
    tables: dict[int, pd.DataFrame] = {}
    spec: dict[str, Any] = _without_rows(drawing, tables).to_dict(validate=False)
    spec["datasets"] = {_name(place): _arrow(rows) for place, rows in enumerate(tables.values())}
    return spec


def _without_rows(chart: Any, tables: dict[int, pd.DataFrame]) -> Any:
    """A chart that has the names of its tables, which are added to those of others, by identity.

    Altair would copy, clean and hash the rows of each of its layers, which takes longer than all
    else that it does.
    """
    import altair as alt

    found = chart.copy(deep=False)
    if found.data is not alt.Undefined:
        tables.setdefault(id(found.data), found.data)
        found.data = alt.NamedData(_name([*tables].index(id(found.data))))
    for parts in ("layer", "vconcat", "hconcat", "concat"):
        if parts in found._kwds:
            found[parts] = [_without_rows(one, tables) for one in found[parts]]
    return found


def _name(place: int) -> str:
    return f"table {place}"


def _arrow(rows: pd.DataFrame) -> bytes | pd.DataFrame:
    """Rows in Arrow's form; as they are where a column holds words and numbers."""
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(rows, preserve_index=False)
    except pa.ArrowException:
        return rows
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def plain_chart(drawing: Drawing | Spec, key: str) -> bool:
    """Draw a chart whose marks take no clicks, or its specification, or say what stands in its
    place; whether drawn."""
    if isinstance(drawing, str):
        say(drawing)
        return False
    if isinstance(drawing, dict):
        st.vega_lite_chart(spec=drawing, key=key)
    else:
        st.altair_chart(drawing, key=key)
    return True


def clicked_chart(
    chart: Drawing | Spec, name: str, selection: str, clicks: str, click: Callable[[Point], None]
) -> bool:
    """Draw a chart or its specification; what a clicked mark holds goes to `click`.

    `clicks` counts in the session how often charts let go of their marks. Where there is nothing to
    draw a sentence stands instead; returns whether there is a chart.
    """
    if isinstance(chart, str):
        say(chart)
        return False
    key = f"{name}-{st.session_state.get(clicks, 0)}"

    def clicked() -> None:
        for point in st.session_state[key].selection.get(selection, []):
            click(point)

    if isinstance(chart, dict):
        st.vega_lite_chart(spec=chart, key=key, on_select=clicked, selection_mode=selection)
    else:
        st.altair_chart(chart, key=key, on_select=clicked, selection_mode=selection)
    return True


def one_of(
    label: str,
    options: Sequence[Option],
    key: str,
    first: Option | None = None,
    named: Callable[[Option], str] = str,
) -> Option:
    """Ask for one of several in a line, of which one is always chosen: `first`, till another is."""
    usual = options[0] if first is None else first
    picked = st.segmented_control(
        label,
        options,
        default=usual,
        required=True,
        key=key,
        format_func=named,
        label_visibility="collapsed",
        wrap=True,
    )
    return usual if picked is None else picked


def pick_model(models: Sequence[str], key: str) -> str:
    """The model to look at: the only one, or the one chosen."""
    if len(models) == 1:
        return models[0]
    names = short_names(models)
    if len(models) > _MOST_IN_LINE:
        picked = st.selectbox("Model", models, key=key, format_func=names.__getitem__, width=420)
        return picked or models[0]
    return one_of("Model", models, key, named=lambda model: md_escape(names[model]))


def fold(label: str, key: str, draw: Callable[[], object]) -> None:
    """A fold whose inside is drawn while it is open: what nobody looks at takes no time."""
    folded = st.expander(label, key=key, on_change="rerun")
    if folded.open:
        with folded:
            draw()


def word(text: str) -> None:
    """A piece of a line of counts that is no button; our own words only."""
    st.html(f'<span style="opacity:.72;white-space:nowrap">{text}</span>', width="content")


def file_buttons(files: Mapping[str, Path], keys: str) -> None:
    """Files to download, each by its name; `keys` begins the keys of the buttons."""
    with st.container(horizontal=True):
        for name, path in files.items():
            st.download_button(
                md_escape(name), path.read_bytes, name, key=f"{keys}-{name}", on_click="ignore"
            )


def csv_buttons(
    name: str,
    keys: str,
    make: Callable[[bool], bytes],
    words: tuple[str, str] = ("CSV, verbatim", "CSV for spreadsheets"),
) -> None:
    """A table to download as CSV, made when asked for: verbatim, and as spreadsheets want it."""
    with st.container(horizontal=True):
        for label, ending, spreadsheet in zip(
            words, ("", "-for-spreadsheets"), (False, True), strict=True
        ):
            st.download_button(
                label,
                partial(make, spreadsheet),
                f"{name}{ending}.csv",
                key=f"{keys}-{spreadsheet}",
                on_click="ignore",
            )


def files_and_settings(
    command: str, files: Iterable[Path], manifest: Mapping[str, Any] | None
) -> None:
    """The command that does the same, the files of the run, and its manifest, when asked for."""

    def draw() -> None:
        say("The same from the command line:", "small", quiet=True)
        st.code(command, language=None, wrap_lines=True)
        file_buttons({path.name: path for path in files}, "file")
        if manifest is not None:
            st.json(dict(manifest), expanded=1)

    fold("Files, command and settings", "files", draw)


def quotable(run_id: str, key: str = "sentences") -> None:
    """Draw the sentences of a run when they are asked for; each has a button that copies it."""
    shown = st.expander("Sentences to copy", on_change="rerun", key=key)
    if not shown.open:
        return
    with shown:
        # Sentences about two labelers change when another labelling ends.
        finished = runs.registry().count(states=(RunState.DONE,))
        listed = figures.conditions_of(run_id, st.query_params.to_dict())
        whole = f"These sentences are of {WHOLE}."
        where = rows_alone(run_id, listed, "that are listed", whole, key)
        found, source = _quotes(run_id, where, figures.stamp(run_id, where), finished)
        say("What they rest on", "small", quiet=True)
        st.code(source, language=None, wrap_lines=True)
        questions = list(dict.fromkeys(quote.question for quote in found))
        if not questions:
            return
        asked = st.pills("Question", questions, default=questions[0], key=f"{key}-about")
        told = [quote for quote in found if quote.question == asked]
        for quote in _few(told, f"{key}-words"):
            st.code(f"{quote.sentence}\n{quote.command}", language=None, wrap_lines=True)


def _few(told: list[Quote], key: str) -> list[Quote]:
    """Of very many sentences those that have the words asked for, and no more than fit."""
    if len(told) <= _MOST_SENTENCES:
        return told
    words = st.text_input("Sentences with", key=key, width=320)
    found = [quote for quote in told if words.strip().casefold() in quote.sentence.casefold()]
    shown = found[:_MOST_SENTENCES]
    say(f"{len(shown):,} of {number_of(len(told), 'sentence')}", "small", quiet=True)
    return shown


@st.cache_data(max_entries=8, show_spinner=False)
def _quotes(
    run_id: str, where: str | None, stamp: object, finished: int
) -> tuple[list[Quote], str]:
    return figures.quotes(run_id, where), figures.source_line(run_id, where)
