"""The results of a comparison: a sentence, then one chart; other views are tabs."""

from __future__ import annotations

import streamlit as st

from ivan_core.charts.agreement import agreement_bars
from ivan_core.charts.length import length_bars
from ivan_core.charts.rewards import margin_bars, reward_cells
from ivan_core.domain.runs import RunState
from ivan_core.metrics.agreement import by_subset, rows_in_bar
from ivan_core.metrics.bins import margin_histogram, reward_bins, rows_in_cell
from ivan_core.metrics.sentences import counts_sentence, headline, length_sentence
from ivan_core.workspace.commands import compare_command
from ivan_core.workspace.results import Results, files
from pages.components.rows import rows_table
from pages.components.state import dark
from pages.components.text import md_escape, say

_TABS = ("Rewards", "Is it just length?")


def judged(results: Results) -> None:
    """Draw what a comparison found."""
    run, about = results.run, results.dataset.about
    note = ""
    if run.state is not RunState.DONE:
        note = f"Stopped at {run.done:,} of {run.total:,} judgements."
    say(headline(results.summaries, results.dataset.chosen_by, note=note), "headline")
    told = [about["note"], *run.notes, *(counts_sentence(summary) for summary in results.summaries)]
    if run.state is RunState.DONE and run.computed == 0:
        told.append("All rewards were known already: nothing was computed.")
    say(" ".join(part for part in told if part), "small", quiet=True)
    rated = any(summary.counts.rated for summary in results.summaries)
    _rows(results, _charts(results) if rated else None)
    _details(results)


def _charts(results: Results) -> tuple[str, list[int]] | None:
    """Draw the bars and the view that is open; returns what a click asks for."""
    picked = _bars(results)
    tab = st.segmented_control(
        "More views",
        _TABS,
        key="view",
        label_visibility="collapsed",
        required=True,
        default=_TABS[0],
    )
    if tab == _TABS[0]:
        return _rewards(results) or picked
    _length(results)
    return picked


def _bars(results: Results) -> tuple[str, list[int]] | None:
    """Agree, tie and disagree by subset; returns what a click on a bar asks for."""
    chart = agreement_bars(by_subset(results.table), dark=dark())
    event = st.altair_chart(chart, key="bars", on_select="rerun", selection_mode="bar")
    for point in event.selection.get("bar", []):
        model, subset, verdict = str(point["model"]), str(point["subset"]), str(point["verdict"])
        rows = rows_in_bar(results.table, model, subset, verdict)["row_id"]
        where = "all pairs" if subset == "all" else subset
        return f"{model}: {verdict}, {where}", [int(row) for row in rows]
    return None


def _rewards(results: Results) -> tuple[str, list[int]] | None:
    """Rewards of both sides in bins, and margins; returns what a click on a cell asks for."""
    model = results.models[0]
    if len(results.models) > 1:
        model = st.segmented_control(
            "Model",
            results.models,
            key="rewards-model",
            default=model,
            required=True,
            format_func=md_escape,
            label_visibility="collapsed",
        )
    own = results.table[results.table["model"] == model]
    if own["margin"].isna().all():
        say(f"{model} rated nothing.")
        return None
    cells = reward_bins(own)
    left, right = st.columns(2)
    with left:
        event = st.altair_chart(
            reward_cells(cells, dark=dark()),
            key=f"cells-{model}",
            on_select="rerun",
            selection_mode="cell",
        )
    with right:
        st.altair_chart(margin_bars(margin_histogram(own), dark=dark()), key=f"margins-{model}")
    for point in event.selection.get("cell", []):
        found = cells[cells["cell"] == int(point["cell"])]
        if len(found):
            cell = found.iloc[0]
            rows = rows_in_cell(own, cell["x0"], cell["x1"], cell["y0"], cell["y1"])["row_id"]
            name = (
                f"{model}: chosen reward {cell['x0']:.3g} to {cell['x1']:.3g}, "
                f"rejected {cell['y0']:.3g} to {cell['y1']:.3g}"
            )
            return name, [int(row) for row in rows]
    return None


def _length(results: Results) -> None:
    """Agreement where the longer reply was chosen, beside where the shorter was."""
    st.altair_chart(length_bars(results.summaries, dark=dark()), key="length")
    for summary in results.summaries:
        say(length_sentence(summary, results.dataset.chosen_by), "small", quiet=True)


def _rows(results: Results, picked: tuple[str, list[int]] | None) -> None:
    """The rows behind what was clicked, else the models' disagreements or all rows."""
    st.subheader("Rows", anchor=False)
    if picked is not None:
        say(f"Showing {picked[0]}. Click the same mark again to show all.", "small", quiet=True)
        rows_table(results, picked[1], key=f"picked-{hash(picked[0])}")
        return
    views = {"All rows": results.row_ids}
    if len(results.models) > 1:
        views["Models disagree, sharpest first"] = results.sharpest
    shown = st.segmented_control(
        "Which rows",
        list(views),
        key="rows-view",
        default="All rows",
        required=True,
        label_visibility="collapsed",
    )
    rows_table(results, views[shown], key=shown)


def _details(results: Results) -> None:
    """Files to download, the command that reproduces the run, and its manifest."""
    with st.expander("Files, command and settings"):
        command = compare_command(results.spec)
        say("The same from the command line:", "small", quiet=True)
        st.code(command, language=None)
        with st.container(horizontal=True):
            for path in files(results):
                st.download_button(
                    md_escape(path.name),
                    path.read_bytes,
                    path.name,
                    key=f"file-{path.name}",
                    on_click="ignore",
                )
        if results.manifest is not None:
            st.json(results.manifest, expanded=1)
