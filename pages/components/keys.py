"""Tab leaves a table: Streamlit's own would walk from cell to cell, and each cell opens its row."""

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
