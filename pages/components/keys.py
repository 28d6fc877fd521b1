"""Keys: Tab leaves a table, where Streamlit's own would walk from cell to cell, and each cell opens
its row; a letter that is held down, or bounces, is pressed once."""

from __future__ import annotations

import streamlit as st

_SCRIPT = """<script>
if (!window.ivanTabLeavesTables) {
  window.ivanTabLeavesTables = true;
  window.addEventListener("keydown", (event) => {
    const inTable = event.target instanceof Element
      && event.target.closest("[data-testid=stDataFrame]");
    if (event.key === "Tab" && inTable) event.stopImmediatePropagation();
  }, true);
}
</script>"""


def tab_leaves_tables() -> None:
    """Let Tab do with tables what it does elsewhere. The script is fixed: no text of data in it."""
    st.html(_SCRIPT, width="content", unsafe_allow_javascript=True)


_ONCE = """<script>
if (!window.ivanPressesOnce) {
  window.ivanPressesOnce = true;
  let last = "", when = -Infinity;
  window.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element
      && event.target.closest("input:not([type=radio],[type=checkbox]), textarea");
    if (typing || !/^[a-z]$/i.test(event.key)) return;
    const again = event.key === last && event.timeStamp - when < 300;
    if (event.repeat || again) event.stopImmediatePropagation();
    if (!event.repeat) { last = event.key; when = event.timeStamp; }
  }, true);
  window.addEventListener("click", (event) => {
    const answers = event.target instanceof Element
      && event.target.closest(".st-key-review-answers, .st-key-review-moves");
    if (answers && event.detail > 1) event.stopImmediatePropagation();
  }, true);
}
</script>"""


def presses_once() -> None:
    """Let a letter held down, or a double click, answer one question and none that comes next."""
    st.html(_ONCE, width="content", unsafe_allow_javascript=True)
