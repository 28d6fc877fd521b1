"""What the browser's tab says: the page's title, and how far its run is while one is at work."""

from __future__ import annotations

import streamlit as st

_TITLE, _FAR = "tab-title", "tab-progress"


def name_tab(title: str) -> str:
    """Call the tab as the page is called; returns the progress that it told before.

    That stays until the page has drawn its run or none, so that the tab does not flicker.
    """
    state = st.session_state
    before = str(state.pop(_FAR, "")) if state.get(_TITLE) == title else ""
    state[_TITLE] = title
    st.set_page_config(page_title=before or _named(title), page_icon="⚖️", layout="wide")
    return before


def settle_tab(before: str) -> None:
    """Take the progress away that the tab told before, where no run is at work any more."""
    if before and _FAR not in st.session_state:
        st.set_page_config(page_title=_named(st.session_state[_TITLE]))


def tell_progress(done: int, total: int, of: str = "") -> None:
    """Say in the tab how far the page's run is; in fragments too. Nothing while nobody knows.

    `of` says what is done, where the page's own title does not.
    """
    title = st.session_state.get(_TITLE, "")
    far = f"({min(100 * done // total, 100)}%) {_named(of or title)}" if total else ""
    if st.session_state.get(_FAR) != far:
        st.session_state[_FAR] = far
        st.set_page_config(page_title=far or _named(title))


def _named(title: str) -> str:
    return f"{title} · IVAN" if title not in ("", "Home") else "IVAN"
