"""The rows of a comparison: find, filter by chips, sort, read, take away as a file; and what people
noted on them. A click on a row or note leads to its pair.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from ivan_core.domain.reviews import Mark
from ivan_core.domain.words import short_names
from ivan_core.experiments.columns.conditions import TextHas
from ivan_core.experiments.compare.conditions import Failed, Seen, Truncated, listing
from ivan_core.experiments.compare.report import file_columns
from ivan_core.experiments.compare.results import PARTED, Results, rows_page
from ivan_core.experiments.compare.verdicts import JointIs, ModelsDiffer, VerdictIs
from ivan_core.lists.conditions import Condition, Filter
from ivan_core.lists.pairs import LongerIs, Noted, Starred, SubsetIs
from ivan_core.lists.url import query_of
from ivan_core.metrics.margin_words import ABOUT_MARGINS, MOST_TOLD
from ivan_core.review.marks import notes_csv, reviews
from pages.components.compare.filtering import ROWS, add, current_filter, sort_by_head, sort_control
from pages.components.compare.user_columns import user_columns
from pages.components.kit.conditions import names_on, places_found
from pages.components.kit.frame import problems_shown
from pages.components.kit.keys import heads_sort_no_page, tab_leaves_tables
from pages.components.kit.list import (
    SELECTS,
    Column,
    below_page,
    opened_row,
    page_table,
    pair_by_number,
    turned_to,
)
from pages.components.kit.results import csv_buttons
from pages.components.kit.search import start_search
from pages.components.kit.state import PAIRS, address, kept_filter, kindly
from pages.components.kit.strip import at_table, strip
from pages.components.kit.taking import take_away
from pages.components.kit.text import say

_PARTED = "How many models side with the choice; those that a condition names have a column."
_BOLD = "Words that the other reply has not are bold, unless nearly all are."


def rows_table(
    results: Results, row_ids: list[int], key: str, sort_by: Callable[[str], None]
) -> None:
    """Draw the rows and go to the pair when one is clicked; a clicked head goes to `sort_by`."""
    if not row_ids:
        say("No pairs here.")
        return
    turned = f"page-{key}"
    page = turned_to(len(row_ids), turned)
    models, told_apart = _columns_of(results), len(results.models) <= MOST_TOLD
    table = rows_page(results, row_ids, page, None if told_apart else models)
    columns = {
        "row_id": Column("Pair", "Its number in the dataset; a press sorts all pairs.", sorts=True),
        "subset": Column("Subset"),
        "chosen": Column("Chosen reply", _BOLD),
        "rejected": Column("Rejected reply", _BOLD),
    }
    if not told_apart:
        columns[PARTED] = Column("All models", _PARTED)
    names = short_names(results.models)
    for model in models:
        columns[model] = Column(
            names[model],
            "The verdict, and in typical margins how much more the model likes the chosen reply. "
            f"{ABOUT_MARGINS}",
            sorts=True,
        )
    shown = [int(row_id) for row_id in table["row_id"]]
    picked = page_table(
        table,
        columns,
        key=f"rows-{key}-{page}",
        links=[address(PAIRS, _one_by_one(results, [row_id])) for row_id in shown],
        sort_by=sort_by,
        alt="The pairs of this view; select one to read the pair side by side",
    )
    told = "Click a pair to read it; the head of Pair or of a model sorts all pairs."
    below_page("pair", len(row_ids), page, told, turned)
    if picked is not None:
        open_pair(results, shown[picked])


def _columns_of(results: Results) -> list[str]:
    """The models that have a column: all of a few, of many those that the filter names."""
    if len(results.models) <= MOST_TOLD:
        return list(results.models)
    wanted = current_filter(results)
    items = [*wanted.conditions, *([wanted.sort] if wanted.sort is not None else [])]
    asked = [getattr(item, name, "") for item in items for name in ("model", "other", "of")]
    return [model for model in dict.fromkeys(asked) if model in results.models][:MOST_TOLD]


def open_pair(results: Results, row_id: int) -> None:
    """Leave for the pair; what links carry goes along."""
    st.switch_page(PAIRS, query_params=_one_by_one(results, [row_id]))


def _one_by_one(results: Results, row_ids: list[int]) -> dict[str, str]:
    """What leads to the first of some pairs on Pairs, and from it to others of the filter."""
    run_id = results.run.id
    return {"run": run_id, **kept_filter(run_id), "row": str(row_ids[0])}


_SHOWN = 500


def note_list(results: Results) -> None:
    """Every note and star of the dataset, folded; nothing where there is none."""
    dataset = results.dataset.fingerprint
    marks = reviews().latest(dataset)
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
        csv_buttons(
            f"{results.run.id}-notes",
            "notes",
            lambda spreadsheet: notes_csv(dataset, author, spreadsheet=spreadsheet),
        )


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
            "Pair": st.column_config.NumberColumn("Pair", format="%d", width=60),
            "Star": st.column_config.TextColumn("Star", width=50),
            "Note": st.column_config.TextColumn("Note", width="large"),
            "By": st.column_config.TextColumn("By", width=150),
            "Saved": st.column_config.DatetimeColumn("Saved", format="distance", width=130),
        },
        alt="Notes and stars, newest first; select one to read its pair",
    )
    more = f" The newest {_SHOWN:,} of {len(marks):,} are shown." if len(marks) > _SHOWN else ""
    say(
        f"Newest first, on any pair of the dataset. Click one to read its pair.{more}",
        "small",
        quiet=True,
    )
    tab_leaves_tables()
    heads_sort_no_page()
    picked = opened_row(event.selection, "Pair")
    if picked is None or picked >= len(shown):
        return
    row_id = shown[picked].row_id
    if row_id in set(results.row_ids):
        open_pair(results, row_id)
    say(f"This run has not judged pair {row_id:,}.")


def _row(mark: Mark) -> dict[str, object]:
    return {
        "Pair": mark.row_id,
        "Star": "★" if mark.starred else "",
        "Note": mark.note,
        "By": mark.author,
        "Saved": datetime.fromtimestamp(mark.saved, UTC),
    }


_MOST_QUICK = 12
"""Models, and subsets, whose conditions are listed; a click on a chart reaches all."""


_ANCHOR = "compared-rows"


def found_rows(results: Results) -> None:
    """Draw the rows of the filter in the URL, and the strip that leads to them."""
    user_columns(results)
    st.subheader("Pairs", anchor=_ANCHOR)
    at_table(_ANCHOR)
    row_filter = current_filter(results)
    rows = listing(results)
    names = names_on(rows, row_filter)
    _find(results, row_filter, names)
    found = places_found(ROWS, rows, row_filter, names)
    if found is None:
        return
    row_ids = rows.rows[found].tolist()
    read = (PAIRS, _one_by_one(results, row_ids)) if row_ids else None
    short = names | short_names(results.models)
    strip(ROWS, rows, row_filter, found, short, _ANCHOR, read)
    if row_filter.conditions:
        say("Chosen after looking: rates of these pairs are no evidence.", "small", quiet=True)
    key = str(hash(tuple(sorted(query_of(row_filter).items()))))
    rows_table(results, row_ids, key, partial(sort_by_head, row_filter, tuple(results.models)))
    take_away(rows, row_filter, names, row_ids, lambda: file_columns(results))
    note_list(results)


def _find(results: Results, row_filter: Filter, names: dict[str, str]) -> None:
    """Search, quick conditions, the order and a pair's number, in one line."""
    line = st.container(horizontal=True, key="find-line")
    line.text_input(
        "Find in the texts",
        key="find",
        placeholder="words, then Enter",
        max_chars=200,
        on_change=_search,
        args=(results.dataset.fingerprint,),
    )
    quick = _quick(results)
    picked = line.selectbox(
        "Show only",
        list(quick),
        index=None,
        placeholder="all pairs",
        key=f"quick-{st.session_state.get('quick', 0)}",
    )
    if picked:
        st.session_state["quick"] = st.session_state.get("quick", 0) + 1
        add(quick[picked])
        st.rerun()
    with line:
        sort_control(row_filter, results.models, names)
    asked = pair_by_number(line, results.row_ids)
    if asked is not None:
        open_pair(results, asked)


