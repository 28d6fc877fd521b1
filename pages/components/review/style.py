"""How an invitation looks: calm, large, and with its buttons always in the same place."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.components.kit.keys import presses_once
from pages.components.kit.state import dark

_STYLE = """<style>
[data-testid=stMainBlockContainer] { max-width: 76rem; padding: 1.2rem 1.5rem 11rem; }
[data-testid=stMainBlockContainer] [data-testid=stHtml] { font-size: 1.06rem; }
.st-key-review-narrow { max-width: 44rem; margin: 0 auto; }
.st-key-review-head, .st-key-review-status { flex-wrap: nowrap !important; }
.st-key-review-head > :first-child, .st-key-review-status > :first-child { flex: 1; min-width: 0; }
.st-key-review-head > :last-child { flex: none; }
.st-key-review-status { min-height: 2.6rem; }
.st-key-review-bar {
  position: fixed; left: 0; right: 0; bottom: 0; z-index: 20; padding: .7rem 1rem .6rem;
  background: BACKGROUND; border-top: 1px solid rgba(128,128,128,.35);
}
.st-key-review-bar > * { max-width: 73rem; margin-inline: auto; width: 100%; }
.st-key-review-answers [data-testid=stButton] button { min-height: 3rem; }
@media (max-width: 640px) {
  [data-testid=stMainBlockContainer] { padding: .8rem .8rem 13rem; }
  .st-key-review-status { min-height: 3.2rem; }
  .st-key-review-bar { padding: .5rem .6rem .3rem; }
  .st-key-review-answers { display: grid !important; grid-template-columns: 1fr 1fr; gap: .4rem; }
  .st-key-review-answers > * { width: 100% !important; min-width: 0 !important; }
  .st-key-review-answers [data-testid=stButton] button { min-height: 2.75rem; }
}
</style>"""
_BACKGROUND = {False: "#fcfbf8", True: "#14161b"}
"""Of the page, by whether it is dark: the bar must cover what passes under it."""


def calm() -> None:
    """Put style and keys of an invitation on the page. Both are fixed: no text of data in them."""
    st.html(_STYLE.replace("BACKGROUND", _BACKGROUND[dark()]))
    presses_once()


def progress(done: int, total: int, name: str) -> None:
    """How far somebody is ("7 of 30" and a thin line), and under which name they judge."""
    share = 100 * done / total if total else 100
    told = escape(f"{min(done + 1, total):,} of {total:,}")
    st.html(
        f'<div style="display:flex;align-items:center;gap:.8rem">'
        f'<span style="white-space:nowrap;font-weight:560">{told}</span>'
        f'<div style="flex:1;min-width:4rem;height:6px;border-radius:3px;'
        f'background:rgba(128,128,128,.25)"><div style="width:{share:.1f}%;height:6px;'
        f'border-radius:3px;background:#4a6fd4"></div></div>'
        f'<span style="font-size:.9rem;opacity:.8;overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap;max-width:45%" dir="auto">{escape(name)}</span></div>'
    )
