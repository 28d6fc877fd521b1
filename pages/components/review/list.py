"""Pairs or texts that people judged: fifty a page, one read in place, with a link to its pair."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.reviews import BETTER
from ivan_core.lists.page import page_of as page_rows
from ivan_core.review.lists import Listed, answer_in_words, page_of
from pages.components.kit.list import below_page, head_of_item, item_by_name, page_table, turned_to
from pages.components.kit.text import say
from pages.components.kit.url import write_query
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
        "Listed",
        list(options),
        default=next(iter(options)),
        required=True,
        key=f"listed-{name}",
        label_visibility="collapsed",
    )
    shown = options.get(picked or "", differing)
    if not shown:
        say(f"No {noun} here.")
        return
    _table(dataset, shown, key, f"{name}-{picked}", noun)
    _one(dataset, shown, key)


def _table(
    dataset: PreparedDataset, shown: Sequence[Listed], key: str, name: str, noun: str
) -> None:
    page = turned_to(len(shown), f"page-{name}")
    table = page_of(dataset, shown, key, page)
    here = page_rows(shown, page)
    items = [f"{one.row_id}.{one.side}" for one in here]

    def read(place: int) -> None:
        write_query({LISTED: items[place]})

    stood_on, _ = page_table(
        table,
        {"Row": st.column_config.NumberColumn("Row", format="%d", width=60)},
        key=f"items-{name}-{page}-{len(shown)}",
        number="Row",
        read=read,
        alt=f"The {noun}s of this view with what everybody said; select one to read it",
    )
    with below_page("item-opener", noun, len(shown), page, "Click one to read it."):
        key = f"item-to-open-{name}-{items[0]}-{len(items)}-{stood_on}"
        item_by_name("item", "Read it", items, stood_on, key, LISTED)


def _one(dataset: PreparedDataset, shown: Sequence[Listed], key: str) -> None:
    """The item that the URL names, if it is in the list: its text and what everybody said."""
    asked = st.query_params.get(LISTED, "")
    one = next((one for one in shown if f"{one.row_id}.{one.side}" == asked), None)
    if one is None:
        return
    what = "" if one.side == "both" else f", the {one.side} reply"
    with st.container(border=True, key="one-item"):
        title = f"Row {one.row_id:,}{what}"
        head_of_item(title, one.row_id, str(dataset.about["content"]), "item", LISTED)
        said = [f"{name}: {answer_in_words(key, answer)}" for name, answer in one.answers.items()]
        say(" · ".join(said))
        pair = dataset.pair(one.row_id)
        if key == BETTER:
            show_pair(pair, True, {})
        else:
            show_dialogue(pair.chosen if one.side == "chosen" else pair.rejected, False)
