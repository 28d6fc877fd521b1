"""A queue for reviewers of the rows that a page lists: what to ask, how many, and where it went."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.reviews import Task
from ivan_core.domain.words import number_of
from ivan_core.lists.conditions import Filter, Listing, Names
from ivan_core.review.queues import TASKS, make_queue, queue_request
from ivan_core.review.sources import MOST_ITEMS
from pages.components.kit.state import REVIEW, kindly
from pages.components.kit.study import in_study
from pages.components.kit.text import say
from pages.components.public.reading import told_instead

_MADE = "queue-of-rows"
_USUAL = 30


def queue_of_rows(
    listing: Listing,
    wanted: Filter,
    names: Names,
    row_ids: list[int],
    keys: str = "queue",
    usual: int = _USUAL,
) -> None:
    """Ask for a queue of `row_ids`, some of them drawn at random where fewer are wanted, `usual`
    unless another number is asked for. `keys` begins the keys of the widgets.
    """
    left, right = st.columns(2)
    task: Task = left.selectbox(
        "What to ask", list(TASKS), format_func=lambda task: TASKS[task], key=f"{keys}-task"
    )
    most = min(len(row_ids), MOST_ITEMS)
    count = right.number_input("How many", 1, most, min(most, usual), key=f"{keys}-count-{most}")
    say(
        f"Of {number_of(len(row_ids), 'pair')}, in random order. Everybody first judges up to 30 "
        "items drawn from the whole dataset: only those enter the rates.",
        "small",
        quiet=True,
    )
    title = "; ".join(chip.label for chip in wanted.chips(names)) or "All pairs of a run"
    fields = {
        "dataset": listing.dataset.fingerprint,
        "task": task,
        "source": "rows",
        "count": int(count),
        "row_ids": tuple(row_ids),
        "title": title[:200],
    }
    make_button(fields, keys)


def make_button(fields: dict[str, Any], keys: str, does: str = "Make a queue") -> None:
    """Offer to make a queue from the fields of its request; once it is made, tell where it is."""
    if told_instead():
        return
    st.button(does, key=f"{keys}-go", type="primary", on_click=_make, args=(fields,))
    tell_made()


def tell_made() -> None:
    """Tell where a queue is that the last press made."""
    number = st.session_state.pop(_MADE, None)
    if number is not None:
        say(f"Queue {number} is made.")
        st.page_link(REVIEW, label=":primary[Invite people on Review →]", query_params=in_study())


@kindly
def _make(fields: dict[str, Any]) -> None:
    number = make_queue(queue_request(fields)).id
    st.session_state[_MADE] = number
    st.session_state["review-queue"] = number
