"""Keys: Tab leaves a table, where Streamlit's own would walk from cell to cell, and each cell opens
its row; a letter that is held down, or bounces, is pressed once; what has just been painted cannot
have been read, so no press answers it; where fingers press, a card is its button."""

from __future__ import annotations

import streamlit as st

UNREAD_SECONDS = 0.5
"""Within this time nobody has read what has just come up: a press then was meant for what was there
before, as the second half of a slow double click is."""
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


_HEADS = """<style>
[data-testid=stDataFrameColumnMenu] [role=menu] > :is(:nth-child(2), :nth-child(3), :nth-child(4)) {
  display: none;
}
</style>"""
"""The two lines of a head's menu that sort, and the rule below them."""


def heads_sort_no_page() -> None:
    """Take from the menus of heads what would sort the rows that are shown, and not all of them."""
    st.html(_HEADS, width="content")


_ONCE = """<script>
if (!window.ivanPressesOnce) {
  window.ivanPressesOnce = true;
  const unread = UNREAD;  // milliseconds after the paint within which nobody has read an item
  let item = "", painted = Infinity;
  const look = () => {
    const found = [...document.querySelectorAll("[class*=st-key-answer-], [class*=st-key-stop-]")];
    const named = found.map((one) => [...one.classList].find((name) => name.startsWith("st-key-")));
    const now = named.join(" ");
    const between = !found.length && !document.querySelector(".st-key-review-narrow");
    if (now === item || between) return;  // while it is redrawn, nothing may be on the page
    item = now;
    painted = Infinity;
    delete document.documentElement.dataset.ivanTakes;
    if (found.length) document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 });
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (item !== now) return;
      painted = performance.now();
      setTimeout(() => {
        if (item === now) document.documentElement.dataset.ivanTakes = named[named.length - 1];
      }, unread + 20);
    }));
  };
  new MutationObserver(look).observe(document.body, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["class"],
  });
  look();
  const ANSWERS = ".st-key-review-bar, .st-key-review-keep, [class*=st-key-choose-]";
  // The button of a card that was tapped; a mouse marks words there, and has the button itself.
  const cardUnder = (target) => {
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) return null;
    if (target.closest("button, a, summary, input, textarea")) return null;
    if (String(getSelection())) return null;  // words are marked, to be copied or looked up
    return target.closest("[class*=st-key-side-]")?.querySelector("[class*=st-key-choose-] button");
  };
  const tooSoon = (event) => item !== "" && event.timeStamp - painted < unread;
  const refuse = (event) => { event.stopImmediatePropagation(); event.preventDefault(); };
  let last = "", when = -Infinity;
  window.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element
      && event.target.closest("input:not([type=radio],[type=checkbox]), textarea");
    if (typing || !/^([a-z0-9]|Enter| )$/i.test(event.key)) return;
    if (tooSoon(event)) return refuse(event);
    if (!/^[a-z]$/i.test(event.key)) return;
    const again = event.key === last && event.timeStamp - when < 300;
    if (event.repeat || again) event.stopImmediatePropagation();
    if (!event.repeat) { last = event.key; when = event.timeStamp; }
  }, true);
  window.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const card = cardUnder(event.target);
    const answers = card || event.target.closest(ANSWERS);
    const asks = event.target.closest(".st-key-review-questions");
    if ((answers || asks) && tooSoon(event)) return refuse(event);
    if (answers && event.detail > 1) return event.stopImmediatePropagation();
    card?.click();
  }, true);
}
</script>""".replace("UNREAD", str(round(UNREAD_SECONDS * 1000)))


def presses_once() -> None:
    """Let a letter held down, or a double click, answer one question and none that comes next.

    For half a second after an item was painted no press is taken; then the page's root element says
    in `data-ivan-takes` which item is open to answers. Each item is shown from its top. Where
    fingers press and no mouse points, a tap on a card (`side-…`) presses the button in it
    (`choose-…`).
    """
    st.html(_ONCE, width="content", unsafe_allow_javascript=True)
