"""Several runs that are ticked, in one table: who agrees how often, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ivan_core.domain.runs import Run
from ivan_core.engine.kind import Picture, RowsBehind, SetTogether
from ivan_core.engine.set_beside import together
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.sentences import interval_ends, percent
from pages.components.kit.frame import problems_shown
from pages.components.kit.list import PAGE, Column, below_page, opened_row, page_table, turned_to
from pages.components.kit.results import Point, Spec, clicked_chart, one_of, spec_of
from pages.components.kit.state import PAIRS, address, dark, write_query
from pages.components.kit.text import say

_TOGETHER = "set-together"
_CLICKED = "together-clicked"
"""What was clicked last in the table or a picture."""
_CLICKS = "together-clicks"
_HOW = (
    "Tick a model or click a cell for its pairs: those on which the model goes against the choice,"
    " or on which two models part."
)


def in_one_table(ticked: Sequence[Run]) -> None:
    """Offer to set runs in one table; draw it once it was asked for, or say why it cannot be."""
    run_ids = tuple(run.id for run in ticked)
    with st.container(border=True, key="together"):
        names = ", ".join(run.label for run in ticked)
        say(f"{len(ticked)} runs are ticked: {names}.", "small")
        st.button(
            "Set in one table",
            key="together-ask",
            on_click=_ask,
            args=(run_ids,),
            help="For comparisons of the same pairs, whose models read texts in the same way.",
        )
        if st.session_state.get(_TOGETHER) == run_ids:
            with problems_shown():
                _draw(ticked)


def _ask(run_ids: tuple[str, ...]) -> None:
    st.session_state[_TOGETHER] = run_ids
    st.session_state.pop(_CLICKED, None)


@st.cache_resource(max_entries=4, show_spinner=False)
def _found(run_ids: tuple[str, ...], stamp: object) -> SetTogether:
    """The runs in one table; `stamp` says how far they are and what they are called."""
    return together(run_ids)


@st.cache_resource(max_entries=16, show_spinner=False)
def _drawn(
    run_ids: tuple[str, ...], stamp: object, name: str, is_dark: bool, _picture: Picture
) -> Spec:
    """A picture of them: making one takes longer than all else on a click."""
    return spec_of(_picture.draw(is_dark))


def _draw(ticked: Sequence[Run]) -> None:
    run_ids = tuple(run.id for run in ticked)
    stamp = tuple((run.label, run.state, run.done) for run in ticked)
    found = _found(run_ids, stamp)
    head, *told = found.sentences
    say(head, "small")
    _table(found.table)
    picked = one_of("Picture", list(found.charts), "together-chart")
    picture = found.charts[picked]
    chart = _drawn(run_ids, stamp, picked, dark(), picture)
    if clicked_chart(chart, f"together-{picked}", picture.selection, _CLICKS, _click):
        say(_HOW, "small", quiet=True)
    behind = found.behind(st.session_state.get(_CLICKED, {}))
    if behind is not None:
        _rows(behind)
    with st.expander("The same in sentences"):
        for sentence in told:
            say(sentence, "small")


def _table(table: pd.DataFrame) -> None:
    """One row a model; a row that is ticked asks for its pairs as a cell of a picture does."""
    shown = [
        {
            "Model": row["model"],
            "Run": row["run"],
            "Sides with the choice": percent(row["rate"], row["n"]) if row["n"] else "none rated",
            "95% interval": interval_ends(row["low"], row["high"], row["n"]) if row["n"] else "",
            "Pairs": row["n"],
            "Not read whole": row["truncated"],
            "Format": row["input_format"],
        }
        for row in table.to_dict("records")
    ]
    key = f"together-table-{st.session_state.get(_CLICKS, 0)}"

    def ticked() -> None:
        picked = opened_row(st.session_state[key].selection, "Model")
        if picked is not None:
            _click({"model": shown[picked]["Model"], "subset": ALL_SUBSETS})

    st.dataframe(
        shown,
        hide_index=True,
        key=key,
        on_select=ticked,
        selection_mode=["single-row", "single-cell"],
        alt="Agreement of all models of these runs",
    )
    st.download_button(
        "CSV, verbatim",
        table.to_csv(index=False).encode,
        "runs.csv",
        key="together-csv",
        on_click="ignore",
    )


def _click(point: Point) -> None:
    """Ask for the pairs of what was clicked, from their first page on."""
    st.session_state[_CLICKED] = dict(point)
    write_query({PAGE: None})


def _close() -> None:
    """Show no pairs, and let go of the marks that are shown as clicked."""
    st.session_state.pop(_CLICKED, None)
    st.session_state[_CLICKS] = st.session_state.get(_CLICKS, 0) + 1
    write_query({PAGE: None})


def _rows(behind: RowsBehind) -> None:
    """The pairs of what was clicked; one that is pressed is read on its page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        say(behind.words, "lead")
        st.button("Close", key="together-close", type="tertiary", on_click=_close)
    if not behind.row_ids:
        say("No pairs here.")
        return
    say("Chosen after looking: rates of these pairs are no evidence.", "small", quiet=True)
    turned = "together-page"
    page = turned_to(len(behind.row_ids), turned)
    table = behind.page(page)
    row_ids = [int(row_id) for row_id in table["row_id"]]
    pressed = page_table(
        table,
        {name: Column(*about) for name, about in behind.columns.items()},
        key=f"together-rows-{behind.words}-{page}",
        links=[address(PAIRS, _pair(behind, row_id)) for row_id in row_ids],
        alt="The pairs behind what was clicked; select one to read the pair side by side",
    )
    below_page("pair", len(behind.row_ids), page, "Click a pair to read it.", turned)
    if pressed is not None:
        st.switch_page(PAIRS, query_params=_pair(behind, row_ids[pressed]))


def _pair(behind: RowsBehind, row_id: int) -> dict[str, str]:
    return {"run": behind.run_id, "row": str(row_id)}
