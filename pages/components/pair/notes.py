"""Star a row and write a note on it; what others wrote stands beside."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from ivan_core.domain.reviews import Mark, MarkConflict
from ivan_core.experiments.compare.results import Results
from ivan_core.review.marks import reviews
from pages.components.kit.frame import problems_shown, show_error
from pages.components.kit.text import say
from pages.components.pair.guess import ask_name, your_name


def notes(results: Results, row_id: int) -> None:
    """Your star and note on a row, and the notes of others."""
    dataset = results.dataset.fingerprint
    said = reviews().marks(dataset, [row_id])
    name = your_name()
    own = reviews().mark(dataset, row_id, name) if name else None
    stars = sum(mark.starred for mark in said)
    title = f"Note and star ({len(said)})" if said else "Note and star"
    # Open where something was said; else the new title after a first save would fold it.
    with st.expander(title, expanded=bool(said)), problems_shown():
        for mark in said:
            if mark.author != name:
                say(f"{'★ ' if mark.starred else ''}{mark.author}: {mark.note}", "small")
        if own is None:
            ask_name()
            return
        key = f"{dataset}-{row_id}-{name}"
        base = _base(key, own)
        starred = st.toggle("Star", base.starred, key=f"star-{key}")
        text = st.text_area("Note", base.note, key=f"note-{key}", max_chars=4000)
        if st.button("Save", key="note-save"):
            try:
                reviews().save(replace(base, starred=starred, note=(text or "").strip()))
            except MarkConflict as conflict:
                # What was typed stays in the field; the next save is made in full knowledge.
                st.session_state[f"base-{key}"] = conflict.current
                show_error(conflict)
                say(f"It now says: {conflict.current.note}", "small")
                return
            st.session_state[f"base-{key}"] = reviews().mark(dataset, row_id, name)
            st.rerun()
        if stars:
            say(f"{stars} starred this row.", "small", quiet=True)


def _base(key: str, saved: Mark) -> Mark:
    """What stood there when the typing began: a later save by others must not replace the words."""
    if f"note-{key}" not in st.session_state:
        st.session_state[f"base-{key}"] = saved
    base: Mark = st.session_state[f"base-{key}"]
    return base
