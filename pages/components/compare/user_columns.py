"""Columns that people make: a regular expression or an expression, its progress and its chart."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ivan_core.charts.sides import agreement_by_larger_bars, column_sides
from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import Run
from ivan_core.domain.user_columns import LONGEST_EXPRESSION, ColumnSpec, Form, Over
from ivan_core.experiments.columns import results as columns, work as column_work
from ivan_core.experiments.compare.clicks import of_larger, of_value
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.columns import agreement_by_larger, column_bins, sides_sentence
from pages.components.compare.filtering import clickable
from pages.components.kit.figure import figure_menu
from pages.components.kit.live import bar, cancel_button
from pages.components.kit.redrawn import redrawn
from pages.components.kit.results import fold, one_of
from pages.components.kit.state import SHOWN, dark, write_query
from pages.components.kit.text import say, say_with_hint
from pages.components.public.reading import only_reads

_FORMS: dict[str, Form] = {"regular expression": "regex", "expression": "expression"}
_EXAMPLES = {
    "regex": r"Counts the matches, for example \bsorry\b or (?i)as an ai",
    "expression": 'Gives a number, for example len(reply) or count(lower(reply), "sorry")',
}
_OVERS: dict[str, Over] = {"the last reply": "reply", "the whole text": "text"}
_ASKED = "column-asked"
_PICKED = "column-show"


def user_columns(results: Results) -> None:
    """Make a column of the dataset, follow its worker, and draw one that is there."""
    dataset = results.dataset.fingerprint
    if not only_reads():
        fold("Make a column", "column-new", partial(_form, dataset))
    _progress(dataset)
    shown = _pick(columns.known(dataset))
    if shown is not None:
        _draw(results, shown)


def _form(dataset: str) -> None:
    """Ask for a column; what is wrong with it is said here, before any worker starts."""
    kind = one_of("Kind of column", list(_FORMS), "column-kind")
    form = _FORMS[kind]
    over: Over = "reply"
    with st.form("column-form", border=False):
        text = st.text_input(kind.capitalize(), key=f"column-{form}", max_chars=LONGEST_EXPRESSION)
        say(_EXAMPLES[form], "small", quiet=True)
        if form == "regex":
            over = _OVERS[st.selectbox("Looks at", list(_OVERS), key="column-over", width=240)]
        made = st.form_submit_button("Make the column", key="column-make")
    if not made:
        return
    try:
        spec = column_work.column_spec(dataset, form, text, over)
        column_work.start(spec)
    except IvanError as error:
        _problem(error.message, error.hint)
        return
    st.session_state[_ASKED] = spec
    write_query({SHOWN: spec.id})
    st.rerun()


def _progress(dataset: str) -> None:
    """How far the workers of columns are, or why the column asked for here came to no end."""
    making = _making(dataset)
    if making:
        redrawn(_follow, every=0.5)(dataset, list(making))
    asked = st.session_state.get(_ASKED)
    if not isinstance(asked, ColumnSpec) or asked.dataset != dataset or columns.is_known(asked):
        return
    run = columns.latest_run(asked)
    if run is not None and run.id not in making:
        reason = run.problem or f"Its run is {run.state}."
        _problem(f"There is no column {asked.label}. {reason}", run.hint or "Make it again.")


def _making(dataset: str) -> dict[str, tuple[Run, ColumnSpec]]:
    """Columns that workers compute now, by the run's id; searches are told beside the rows."""
    found = column_work.at_work(dataset)
    return {run.id: (run, spec) for run, spec in found if spec.form != "search"}


def _follow(dataset: str, followed: list[str]) -> None:
    making = _making(dataset)
    if any(run_id not in making for run_id in followed):
        st.rerun()
    for run, spec in making.values():
        say(f"Making the column {spec.label}: {run.done:,} of {run.total:,} pairs", "small")
        bar(run.done, run.total)
        cancel_button(run.id, f"column-cancel-{run.id}", "Nothing of the column is kept.")


def _pick(known: list[ColumnSpec]) -> ColumnSpec | None:
    """The column to draw: the one just made, or one chosen from those that are there."""
    if not known:
        return None
    specs = {spec.id: spec for spec in known}
    shown = st.query_params.get(SHOWN)
    st.session_state[_PICKED] = shown if shown in specs else None
    labels = [spec.label for spec in known]
    names = {
        spec.id: spec.label if labels.count(spec.label) == 1 else f"{spec.label} ({spec.id[:6]})"
        for spec in known
    }
    # Streamlit lets people clear a choice only where it starts without one.
    picked = st.selectbox(
        "Show a column",
        list(specs),
        index=None,
        placeholder="none",
        width=420,
        format_func=lambda column: names[column],
        key=_PICKED,
        on_change=_show,
    )
    return specs.get(picked) if picked else None


def _show() -> None:
    write_query({SHOWN: st.session_state[_PICKED]})


def _draw(results: Results, spec: ColumnSpec) -> None:
    """The column's values by side, and agreement by which side has more; a click filters."""
    bins, agreement, sentence = _counted(results.run.id, results.run.done, spec.id, results)
    say(f"{spec.label}: {sentence}")
    if bins.empty:
        return
    left, right = st.columns(2)
    with left:
        if clickable(
            column_sides(bins, dark=dark()),
            f"column-{spec.id}",
            "value",
            partial(of_value, spec=spec, bins=bins),
        ):
            figure_menu(results.run.id, "column", column=spec.id)
    with right:
        if clickable(
            agreement_by_larger_bars(agreement, dark=dark()),
            f"column-agreement-{spec.id}",
            "larger",
            partial(of_larger, results, spec=spec, bars=agreement),
        ):
            figure_menu(results.run.id, "column-agreement", column=spec.id)


@st.cache_data(max_entries=16, show_spinner=False)
def _counted(
    run_id: str, done: int, column_id: str, _results: Any
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Bins, agreement and sentence of a column on the rows of a run."""
    column = columns.column(_results.dataset.fingerprint, column_id)
    row_ids = _results.aligned.row_ids
    chosen, rejected = column.chosen[row_ids], column.rejected[row_ids]
    difference = pd.Series(chosen - rejected, index=row_ids)
    return (
        column_bins(chosen, rejected),
        agreement_by_larger(_results.fair, difference),
        sides_sentence(chosen, rejected),
    )


def _problem(message: str, hint: str) -> None:
    """What is wrong, beside the form; `frame.show_error` may be at work elsewhere on the page."""
    with st.container(border=True, key="column-problem"):
        say_with_hint(message, hint)
