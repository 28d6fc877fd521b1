"""Every run with its name, study and state; one that is ticked can be opened, starred or deleted,
two are set side by side, more in one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import short_names
from ivan_core.engine import archive, handling as runs, studies
from ivan_core.engine.kind import known
from ivan_core.engine.set_beside import beside
from ivan_core.engine.studies import About
from pages.components.kit.frame import problems_shown, tell_refusal
from pages.components.kit.press import in_browser
from pages.components.kit.state import kindly, page_of, write_query
from pages.components.kit.study import newest_studies, study_now
from pages.components.kit.text import in_one, md_escape, say
from pages.components.public.reading import only_reads
from pages.components.runs.manage import manage
from pages.components.runs.several import in_one_table

_SHOWN = 50
_TICKED: tuple[Literal["multi-row", "single-cell"], ...] = ("multi-row", "single-cell")
_Row = dict[str, object]
_ONLY = "only-study"
_BESIDE = "set-beside"
_MAY_BE_EMPTY = ("★", "Problem")
"""Columns that are shown only where one of the runs has something in them."""
_KEPT = "run-kept"
"""The run that stays ticked though its star moved it."""


def _row(run: Run, study: str) -> _Row:
    dataset, _, who = runs.about(run).rpartition(" | ")
    names = who.split(", ")
    short = short_names(names)
    seconds = (run.finished or run.heartbeat or run.created) - (run.started or run.created)
    return {
        "★": "★" if run.starred else "",
        "Run": run.label,
        "Study": study or dataset,
        "What": known(run).listed or "not known",
        "By": ", ".join(short[name] for name in names),
        "State": str(run.state),
        "Done": 100 * run.done / run.total if run.total else 0.0,
        "Started": datetime.fromtimestamp(run.created, UTC),
        "Seconds": round(max(seconds, 0)),
        "Problem": in_browser(run.problem),
    }


def _studies(found: Sequence[Run]) -> dict[str, str]:
    """What the study of each run is called; runs that have read no dataset yet are left out."""
    return {run_id: about.name for run_id, about in studies.abouts_of(found).items()}


def _actions(run: Run, row: _Row) -> None:
    with st.container(horizontal=True, key="actions"):
        whole = run.state is not RunState.DAMAGED
        if whole and st.button("Open", type="primary", key="open"):
            st.switch_page(page_of(run), query_params={"run": run.id})
        if not only_reads():
            _changes(run)
    named = f"{run.name} ({run.id})" if run.name else run.id
    why = in_one(run.problem, run.hint)
    say(f"{named}: {run.state}. {why}".strip(), "small", quiet=True)
    say(_about(row), "small", quiet=True)


def _changes(run: Run) -> None:
    """What goes on with a run, stops it, or moves it in the table."""
    if run.state.resumable and st.button("Resume", key="resume"):
        runs.resume(run.id)
        st.switch_page(page_of(run), query_params={"run": run.id})
    if run.state.live and st.button("Cancel", key="cancel"):
        if runs.get(run.id).state.live:
            runs.stop(run.id)
        st.rerun()
    st.button(
        "Take its star away" if run.starred else "Star",
        key="star",
        icon=":material/star:",
        help="Starred runs stand first.",
        on_click=_star,
        args=(run.id, not run.starred),
    )


def _about(row: _Row) -> str:
    """What a run is, for who sees only the first columns of its row."""
    return " · ".join(str(row[name]) for name in ("What", "Study", "By") if row[name])


@kindly
def _star(run_id: str, starred: bool) -> None:
    archive.star(run_id, starred)
    st.session_state[_KEPT] = run_id


def table_of_runs(polling: bool) -> None:
    """Fifty runs a page, starred ones first; drawn anew as a page when the last one ends."""
    if polling and not runs.live_experiments():
        st.rerun()
    only = _only_study()
    alone = _runs_of(only) if only else []
    total = len(alone) if only else runs.count_experiments()
    page = 1
    if total > _SHOWN:
        turned = f"page-of-{only.id if only else 'runs'}"
        page = st.pagination(-(-total // _SHOWN), key=turned, max_visible_pages=5)
        order = f"{total:,} runs, starred ones first, then the newest, {_SHOWN} a page."
        say(order, "small", quiet=True)
    tell_refusal()
    first = (page - 1) * _SHOWN
    if only:
        _listed(alone[first : first + _SHOWN], total)
    else:
        _listed(runs.experiments(_SHOWN, first, starred_first=True), total)


def _only_study() -> About | None:
    """The study of this page where its runs alone are asked for; the address says so."""
    about = study_now()
    if about is None or len(newest_studies()) < 2:
        return None
    st.session_state[_ONLY] = _ONLY in st.query_params

    def turn() -> None:
        write_query({_ONLY: "1" if st.session_state[_ONLY] else None})

    st.toggle(f"Only the study {md_escape(about.name)}", key=_ONLY, on_change=turn)
    return about if st.session_state[_ONLY] else None


def _runs_of(about: About) -> list[Run]:
    """The runs of a study as they are now, starred ones first."""
    own = {run.id for run in studies.runs_of(about.id)}
    return [run for run in runs.experiments(starred_first=True) if run.id in own]


def _listed(found: list[Run], total: int) -> None:
    if not found:
        say("No runs yet.")
        st.page_link("pages/compare.py", label=":primary[Start a comparison →]")
        return
    named = _studies(found)
    rows = [_row(run, named.get(run.id, "")) for run in found]
    ticked = _ticked(found, rows, sorts=total <= _SHOWN)
    if not ticked:
        what = "open or export it" if only_reads() else "open, name, star, export or delete it"
        told = f"Select a run to {what}; tick two to set them side by side, or comparisons to set"
        say(f"{told} them in one table.", "small", quiet=True)
    elif len(ticked) == 1:
        run = found[ticked[0]]
        _actions(run, rows[ticked[0]])
        manage(run)
    elif len(ticked) == 2:
        side_by_side(*((found[place], rows[place]) for place in ticked))
        ways = [known(found[place]).beside for place in ticked]
        if all(way is not None and way.several is not None for way in ways):
            in_one_table([found[place] for place in ticked])
    else:
        in_one_table([found[place] for place in ticked])


def _ticked(found: Sequence[Run], rows: Sequence[_Row], *, sorts: bool) -> list[int]:
    """Draw the table; the places of the runs that are ticked, or the one that was clicked."""
    order = sha256(" ".join(run.id for run in found).encode()).hexdigest()[:12]
    kept = st.session_state.pop(_KEPT, None)
    empty = [name for name in _MAY_BE_EMPTY if not any(row[name] for row in rows)]
    event = st.dataframe(
        rows,
        column_order=[name for name in rows[0] if name not in empty],
        hide_index=True,
        # A selection is a position: in another order it would mean another run.
        key=f"runs-{order}",
        on_select="rerun",
        # With other runs left out, heads would sort those that are shown alone.
        selection_mode=_TICKED if sorts else [*_TICKED, "single-column"],
        selection_default={
            "selection": {
                "rows": [place for place, run in enumerate(found) if run.id == kept],
                "columns": [],
                "cells": [],
            }
        },
        alt="All runs",
        column_config={
            "★": st.column_config.TextColumn("★", width=32, help="Starred runs stand first."),
            "Run": st.column_config.TextColumn("Run", width=150),
            "Study": st.column_config.TextColumn("Study", width=175),
            "What": st.column_config.TextColumn("What", width=115),
            "By": st.column_config.TextColumn("Models or labeler", width=200),
            "State": st.column_config.TextColumn("State", width=125),
            "Done": st.column_config.ProgressColumn(
                "Done", format="%d%%", min_value=0, max_value=100, width=105
            ),
            "Started": st.column_config.DatetimeColumn("Started", format="distance"),
            "Seconds": st.column_config.NumberColumn("Seconds", format="localized"),
        },
    )
    ticked = list(event.selection.rows) or [cell[0] for cell in event.selection.cells]
    return sorted(place for place in ticked if place < len(found))


def side_by_side(one: tuple[Run, _Row], other: tuple[Run, _Row]) -> None:
    """Two runs on the rows they share, in words, or why there is nothing to say."""
    pair = (one[0].id, other[0].id)
    with st.container(border=True, key="beside"):
        for run, row in (one, other):
            say(f"{run.label}: {_about(row)}", "small")
        st.button("Set side by side", type="primary", key="beside-ask", on_click=_ask, args=(pair,))
        if st.session_state.get(_BESIDE) == pair:
            with problems_shown():
                for line in beside(*pair).splitlines():
                    say(line)


def _ask(pair: tuple[str, str]) -> None:
    st.session_state[_BESIDE] = pair
