"""The conditions of a page's rows: they live in the URL, and each is a chip that takes it away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.columns.conditions import TextHas
from ivan_core.lists.conditions import (
    Chip,
    Filter,
    Ints,
    Language,
    Listing,
    Names,
    fitting,
    matching,
    without_value,
)
from ivan_core.lists.others import Offered, called, offered
from ivan_core.lists.url import parameters, query_of, read_filter
from pages.components.kit.frame import tell_refusal
from pages.components.kit.list import PAGE
from pages.components.kit.search import say_why, searches_at_work, start_search
from pages.components.kit.state import kindly, write_query
from pages.components.kit.text import in_one, md_escape, say
from pages.components.public.reading import only_reads

_ADDED = "conditions-added"
_MOST_NAMED = 10
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
    clicks: str
    everything: str
    closed: str = ""
    kept: Callable[[Filter], None] | None = None

    def asked(self) -> Filter:
        """The filter of the URL, whether it fits the run or not."""
        return read_filter(self.language, st.query_params.to_dict())[0]

    def show(self, wanted: Filter) -> None:
        """Write a filter into the URL; its rows start on their first page."""
        query = query_of(wanted)
        changes = {name: query.get(name) for name in parameters(self.language)}
        write_query(changes | {PAGE: None} | ({self.closed: None} if self.closed else {}))
        if self.kept is not None:
            self.kept(wanted)

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
    told = [f"Not understood in this link, and left out: {_few(ignored)}."] if ignored else []
    if reasons:
        told += ["Left out of this link, since this run cannot tell.", *dict.fromkeys(reasons)]
    with st.container(horizontal=True, vertical_alignment="center", key="left-out"):
        say(" ".join(told), "small")
        st.button("Forget it", key="forget", type="tertiary", on_click=place.show, args=(fits,))
    return fits


def _few(ignored: Sequence[str]) -> str:
    """What was not understood, each once; a link may hold thousands of such."""
    named = list(dict.fromkeys(ignored))
    more = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def names_on(listing: Listing, wanted: Filter) -> dict[str, str]:
    """What the user columns and other runs are called that conditions may name, by id."""
    known = columns.known(listing.dataset.fingerprint, True)
    return {spec.id: spec.label for spec in known} | called(listing, wanted)


def places_found(
    place: Place, listing: Listing, wanted: Filter, names: Names, *, order: bool = False
) -> Ints | None:
    """Draw the chips of a filter; the places it lists, or None where it is said why there are none.

    With `order` there is a chip for the order too.
    """
    tell_refusal()
    condition_chips(place, listing, wanted, names, order=order)
    searches_at_work(listing)
    try:
        found = matching(listing, wanted)
    except IvanError as error:
        say_why(listing, wanted, error)
        return None
    not_known(listing, wanted, names)
    return found


def condition_chips(
    place: Place, listing: Listing, wanted: Filter, names: Names, *, order: bool = False
) -> None:
    """One button a condition, which takes it away, and one that adds a condition.

    With `order` there is a chip for the order too.
    """
    held = wanted.chips(names)
    if order and wanted.sort is not None and wanted.sorts:
        held.append(Chip(_ORDER, wanted.sort.words(names), _ORDER))
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"{place.keys}chips"
    ):
        for chip in held:
            st.button(
                f"{md_escape(chip.label)} ✕",
                key=f"{place.keys}chip-{chip.name}",
                on_click=place.remove,
                args=(chip.key,),
                help="Take this condition away",
            )
        if len(held) > 1:
            st.button(
                place.everything,
                key=f"{place.keys}chips-clear",
                type="tertiary",
                on_click=place.clear,
            )
        _add(place, listing)


def not_known(listing: Listing, wanted: Filter, names: Names) -> None:
    """Of how many rows nobody knows whether a condition holds: they are not listed."""
    n, what = len(listing.rows), "pairs" if listing.rejected is None else "texts"
    for condition, count in without_value(listing, wanted.conditions):
        told = f"{count:,} of {n:,} {what} have no value for “{condition.words(names)}”"
        say(f"{told}, and are not listed.", "small", quiet=True)


def _add(place: Place, listing: Listing) -> None:
    """A condition to choose, in a few picks; options are read when it is opened."""
    key = f"{place.keys}add-{st.session_state.get(_ADDED, 0)}"
    folded = st.popover("Add a condition", key=key, on_change="rerun")
    if folded.open:
        with folded:
            _choose(place, listing, key)


def _choose(place: Place, listing: Listing, key: str) -> None:
    found = offered(listing, place.language)
    if only_reads():  # a search of all texts is begun for nobody
        found = {name: one for name, one in found.items() if one.offer.condition is not TextHas}
    title = st.selectbox(
        "What", list(found), index=None, key=f"{key}-what", placeholder="choose what to ask for"
    )
    if title is None:
        return
    asked, run = found[title], ""
    if asked.runs:
        run = next(iter(asked.runs))
        if len(asked.runs) > 1:
            run = (
                st.selectbox(
                    "Of",
                    list(asked.runs),
                    key=f"{key}-{title}-run",
                    format_func=asked.runs.__getitem__,
                )
                or run
            )
        elif run != listing.run_id:
            say(f"Of {asked.runs[run]}.", "small", quiet=True)
    try:
        picks = _picks(asked.asked_of(listing, run), asked, f"{key}-{title}-{run}")
    except IvanError as error:
        say(in_one(error.message, error.hint), "small")
        return
    st.button(
        "Add",
        key=f"{key}-go",
        type="primary",
        on_click=_added,
        args=(place, listing, asked, run, picks),
    )


def _picks(asked_of: Listing, asked: Offered, key: str) -> dict[str, Any]:
    """What is chosen, field by field; what depends on an earlier choice follows it."""
    picks: dict[str, Any] = {}
    for choice in asked.offer.choices:
        name = f"{key}-{choice.field}"
        if choice.options is not None:
            options = dict(choice.options(asked_of, picks))
            if options:
                name += f"-{hash(tuple(options))}"
                picks[choice.field] = st.selectbox(
                    choice.title, list(options), key=name, format_func=options.__getitem__
                )
        elif choice.kind == "text":
            typed = st.text_input(choice.title, key=name, max_chars=200)
            picks[choice.field] = (typed or "").strip()
        else:
            picks[choice.field] = st.number_input(
                choice.title, value=None, step=0.1, key=name, placeholder="any"
            )
    return picks


@kindly
def _added(place: Place, listing: Listing, asked: Offered, run: str, picks: dict[str, Any]) -> None:
    condition = asked.condition(listing, place.language, run, picks)
    if isinstance(condition, TextHas):
        start_search(listing.dataset.fingerprint, condition)
    place.show(place.asked().add(condition))
    st.session_state[_ADDED] = st.session_state.get(_ADDED, 0) + 1
