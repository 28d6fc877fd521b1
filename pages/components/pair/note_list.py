"""What people noted on the rows of a dataset: newest first, by author, taken away as CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from ivan_core.domain.reviews import Mark
from ivan_core.experiments.compare.results import Results
from ivan_core.review.marks import notes_csv, reviews
from pages.components.compare.table import open_pair
from pages.components.kit.frame import problems_shown
from pages.components.kit.list import SELECTS, opened_row
from pages.components.kit.text import say

_SHOWN = 500


def note_list(results: Results) -> None:
    """Every note and star of the dataset, folded; nothing where there is none."""
    dataset = results.dataset.fingerprint
    marks = reviews().latest(dataset, None)
    if not marks:
        return
    with st.expander(f"Notes and stars ({len(marks):,})"), problems_shown():
        authors = sorted({mark.author for mark in marks})
        author = None
        if len(authors) > 1:
            author = st.selectbox(
                "By", authors, index=None, placeholder="everyone", key="notes-by", width=320
            )
        _table(results, [mark for mark in marks if author in (None, mark.author)])
        with st.container(horizontal=True):
            for label, name, spreadsheet in (
                ("CSV, verbatim", "notes.csv", False),
                ("CSV for spreadsheets", "notes-for-spreadsheets.csv", True),
            ):
                st.download_button(
                    label,
                    _maker(dataset, author, spreadsheet),
                    f"{results.run.id}-{name}",
                    key=f"notes-{spreadsheet}",
                    on_click="ignore",
                )


def _maker(dataset: str, author: str | None, spreadsheet: bool) -> Callable[[], bytes]:
    return lambda: notes_csv(dataset, author, spreadsheet=spreadsheet)


def _table(results: Results, marks: list[Mark]) -> None:
    shown = marks[:_SHOWN]
    event = st.dataframe(
        [_row(mark) for mark in shown],
        hide_index=True,
        on_select="rerun",
        selection_mode=SELECTS if len(marks) > _SHOWN else ["single-row", "single-cell"],
        # A selection is a position: with another note on top it would mean another row.
        key=f"notes-{len(marks)}-{shown[0].saved}-{shown[0].row_id}",
        column_config={
            "Row": st.column_config.NumberColumn("Row", format="%d", width=60),
            "Star": st.column_config.TextColumn("Star", width=50),
            "Note": st.column_config.TextColumn("Note", width="large"),
            "By": st.column_config.TextColumn("By", width=150),
            "Saved": st.column_config.DatetimeColumn("Saved", format="distance", width=130),
        },
        alt="Notes and stars, newest first; select one to read its pair",
    )
    more = f" The newest {_SHOWN:,} of {len(marks):,} are shown." if len(marks) > _SHOWN else ""
    say(
        f"Newest first, on any row of the dataset. Click one to read its pair.{more}",
        "small",
        quiet=True,
    )
    picked = opened_row(event.selection, "Row")
    if picked is None or picked >= len(shown):
        return
    row_id = shown[picked].row_id
    if row_id in set(results.row_ids):
        open_pair(results, row_id)
    say(f"This run has not judged row {row_id:,}.")


def _row(mark: Mark) -> dict[str, object]:
    return {
        "Row": mark.row_id,
        "Star": "★" if mark.starred else "",
        "Note": mark.note,
        "By": mark.author,
        "Saved": datetime.fromtimestamp(mark.saved, UTC),
    }