def _quick(results: Results) -> dict[str, Condition]:
    """Conditions that need no click on a chart, by their words; those that no row meets are out."""
    quick: dict[str, Condition] = {"starred": Starred(), "with a note": Noted()}
    if len(results.models) > 1:
        quick = {"models disagree": ModelsDiffer(), **quick}
    if results.table["failure"].notna().any():
        quick["failed"] = Failed()
    if results.table["chosen_truncated"].any() or results.table["rejected_truncated"].any():
        quick["truncated"] = Truncated()
    more: list[Condition] = []
    if len(results.models) > MOST_TOLD:
        more += [JointIs(by="vote", verdict=verdict) for verdict in ("agree", "tie", "disagree")]
    more += [
        VerdictIs(model=summary.model, verdict=verdict)
        for summary in results.summaries[:_MOST_QUICK]
        for verdict in ("agree", "tie", "disagree")
        if getattr(summary.counts, verdict)
    ]
    if len(results.aligned.subsets) > 1:
        more += [SubsetIs(label=subset) for subset in sorted(results.aligned.subsets)[:_MOST_QUICK]]
    more += [LongerIs(longer="chosen"), LongerIs(longer="rejected")]
    quick |= {condition.words({}): condition for condition in more}
    for summary in results.summaries:
        if summary.seen is not None and summary.unseen is not None:
            quick[f"seen in training by {summary.model}"] = Seen(model=summary.model, seen=True)
            quick[f"not seen in training by {summary.model}"] = Seen(
                model=summary.model, seen=False
            )
    return quick


@kindly
def _search(dataset: str) -> None:
    """Have a worker look for the words, and narrow the rows to them."""
    words = str(st.session_state.get("find", "")).strip()
    if not words:
        return
    st.session_state["find"] = ""
    start_search(dataset, TextHas(text=words))
    add(TextHas(text=words))
