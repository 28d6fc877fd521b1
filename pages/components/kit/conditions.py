"""The conditions of a page's rows: they live in the URL, and each is a chip that takes it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ivan_core.lists.conditions import Chip, Filter, Language, Listing, Names, fitting
from ivan_core.lists.url import parameters, query_of, read_filter
from pages.components.kit.text import md_escape, say
from pages.components.kit.url import write_query

_ORDER = "order"
"""The chip of the order, and its key, which is none of a condition."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where rows stand: what they can be asked for, and what begins the keys of their widgets.

    `clicks` counts in the session how often charts let go of their marks; `closed` is the parameter
    of what is read in place, which another filter closes. `kept` hears of each filter written.
    """

    language: Language
    keys: str
    pages: str
    clicks: str
    everything: str
    closed: str = ""
    kept: Callable[[Filter], None] | None = None

    def asked(self) -> Filter:
        """The filter of the URL, whether it fits the run or not."""
        return read_filter(self.language, st.query_params.to_dict())[0]

    def show(self, wanted: Filter) -> None:
        """Write a filter into the URL."""
        query = query_of(wanted)
        changes = {name: query.get(name) for name in parameters(self.language)}
        write_query(changes | ({self.closed: None} if self.closed else {}))
        if self.kept is not None:
            self.kept(wanted)
        for name in [name for name in st.session_state if str(name).startswith(self.pages)]:
            del st.session_state[name]  # another filter starts on its first page

    def widen(self, wanted: Filter) -> None:
        """Show the rows of a wider filter, and let go of the marks that charts show as clicked."""
        self.show(wanted)
        st.session_state[self.clicks] = st.session_state.get(self.clicks, 0) + 1

    def remove(self, key: str) -> None:
        """Take one condition, or the order, away."""
        wanted = self.asked()
        self.widen(wanted.sorted_by(None) if key == _ORDER else wanted.without(key))

    def clear(self) -> None:
        self.widen(Filter(self.language))


def fitting_filter(place: Place, listing: Listing) -> Filter:
    """The filter of the URL; what in it makes no sense, or none for this run, is named and out."""
    found, ignored = read_filter(place.language, st.query_params.to_dict())
    fits, reasons = fitting(listing, found)
    if place.kept is not None:
        place.kept(fits)
    if not ignored and not reasons:
        return fits
    told = [f"Not understood in this link, and left out: {', '.join(ignored)}."] if ignored else []
    if reasons:
        told += ["Left out of this link, since this run cannot tell.", *dict.fromkeys(reasons)]
    with st.container(horizontal=True, vertical_alignment="center", key="left-out"):
        say(" ".join(told), "small")
        st.button("Forget it", key="forget", type="tertiary", on_click=place.show, args=(fits,))
    return fits


def condition_chips(
    place: Place, wanted: Filter, names: Names | None = None, *, order: bool = False
) -> None:
    """One button a condition, which takes it away; with `order` one for the order too."""
    held = wanted.chips(names)
    if order and wanted.sort is not None and wanted.sorts:
        held.append(Chip(_ORDER, wanted.sort.words(names or {}), _ORDER))
    if not held:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"{place.keys}chips"
    ):
        for chip in held:
            st.button(
                f"{md_escape(chip.label)} ✕", key=f"{place.keys}chip-{chip.name}",
                on_click=place.remove, args=(chip.key,), help="Take this condition away",
            )  # fmt: skip
        if len(held) > 1:
            st.button(
                place.everything, key=f"{place.keys}chips-clear", type="tertiary",
                on_click=place.clear,
            )  # fmt: skip
