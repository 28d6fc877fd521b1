"""Every run with its state; one that is selected can be opened, resumed or cancelled."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import alike, known
from pages.components.kit.frame import problems_shown
from pages.components.kit.list import SELECTS
from pages.components.kit.press import in_browser
from pages.components.kit.state import page_of
from pages.components.kit.text import in_one, say
from pages.components.runs.manage import manage

_SHOWN = 50
_BESIDE = 51
"""How many of the newest finished runs are offered to be set beside another, itself included."""


def _row(run: Run) -> dict[str, object]:
    dataset, _, who = runs.about(run).rpartition(" | ")
    seconds = (run.finished or run.heartbeat or run.created) - (run.started or run.created)
    return {
        "Run": run.label,
        "What": known(run).listed or "not known",
        "State": str(run.state),
        "Dataset": dataset,
        "By": who,
        "Done": 100 * run.done / run.total if run.total else 0.0,
        "Started": datetime.fromtimestamp(run.created, UTC),
        "Seconds": round(max(seconds, 0)),
        "Problem": in_browser(run.problem),
    }


def _actions(run: Run) -> None:
    with st.container(horizontal=True, key="actions"):
        whole = run.state is not RunState.DAMAGED
        if whole and st.button("Open", type="primary", key="open"):
            st.switch_page(page_of(run), query_params={"run": run.id})
        if run.state.resumable and st.button("Resume", key="resume"):
            runs.resume(run.id)
            st.switch_page(page_of(run), query_params={"run": run.id})
        if run.state.live and st.button("Cancel", key="cancel"):
            if runs.get(run.id).state.live:
                runs.stop(run.id)
            st.rerun()
    why = in_one(run.problem, run.hint)
    say(f"{run.id}: {run.state}. {why}".strip(), "small", quiet=True)


def table_of_runs(polling: bool) -> None:
    """Fifty runs a page, newest first; the whole page is drawn anew when the last one ends."""
    if polling and not runs.live_experiments():
        st.rerun()
    with problems_shown():
        total = runs.count_experiments()
        page = 1
        if total > _SHOWN:
            page = st.pagination(-(-total // _SHOWN), key="page-of-runs", max_visible_pages=5)
            say(f"{total:,} runs, newest first, {_SHOWN} a page.", "small", quiet=True)
        _listed(runs.experiments(_SHOWN, (page - 1) * _SHOWN))


def _listed(found: list[Run]) -> None:
    if not found:
        say("No runs yet.")
        st.page_link("pages/compare.py", label=":primary[Start a comparison →]")
        return
    event = st.dataframe(
        [_row(run) for run in found],
        hide_index=True,
        # A selection is a position: with another run on top it would mean another run.
        key=f"runs-{found[0].id}-{len(found)}",
        on_select="rerun",
        # With older runs left out, heads would sort the newest ones alone.
        selection_mode=SELECTS if len(found) == _SHOWN else ["single-row", "single-cell"],
        alt="All runs; select one to open, resume, cancel, rename or delete it",
        column_config={
            "Dataset": st.column_config.TextColumn("Dataset", width=170),
            "By": st.column_config.TextColumn("Models or labeler", width=260),
            "Done": st.column_config.ProgressColumn(
                "Done", format="%d%%", min_value=0, max_value=100, width=140
            ),
            "Started": st.column_config.DatetimeColumn("Started", format="distance"),
            "Seconds": st.column_config.NumberColumn("Seconds", format="%d"),
        },
    )
    picked = [*event.selection.rows, *(cell[0] for cell in event.selection.cells)]
    if picked and picked[0] < len(found):
        _actions(found[picked[0]])
        run = found[picked[0]]
        kinds = alike(run.kind)
        manage(run, [other for kind in kinds for other in runs.newest_done(kind, _BESIDE)])
    else:
        say("Select a run to open, resume or cancel it.", "small", quiet=True)
