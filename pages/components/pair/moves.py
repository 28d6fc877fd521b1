"""Going from pair to pair: previous, next, the next sharpest disagreement, a row by its number."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import streamlit as st

from ivan_core.experiments.compare.results import Results, open_results
from pages.components.kit.state import chosen_row


def _go(row: int) -> None:
    st.query_params["row"] = str(row)


def step(rows: list[int], current: int, by: int) -> int | None:
    """The row before or after, in the order of the dataset."""
    if current not in rows:  # a link to a row that the run has not
        return None
    place = rows.index(current) + by
    return rows[place] if 0 <= place < len(rows) else None


def nearest(rows: list[int], current: int, wanted: int) -> int:
    """The row asked for; where the run has no such row, the next one in that direction."""
    if wanted > current:
        return rows[min(bisect_left(rows, wanted), len(rows) - 1)]
    return rows[max(bisect_right(rows, wanted) - 1, 0)]


def next_sharpest(results: Results, current: int) -> int | None:
    """The next sharpest disagreement between models; the sharpest when the current row is none."""
    sharpest = results.sharpest
    if not sharpest:
        return None
    if current not in sharpest:
        return sharpest[0]
    return sharpest[(sharpest.index(current) + 1) % len(sharpest)]


def _target(results: Results, row: int, key: str) -> int | None:
    """Where a key leads from a row."""
    if key == "d":
        return next_sharpest(results, row)
    return step(results.row_ids, row, 1 if key == "j" else -1)


def _move(run_id: str, key: str) -> None:
    """Go on from the row in the URL: a second press may come before the page has followed."""
    results, row = open_results(run_id), chosen_row()
    target = _target(results, results.row_ids[0] if row is None else row, key)
    if target is not None:
        _go(target)


def moves(results: Results, row: int) -> None:
    """Buttons and keys to the neighbours, and a row by its number."""
    rows = results.row_ids
    sharpest = "The pair on which the models disagree most; again for the next one"
    offered = (
        ("Previous", "k", "Previous row"),
        ("Next", "j", "Next row"),
        ("Sharpest disagreement", "d", sharpest),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="moves"):
        for label, key, about in offered:
            st.button(
                label,
                shortcut=key,
                key=f"move-{key}",
                disabled=_target(results, row, key) is None,
                help=about,
                on_click=_move,
                args=(results.run.id, key),
            )
        chosen = st.number_input(
            "Row",
            rows[0],
            rows[-1],
            row,
            key=f"row-{row}",
            label_visibility="collapsed",
            width=130,
            help=f"Rows of this run go from {rows[0]} to {rows[-1]}.",
        )
    if chosen != row:
        _go(nearest(rows, row, int(chosen)))
        st.rerun()
