"""A press that changes the address is one step of the browser's history, whatever was pressed.

Streamlit does less in two places. A link to the page that one is on changes what is drawn and not
the address: a reload, and the next press too, would bring back what was there before. And before a
button leads to another page that page's parameters are written into the address of this one, as a
step of its own: Back would lead to this page beside parameters that are not its.
"""

from __future__ import annotations

import streamlit as st

_DRAWN, _WRITTEN = "address-drawn", "address-written"
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


def one_step(drawn: str) -> None:
    """Let a button that leads to another page be one step. The script is fixed: no data in it.

    It comes along with what is `drawn`, some HTML without data in it either.
    """
    st.html(drawn + _SCRIPT, width="content", unsafe_allow_javascript=True)


def write_address(query: dict[str, str]) -> None:
    """Give the page another address: one step of the browser's history."""
    st.query_params.from_dict(query)
    st.session_state[_WRITTEN] = query


def follow_link(page: str) -> None:
    """Write the address of a link that was pressed on the page it leads to.

    Where the address has changed otherwise, the browser knows it, and nothing happens.
    """
    now = (page, st.query_params.to_dict())
    before = st.session_state.get(_DRAWN, now)
    st.session_state[_DRAWN] = now
    written = st.session_state.pop(_WRITTEN, None)
    if before != now and before[0] == page and now[1] != written:
        st.query_params.from_dict(now[1])
