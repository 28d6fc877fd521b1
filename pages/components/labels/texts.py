"""The texts of a labelling: the filter of the URL, its chips, fifty texts a page, one in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ivan_core.charts.palette import Drawing
from ivan_core.domain.errors import IvanError
from ivan_core.domain.labels import TextKey
from ivan_core.experiments.labels import numbers as label_numbers
from ivan_core.experiments.labels.conditions import LANGUAGE, LabelIs, OnPairs, label_name, listing
from ivan_core.experiments.labels.report import file_columns
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.labels.reconcile import USABLE
from ivan_core.lists.conditions import Condition, Filter
from ivan_core.lists.url import query_of
from pages.components.kit.conditions import Place, fitting_filter, names_on, places_found
from pages.components.kit.frame import show_error
from pages.components.kit.list import Column, below_page, head_of_item, page_table, turned_to
from pages.components.kit.results import Point, clicked_chart
from pages.components.kit.state import PAIRS, TAXONOMY, address, write_query
from pages.components.kit.strip import at_table, strip
from pages.components.kit.taking import take_away
from pages.components.kit.text import say, show_part
from pages.components.pair.labels import why
from pages.components.pair.replies import show_text
from pages.components.pair.walk import one_by_one

TEXT = "text"
"""The text that is read in place, as ROW.SIDE."""
_CLICKS = "label-clicks"
_ANCHOR = "labelled-texts"
_LONG = 1_500
"""From so many characters on a text is scrolled."""


TEXTS = Place(LANGUAGE, "text-", _CLICKS, "Show all texts", TEXT)


def show_texts(*conditions: Condition) -> None:
    """List the texts that meet conditions, and no others."""
    TEXTS.show(Filter(LANGUAGE, conditions))


def marks(chart: Drawing, name: str, selection: str, click: Callable[[Point], None]) -> bool:
    """Draw a chart; what a clicked mark holds goes to `click`. Returns whether there is one."""
    return clicked_chart(chart, name, selection, _CLICKS, click)


def listed_below(mark: str) -> None:
    """What a click on a mark does."""
    say(f"A click on a {mark} lists its texts.", "small", quiet=True)


def label_texts(results: LabelResults) -> None:
    """Draw the texts of the filter in the URL, and the one that is read in place."""
    st.subheader("Texts", anchor=_ANCHOR)
    at_table(_ANCHOR)
    texts = listing(results)
    wanted = fitting_filter(TEXTS, texts)
    names = names_on(texts, wanted)
    found = places_found(TEXTS, texts, wanted, names)
    if found is None:
        return
    query = one_by_one(texts, wanted) if wanted.conditions else None
    strip(TEXTS, texts, wanted, found, names, _ANCHOR, None if query is None else (PAIRS, query))
    if not len(found):
        say("No texts here.")
    else:
        _table(results, wanted, found)
        row_ids = texts.rows[found].tolist()
        take_away(texts, wanted, names, row_ids, lambda: file_columns(results))
    _one_text(results)


def _table(results: LabelResults, wanted: Filter, found: Any) -> None:
    shown_as = str(hash(tuple(sorted(query_of(wanted).items()))))
    turned = f"texts-page-{shown_as}"
    page = turned_to(len(found), turned)
    labels = [one.label for one in wanted.conditions if isinstance(one, LabelIs | OnPairs)]
    table = label_numbers.texts_page(results, found, page, *labels[:1])
    unusable = ~table["state"].isin(USABLE)
    # Texts without labels show what is wrong with them, the others their labels.
    hidden = list(results.keys) if unusable.all() else ["problem"]
    table = table.drop(columns=hidden)
    if table["state"].eq("valid").all():
        table = table.drop(columns="state")
    bold = "Words that the other reply of the pair has not are bold, unless nearly all are."
    columns = {
        "row_id": Column("Pair"),
        "side": Column("Side"),
        "state": Column("State"),
        "reply": Column("Last reply", bold),
        "problem": Column("What is wrong"),
    } | {key: Column(label_name(key), key) for key in results.keys}
    items = [f"{row.row_id}.{row.side}" for row in table[["row_id", "side"]].itertuples()]
    query = st.query_params.to_dict()

    def read(place: int) -> None:
        write_query({TEXT: items[place]})

    page_table(
        table,
        columns,
        key=f"texts-{shown_as}-{page}",
        links=[address(TAXONOMY, query | {TEXT: item}) for item in items],
        read=read,
        alt="The texts of this view with their labels; select one to read it",
    )
    below_page("text", len(found), page, "Click one to read it.", turned)


def _one_text(results: LabelResults) -> None:
    """The text that the URL names, with what its labeler answered and what is wrong with it."""
    asked = TextKey.from_custom_id(st.query_params.get(TEXT))
    if asked is None:
        return
    with st.container(border=True, key="one-text"):
        title = f"Pair {asked.row_id:,}, the {asked.preference} reply"
        head_of_item(title, asked.row_id, results.content, "text", TEXT)
        try:
            one = label_numbers.labelled_text(results, asked)
        except IvanError as error:
            show_error(error)
            return
        _what_came(label_numbers.named(results), one)
        if results.rule_based:
            why(results.run.id, results.labeler, {asked.preference: one.text}, results.keys)
        with st.container(height=360 if len(one.printed) > _LONG else "content", key="text-itself"):
            show_text(one.printed.strip(), "labelled")


def _what_came(labeler: str, one: label_numbers.LabelledText) -> None:
    """The state of a text; its labels, or the reply as it came and what is wrong with it."""
    say(f"{labeler}: {one.status}.", "small", quiet=True)
    for problem in one.problems:
        found = (
            f" It says: {problem.found}" if problem.found and problem.found not in one.raw else ""
        )
        name = f"{label_numbers.TITLES.get(problem.key, problem.key)}: " if problem.key else ""
        say(f"{name}{problem.message}{found}", "small")
    for fix in one.fixes:
        name = f"{label_numbers.TITLES.get(fix.key, fix.key)}: " if fix.key else ""
        say(f"{name}{fix.rule}; before {fix.before}, after {fix.after}", "small")
    if one.status in USABLE:
        told = [
            f"{label_numbers.TITLES[key]}: {label_numbers.in_words(label)}"
            for key, label in one.labels.items()
        ]
        say(" · ".join(told), "small")
    if one.raw:
        say("The reply as it came:", "small", quiet=True)
        show_part(one.raw, "raw", lambda part: st.code(part, language=None, wrap_lines=True))
