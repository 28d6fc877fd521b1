"""From pair to pair: the neighbours of a row, the next sharpest disagreement, a row by its number.

Where the address holds a filter, all of it stays within the pairs that the filter lists.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.words import number_of, short_names
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.lists.conditions import Filter, Ints, Listing, fitting, matching, matching_rows
from ivan_core.lists.others import asked_elsewhere, on_pairs
from ivan_core.lists.url import query_of
from pages.components.compare.filtering import ROWS, current_filter
from pages.components.kit.conditions import names_on
from pages.components.kit.search import say_why, searches_at_work
from pages.components.kit.state import COMPARE, chosen_row, kept_filter, page_of, write_query
from pages.components.kit.strip import filter_words, to_table
from pages.components.kit.text import say

_MOST_OPENED = 4
"""Comparisons that are looked at for some pairs: so many stay open."""


@dataclass(frozen=True)
class Walk:
    """The rows that one walks through; `words` say which they are, where they are not all."""

    rows: Sequence[int]
    words: str = ""

    def step(self, current: int, by: int) -> int | None:
        """The row before or after; from a row that is not among them, the first."""
        if current not in self.rows:
            return self.rows[0] if by > 0 and self.words and self.rows else None
        place = self.rows.index(current) + by
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def next_sharpest(self, sharpest: Sequence[int], current: int) -> int | None:
        """The next sharpest disagreement among them; the sharpest when the current row is none."""
        if self.words:
            among = set(self.rows)
            sharpest = [row for row in sharpest if row in among]
        if not sharpest:
            return None
        if current not in sharpest:
            return sharpest[0]
        return sharpest[(sharpest.index(current) + 1) % len(sharpest)]

    def target(self, results: Results, row: int, key: str) -> int | None:
        """Where a key leads from a row."""
        if key == "d":
            return self.next_sharpest(results.sharpest, row)
        return self.step(row, 1 if key == "j" else -1)


def nearest(rows: Sequence[int], current: int, wanted: int) -> int:
    """The row asked for; where the run has no such row, the next one in that direction."""
    if wanted > current:
        return rows[min(bisect_left(rows, wanted), len(rows) - 1)]
    return rows[max(bisect_right(rows, wanted) - 1, 0)]


def walk_of(results: Results) -> Walk:
    """What the filter of the address lists, in its order; all rows where it asks for nothing."""
    rows = listing(results)
    wanted, _ = fitting(rows, ROWS.asked())
    if not (wanted.conditions or wanted.sorts):
        return Walk(results.row_ids)
    try:
        found = matching_rows(rows, wanted)
    except IvanError:  # a search that is not done; the page says so
        return Walk(results.row_ids)
    return Walk(found, _words(results, rows, wanted))


def _words(results: Results, rows: Listing, wanted: Filter) -> str:
    names = names_on(rows, wanted) | short_names(results.models)
    return filter_words(wanted, names)


def one_by_one(rows: Listing, wanted: Filter) -> dict[str, str] | None:
    """What leads to Pairs, walking in the pairs that a listing lists, from the first on.

    None where no comparison is of these pairs, or none can be asked for just those.
    """
    found = matching(rows, wanted)
    if not len(found):
        return None
    listed = rows.rows[found]
    comparison = _comparison_of(str(rows.dataset.about["content"]), listed)
    if comparison is None:
        return None
    there = on_pairs(rows, wanted, listing(comparison), LANGUAGE)
    if there is None or not there.conditions:
        return None
    first = int(listed[np.isin(listed, comparison.row_ids)][0])
    return {"run": comparison.run.id, **query_of(there), "row": str(first)}


def _comparison_of(content: str, listed: Ints) -> Results | None:
    """The newest comparison that has all of some rows, of a few; else the one that has most."""
    best, most = None, 0
    for one in islice(open_results.on_pairs(content), _MOST_OPENED):
        there = int(np.isin(listed, one.row_ids).sum())
        if there > most:
            best, most = one, there
        if most == len(listed):
            break
    return best


def tell_walk(results: Results, walk: Walk, row: int, blind: bool) -> None:
    """Which pair of how many this is, and the ways out of the filter; nothing without a filter.

    With `blind` it is not said which pairs they are, for that may tell which reply was chosen.
    """
    rows = listing(results)
    wanted = current_filter(results)
    searches_at_work(rows)
    if (wanted.conditions or wanted.sorts) and not walk.words:
        try:
            matching(rows, wanted)
        except IvanError as error:
            say_why(rows, wanted, error)
    if not walk.words:
        return
    among = f" {number_of(len(walk.rows), 'pair')}"
    of = "" if blind else f": {walk.words}"
    if not walk.rows:
        told = f"No pair meets this filter{of}"
    elif row in walk.rows:
        told = f"{walk.rows.index(row) + 1:,} of {number_of(len(walk.rows), 'pair')}{of}"
    else:
        told = f"Pair {row:,} is none of these{among}{of}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="walk"):
        say(told)
        if st.button("Back to the table", key="walk-table", type="tertiary"):
            to_table(*_table(results, wanted))
        st.button(
            "Leave the filter",
            key="walk-leave",
            type="tertiary",
            on_click=ROWS.clear,
            help="Next, Previous and D then go through all pairs of the run",
        )


def _table(results: Results, wanted: Filter) -> tuple[str, dict[str, str]]:
    """The page and address of the table of these pairs: of the run that was asked, if one was."""
    there = asked_elsewhere(wanted)
    if there is not None:
        run_id, asked = there
        return page_of(runs.get(run_id)), {"run": run_id, **query_of(asked)}
    run_id = results.run.id
    return COMPARE, {"run": run_id, **kept_filter(run_id)}


def _move(run_id: str, key: str) -> None:
    """Go on from the row in the URL: a second press may come before the page has followed.

    From a run that has been deleted meanwhile it leads nowhere; the page says so.
    """
    try:
        results, row = open_results(run_id), chosen_row()
    except IvanError:
        return
    walk = walk_of(results)
    first = walk.rows[0] if walk.rows else results.row_ids[0]
    target = walk.target(results, first if row is None else row, key)
    if target is not None:
        write_query({"row": str(target)})


def moves(results: Results, walk: Walk, row: int) -> None:
    """Buttons and keys to the neighbours, and a row by its number."""
    rows = results.row_ids
    sharpest = "The pair on which the models disagree most; again for the next one"
    offered = (
        ("Previous", "k", "Previous pair"),
        ("Next", "j", "Next pair"),
        ("Sharpest disagreement", "d", sharpest),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="moves"):
        for label, key, about in offered:
            st.button(
                label,
                shortcut=key,
                key=f"move-{key}",
                disabled=walk.target(results, row, key) is None,
                help=about,
                on_click=_move,
                args=(results.run.id, key),
            )
        chosen = st.number_input(
            "Pair",
            rows[0],
            rows[-1],
            row,
            key=f"row-{row}",
            label_visibility="collapsed",
            width=130,
            help=f"Pairs of this run go from {rows[0]} to {rows[-1]}.",
        )
    if chosen != row:
        write_query({"row": str(nearest(rows, row, int(chosen)))})
        st.rerun()
