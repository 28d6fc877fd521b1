"""Handbook: what the pages mean, how to do it elsewhere, and how IVAN is built."""

from __future__ import annotations

import streamlit as st

from pages.components.handbook.chapters import pick, show
from pages.components.kit.frame import frame

_WIDTH = 780
"""Pixels: about a hundred characters a line."""

_NARROW = """<style>.stMarkdown td { min-width: 7rem; }
.stMarkdown td code { overflow-wrap: anywhere; }
.stMarkdown blockquote, .stMarkdown blockquote p {
  color: inherit !important; opacity: 1 !important; }</style>"""
"""Tables name long paths, which else are wider than a phone; a single word is not cut. A quotation
is as dark as other words, since Streamlit's own are too faint on a light page."""

with frame("Handbook"):
    chosen = pick()
    st.html(_NARROW)
    with st.container(width=_WIDTH):
        show(chosen)
