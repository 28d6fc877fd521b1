"""Searches in the texts, which a worker does: started, followed, and done again where missing."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import Run
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.experiments.columns import work as column_work
from ivan_core.experiments.columns.conditions import TextHas, missing_searches
from ivan_core.lists.conditions import Filter, Listing
from pages.components.kit.redrawn import redrawn
from pages.components.kit.state import kindly
from pages.components.kit.text import say, say_with_hint
from pages.components.public.reading import told_instead


def start_search(dataset: str, condition: TextHas) -> None:
    """Have a worker look for the words, unless that was done."""
    column_work.start(condition.search(dataset))


def searches_at_work(listing: Listing) -> None:
    """Searches that a worker does now; the page follows until they are there."""
    if _searching(listing.dataset.fingerprint):
        redrawn(_follow, every=0.5)(listing.dataset.fingerprint)


def say_why(listing: Listing, wanted: Filter, error: IvanError) -> None:
    """Why there are no rows; the problem of a press may stand above it, in a place of its own.

    Searches of a link that nobody has done here, or that came to no end, can be done now.
    """
    with st.container(border=True, key="rows-problem"):
        say_with_hint(error.message, error.hint)
    missing = missing_searches(listing.dataset.fingerprint, wanted)
    if missing and not _searching(listing.dataset.fingerprint) and not told_instead():
        st.button("Search now", key="search-now", on_click=_start_all, args=(missing,))


def _searching(dataset: str) -> list[tuple[Run, ColumnSpec]]:
    """Searches at work; what becomes of other columns is said where they are made."""
    return [(run, spec) for run, spec in column_work.at_work(dataset) if spec.form == "search"]


@kindly
def _start_all(missing: list[ColumnSpec]) -> None:
    for spec in missing:
        column_work.start(spec)


def _follow(dataset: str) -> None:
    at_work = _searching(dataset)
    if not at_work:
        st.rerun()
    for run, spec in at_work:
        told = f"Looking through the texts: {spec.label} ({run.done:,} of {run.total:,})"
        say(told, "small")
