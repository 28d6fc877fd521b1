"""Pairs or texts that people judged: fifty a page, one read in place, with a link to its pair."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.plurals import number_of
from ivan_core.domain.reviews import BETTER
from ivan_core.engine import opened
from ivan_core.review.lists import (
    PAGE,
    Listed,
    answer_in_words,
    page_of,
)
from pages.components.kit.carried import write_query
from pages.components.kit.keys import heads_sort_no_page, tab_leaves_tables
from pages.components.kit.rows import SELECTS, opened_row
from pages.components.kit.text import say
from pages.components.pair.replies import show_dialogue, show_pair

LISTED = "listed"
"""The item that is read in place, as ROW.SIDE."""


def listed_items(
    dataset: PreparedDataset, found: Sequence[Listed], key: str, name: str, noun: str
) -> None:
    """Draw the list, those on which the answers differ first asked for, and the opened one."""
    differing = [one for one in found if not one.alike]
    options = {f"Where they differ ({len(differing):,})": differing, f"All ({len(found):,})": found}
    picked = st.segmented_control(
        "Listed", list(options), default=next(iter(options)), required=True,
        key=f"listed-{name}", label_visibility="collapsed",
    )  # fmt: skip
    shown = options.get(picked or "", differing)
    if not shown:
        say(f"No {noun} here.")
        return
    _table(dataset, shown, key, f"{name}-{picked}", noun)
    _one(dataset, shown, key)


def _table(
    dataset: PreparedDataset, shown: Sequence[Listed], key: str, name: str, noun: str
) -> None:
    pages = -(-len(shown) // PAGE)
    page = st.pagination(pages, key=f"page-{name}", max_visible_pages=5) if pages > 1 else 1
    table = page_of(dataset, shown, key, page)
    here = shown[(page - 1) * PAGE : page * PAGE]
    widget = f"items-{name}-{page}-{len(shown)}"

    def picked() -> None:
        place = opened_row(st.session_state[widget].selection, "Row")
        if place is not None and place < len(here):
            write_query({LISTED: f"{here[place].row_id}.{here[place].side}"})

    st.dataframe(
        table, hide_index=True, on_select=picked, selection_mode=SELECTS,
        key=widget, placeholder="",
        column_config={"Row": st.column_config.NumberColumn("Row", format="%d", width=60)},
        alt=f"The {noun}s of this view with what everybody said; select one to read it",
    )  # fmt: skip
    count = number_of(len(shown), noun)
    with st.container(horizontal=True, vertical_alignment="center", key="item-opener"):
        say(f"{count}. Click one to read it.", "small", quiet=True)
        _open_by_number(here, name)
        tab_leaves_tables()
        heads_sort_no_page()


def _open_by_number(here: Sequence[Listed], name: str) -> None:
    """The same without a pointer."""
    options = [f"{one.row_id}.{one.side}" for one in here]
    widget = f"item-to-open-{name}-{options[0]}-{len(options)}"

    def read() -> None:
        write_query({LISTED: st.session_state[widget]})

    with st.form("open-item", border=False, width="content"), st.container(horizontal=True):
        st.selectbox(
            "Item to open", options, width=150, key=widget, label_visibility="collapsed",
            format_func=lambda one: one.removesuffix(".both").replace(".", ", "),
        )  # fmt: skip
        st.form_submit_button("Read it", key="read-item", on_click=read)


def _one(dataset: PreparedDataset, shown: Sequence[Listed], key: str) -> None:
    """The item that the URL names, if it is in the list: its text and what everybody said."""
    asked = st.query_params.get(LISTED, "")
    one = next((one for one in shown if f"{one.row_id}.{one.side}" == asked), None)
    if one is None:
        return
    what = "" if one.side == "both" else f", the {one.side} reply"
    with st.container(border=True, key="one-item"):
        with st.container(horizontal=True, vertical_alignment="center"):
            say(f"Row {one.row_id:,}{what}", "lead")
            comparison = opened.with_row(str(dataset.about["content"]), one.row_id, kind="compare")
            if comparison:
                st.page_link(
                    "pages/pairs.py", label=":primary[Read the pair →]",
                    query_params={"run": comparison, "row": str(one.row_id)},
                )  # fmt: skip
            st.button("Close", key="close-item", on_click=write_query, args=({LISTED: None},))
        said = [f"{name}: {answer_in_words(key, answer)}" for name, answer in one.answers.items()]
        say(" · ".join(said))
        pair = dataset.pair(one.row_id)
        if key == BETTER:
            show_pair(pair, True, {})
        else:
            show_dialogue(pair.chosen if one.side == "chosen" else pair.rejected, False)
