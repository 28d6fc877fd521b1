"""The strip at the foot of the window: which rows a click left, and where they are to be read."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.words import number_of
from ivan_core.lists.conditions import Filter, Ints, Listing, Names
from pages.components.kit.conditions import Place
from pages.components.kit.text import say_with_link

_GO = "go-to-table"


def filter_words(wanted: Filter, names: Names) -> str:
    """The conditions of a filter, else its order, in words; they may hold words of data."""
    told = [chip.label for chip in wanted.chips(names)]
    if not told and wanted.sort is not None and wanted.sorts:
        told = [wanted.sort.words(names)]
    return "; ".join(told)


def strip(
    place: Place,
    listing: Listing,
    wanted: Filter,
    found: Ints,
    names: Names,
    anchor: str,
    read: tuple[str, dict[str, str]] | None,
) -> None:
    """Draw the strip where the filter leaves some rows out, or orders them; else nothing.

    It comes before the table for the keyboard, and stands last on the page for the eye, so that it
    covers nothing once the page is scrolled to its end.

    `anchor` is that of the table, `read` the page and address where its rows are read one by one.
    """
    if not (wanted.conditions or wanted.sorts):
        return
    noun = "pair" if listing.rejected is None else "text"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="strip"):
        told = f"{number_of(len(found), noun)}: {filter_words(wanted, names)}"
        say_with_link(told, "See the table", anchor)
        if read is not None and len(found):
            page, query = read
            st.page_link(page, label=":primary[Read them one by one]", query_params=query)
        st.button(
            "✕", key="strip-close", type="tertiary", help=place.everything, on_click=place.clear
        )


def to_table(page: str, query: dict[str, str]) -> None:
    """Leave for a page of results and look at its table there."""
    st.session_state[_GO] = True
    st.switch_page(page, query_params=query)


_TO_TABLE = """<script>
(() => {
  const go = () => document.getElementById("ANCHOR")?.scrollIntoView();
  // What is drawn above it later would push it out of view again, till somebody moves the page.
  const watcher = new ResizeObserver(go);
  watcher.observe(document.querySelector("[data-testid=stMainBlockContainer]"));
  const stop = () => watcher.disconnect();
  for (const name of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    window.addEventListener(name, stop, { capture: true, once: true });
  }
  setTimeout(stop, 10000);
  go();
})();
</script>"""


def at_table(anchor: str) -> None:
    """Bring the table into view where somebody asked for it on another page.

    The script is fixed but for the anchor, which is one of ours.
    """
    if st.session_state.pop(_GO, False):
        script = _TO_TABLE.replace("ANCHOR", anchor)
        st.html(script, width="content", unsafe_allow_javascript=True)
