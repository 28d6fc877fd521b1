"""Finished labels: the line that accounts for every text, then one question at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from ivan_core.charts.annotators import answer_cells
from ivan_core.charts.labels import prevalence_dots, together_squares, word_bars
from ivan_core.experiments.labels import numbers as label_numbers, sentences as label_sentences
from ivan_core.experiments.labels.conditions import (
    AlsoIs,
    LabelIs,
    OnPairs,
    SideIs,
    StateIs,
    label_name,
)
from ivan_core.experiments.labels.figures import label_id
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.labels.reconcile import STATES
from ivan_core.metrics.labels.answers import LIST_KEYS, NO, SENTIMENT, YES
from ivan_core.models.names import reader_note
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import (
    Point,
    file_buttons,
    fold,
    one_of,
    one_question,
    quotable,
    word,
)
from pages.components.kit.sent_page import page_to_send
from pages.components.kit.state import dark, write_query
from pages.components.kit.text import say
from pages.components.labels.agreement import do_they_agree
from pages.components.labels.texts import label_texts, listed_below, marks, show_texts

FEATURE = "feature"
"""The label whose sides are shown, as KEY or KEY:VALUE."""
_WIDEST = 10
"""Labels that are drawn before all are asked for."""
_STANDING = {
    (YES, YES): "both",
    (YES, NO): "chosen_only",
    (NO, YES): "rejected_only",
    (NO, NO): "neither",
}


def label_results(run_id: str) -> None:
    """Draw what a finished labelling found."""
    results = open_labels(run_id)
    usable = results.counts["valid"] + results.counts["repaired"]
    texts = f"{usable:,} of {results.counts['submitted']:,} texts"
    named = label_numbers.named(results)
    headline = f"{named[0].upper()}{named[1:]} of" if results.authored else f"{named} labelled"
    say(f"{headline} {texts}.", "headline")
    _line(results)
    notes = (note for note in results.run.notes if not note.startswith(results.line))
    told = [results.dataset.about["note"], *notes, results.reused_words]
    told += [reader_note(results.labeler)]
    if any(told):
        say(" ".join(part for part in told if part), "small", quiet=True)
    if usable:
        _tabs(results)
    label_texts(results)
    quotable(results.run.id)
    page_to_send(results.run, "labels-page")
    _files(results)


def _line(results: LabelResults) -> None:
    """The reconciliation line; a number that is not 0 opens its texts."""
    counts = results.counts
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="reconciliation"
    ):
        for place, state in enumerate(("submitted", *STATES)):
            if place:
                word("=" if place == 1 else "+")
            if not counts[state]:
                word(f"0 {state}")
                continue
            wanted = () if state == "submitted" else (StateIs(state=state),)
            st.button(
                f"{counts[state]:,} {state}",
                key=f"count-{state}",
                on_click=show_texts,
                args=wanted,
                help="Show these texts",
            )
    beside = [
        f"{counts[name]:,} {words if counts[name] != 1 else one}"
        for name, words, one in (
            ("duplicates", "lines that repeat a text", "line that repeats a text"),
            ("unknown", "lines of texts that were not asked for", "line of a text not asked for"),
            ("damaged", "damaged lines", "damaged line"),
        )
        if counts.get(name)
    ]
    if beside:
        say(f"Beside it: {'; '.join(beside)}.", "small", quiet=True)


def _tabs(results: LabelResults) -> None:
    """Four questions, of which the open one computes."""
    tabs: dict[str, Callable[[LabelResults], None]] = {}
    if label_numbers.single_keys(results.keys):
        tabs["What is more common in chosen replies?"] = _more_common
    if any(key in LIST_KEYS for key in results.keys):
        tabs["What are they about?"] = _about
    if len(label_numbers.single_keys(results.keys)) > 1 and not results.authored:
        tabs["Which labels go together?"] = _together
    tabs["Do labelers agree?"] = do_they_agree
    asked = {name: partial(draw, results) for name, draw in tabs.items()}
    one_question(asked, "label-view")


def _more_common(results: LabelResults) -> None:
    """How often each label is given to either side; one label at a time in four cells."""
    shares, differences = label_numbers.shares(results)
    say(label_sentences.differences_sentence(differences))
    left, right = st.columns([3, 2], gap="large")
    with left:
        shown = _widest(differences)
        if len(shown) < len(differences) and st.toggle(
            f"Show all {len(differences)} labels", key="label-all"
        ):
            shown = differences
        own = shares.merge(shown[["key", "value"]], on=["key", "value"])
        chart = prevalence_dots(own, shown, label_numbers.TITLES, dark=dark())
        if marks(chart, f"label-shares-{results.run.id}", "feature", _open_label):
            figure_menu(results.run.id, "prevalence")
    with right:
        _one_label(results, differences)


def _widest(differences: pd.DataFrame) -> pd.DataFrame:
    """The labels on which the sides differ most, the clear differences before the others."""
    ranked = differences.assign(size=differences["difference"].abs()).sort_values(
        ["clear", "size"], ascending=False, kind="stable"
    )
    return differences.loc[sorted(ranked.index[:_WIDEST])]


def _open_label(point: Point) -> None:
    """Show the four cells of a label, and of which text it is true."""
    key, value = str(point.get("key", "")), str(point.get("value", ""))
    if key:
        write_query({FEATURE: key if value in ("", YES) else f"{key}:{value}"})


def _one_label(results: LabelResults, differences: pd.DataFrame) -> None:
    """One label on the two sides of a pair: a sentence, and four cells that open their texts."""
    rows = differences[["key", "value"]].itertuples(index=False)
    known = {row.key if row.value == YES else f"{row.key}:{row.value}": row for row in rows}
    first = next(iter(known))
    if len(differences) and differences["difference"].notna().any():
        widest = differences.loc[differences["difference"].abs().idxmax()]
        first = list(known)[list(differences.index).index(widest.name)]
    asked = st.query_params.get(FEATURE, "")
    st.session_state["label-feature"] = asked if asked in known else first

    def turn() -> None:
        write_query({FEATURE: st.session_state["label-feature"]})

    picked = st.selectbox(
        "One label on both sides of a pair",
        list(known),
        key="label-feature",
        on_change=turn,
        format_func=lambda name: label_name(known[name].key, known[name].value),
    )
    key, value = known[picked or first]
    say(label_sentences.label_sentence(differences, key, value), "small")
    cells = label_numbers.on_pairs(results, key, value)
    title = f"Pairs by “{label_name(key, value)}”"

    def opened(point: Point) -> None:
        standing = _STANDING.get((str(point.get("left")), str(point.get("right"))))
        if standing:
            show_texts(OnPairs(label=key, value=_value(key, value), pair=standing))

    chart = answer_cells(cells, "chosen", "rejected", title=title, dark=dark())
    if marks(chart, f"label-cells-{results.run.id}-{key}-{value}", "answers", opened):
        listed_below("cell")
        figure_menu(results.run.id, "sides", label=label_id((key, value)))


def _value(key: str, value: str) -> str:
    """The value of a label as a filter names it: none for yes and no."""
    return value if key == SENTIMENT or key in LIST_KEYS else ""


def _about(results: LabelResults) -> None:
    """What the texts are about, and for what they put people down."""
    keys = [key for key in reversed(LIST_KEYS) if key in results.keys]
    key = keys[0]
    if len(keys) > 1:
        key = one_of("List", keys, "label-list", named=label_name)
    counts = label_numbers.word_shares(results, key)
    say(label_sentences.words_sentence(counts, label_name(key)))
    if counts.empty:
        return

    def opened(point: Point) -> None:
        if point.get("value"):
            side = (SideIs(side=str(point["side"])),) if point.get("side") else ()
            show_texts(*side, LabelIs(label=key, value=str(point["value"])))

    chart = word_bars(counts, title=label_name(key), dark=dark())
    if marks(chart, f"label-words-{results.run.id}-{key}", "word", opened):
        listed_below("bar")
        figure_menu(results.run.id, "topics", label=key)


def _together(results: LabelResults) -> None:
    """Of the texts with one label, those with another."""
    table = label_numbers.together(results)
    chart = together_squares(table, label_numbers.TITLES, dark=dark())
    say(label_sentences.together_sentence(table))
    if isinstance(chart, str):  # which is what was said
        return

    def opened(point: Point) -> None:
        if not point.get("first_key"):
            return
        key, value = str(point["first_key"]), str(point["first_value"])
        also = f"{point['second_key']}:{point['second_value']}"
        show_texts(LabelIs(label=key, value=_value(key, value)), AlsoIs(also=also))

    marks(chart, f"label-together-{results.run.id}", "together", opened)
    listed_below("square")
    figure_menu(results.run.id, "together")


def _files(results: LabelResults) -> None:
    """The files of the run, which are read when they are asked for."""
    fold("Files", "label-files", lambda: file_buttons(label_numbers.files(results), "label-file"))
