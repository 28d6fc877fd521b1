"""A button that leads to another page is one step of the browser's history, as a link is.

Streamlit writes the other page's parameters into the address of this one before it goes there, and
leaves that as a step of its own: Back would lead to this page beside parameters that are not its.
"""

from __future__ import annotations

import streamlit as st

_SCRIPT = """<script>
if (!window.ivanOneStep) {
  window.ivanOneStep = true;
  const push = window.history.pushState.bind(window.history);
  let halfway = false;  // a step within this page, since which nobody has pressed anything
  for (const name of ["pointerdown", "click", "keydown", "popstate"]) {
    window.addEventListener(name, () => { halfway = false; }, true);
  }
  window.history.pushState = (state, title, url) => {
    const to = new URL(url, window.location.href);
    const leaves = to.pathname !== window.location.pathname;
    if (leaves && halfway && to.search === window.location.search) {
      window.history.replaceState(state, title, url);
    } else {
      push(state, title, url);
    }
    halfway = !leaves;
  };
}
</script>"""


def one_step() -> None:
    """Make it so. The script is fixed: no text of data in it."""
    st.html(_SCRIPT, width="content", unsafe_allow_javascript=True)
