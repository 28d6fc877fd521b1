"""Do labelers agree? One or two other labellings of the same pairs beside this one."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ivan_core.charts.annotators import agreement_dots, answer_cells
from ivan_core.charts.same_answers import same_answer_dots
from ivan_core.experiments.labels import numbers as label_numbers, sentences as label_sentences
from ivan_core.experiments.labels.conditions import LabelIs, TheySay, label_name
from ivan_core.experiments.labels.figures import label_id
from ivan_core.experiments.labels.plan import DEMO_NOTE
from ivan_core.experiments.labels.results import LabelResults, open_labels
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENT, YES
from ivan_core.metrics.labels.sentences import coefficients, same_sentence
from ivan_core.models.names import reader_note
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import Point, one_of
from pages.components.kit.state import dark, write_query
from pages.components.kit.text import md_escape, say
from pages.components.labels.texts import listed_below, marks, show_texts

WITH = "with"
"""The runs that are set beside this one, with commas."""
COMPARED = "compared"
"""The label whose answers are set against each other, as KEY or KEY:VALUE."""
_MOST = 2


def do_they_agree(results: LabelResults) -> None:
    """Draw the agreement of this labelling with one or two others."""
    known = {one.run.id: one for one in label_numbers.others(results)}
    if not known:
        say(
            "Nobody else has labelled these pairs yet. Label them with a second labeler, such as"
            " ivan/lexicon or a model on Ollama, and how far the two agree is shown here."
        )
        return
    chosen = [results, *(known[run_id] for run_id in _chosen(results, known))]
    if len(chosen) < 2:
        say("Choose one or two labelers to set beside this one.")
        return
    keys = label_numbers.shared_keys(chosen)
    if not keys:
        say("They were asked for different labels: there is nothing to compare.")
        return
    names = label_numbers.names_of(chosen)
    with st.spinner("Comparing the labels …"):
        table = label_numbers.agreement(chosen)
    say(label_sentences.agreement_sentence(table, list(names.values())))
    notes = {reader_note(one.labeler): None for one in chosen if one.labeler != results.labeler}
    for note in filter(None, notes):
        say(note, "small", quiet=True)
    if any(one.of_demo for one in chosen):
        say(DEMO_NOTE, "small", quiet=True)
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart = same_answer_dots(table, label_numbers.TITLES, dark=dark())
        if marks(chart, f"agreement-{'-'.join(names)}", "feature", _open_label):
            figure_menu(results.run.id, "same-answers", other=tuple(names)[1:])
    with right:
        told = _one_label(table, names)
    with st.expander(FOR_THE_PAPER):
        for line in told:
            say(line, "small")
        chart = agreement_dots(table, label_numbers.TITLES, dark=dark())
        if marks(chart, f"coefficients-{'-'.join(names)}", "feature", _open_label):
            figure_menu(results.run.id, "labeler-agreement", other=tuple(names)[1:])
        st.dataframe(
            label_sentences.agreement_rows(table),
            hide_index=True,
            key="agreement-numbers",
            alt="The agreement of the labelers on each label, in numbers",
        )


def _chosen(results: LabelResults, known: dict[str, LabelResults]) -> list[str]:
    """The runs set beside this one: those of the URL, else the newest other one."""
    names = label_numbers.names_of([results, *known.values()])
    asked = st.query_params.get(WITH, "").split(",")
    valid = [run_id for run_id in dict.fromkeys(asked) if run_id in known][:_MOST]
    first = [] if st.query_params.get(WITH) == "none" else list(known)[:1]
    st.session_state["agreement-with"] = valid or first

    def turn() -> None:
        picked = st.session_state["agreement-with"]
        write_query({WITH: ",".join(picked) or "none"})

    return list(
        st.multiselect(
            f"{md_escape(names[results.run.id])} beside",
            list(known),
            key="agreement-with",
            max_selections=_MOST,
            format_func=lambda run_id: names[run_id],
            on_change=turn,
            placeholder="one or two other labelers",
        )
    )


def _open_label(point: Point) -> None:
    """Set the answers to a label against each other."""
    key, value = str(point.get("key", "")), str(point.get("value", ""))
    if key:
        write_query({COMPARED: f"{key}:{value}" if value else key})


def _one_label(table: pd.DataFrame, names: dict[str, str]) -> list[str]:
    """One label: of the texts that any called so those that all did, and the cross table.

    Returns its coefficients, for the fold below.
    """
    rows = {str(row["key"]): row for row in table.to_dict("records")}
    asked, _, word = st.query_params.get(COMPARED, "").partition(":")
    key = asked if asked in rows else next(iter(rows))
    st.session_state["agreement-label"] = key

    def turn() -> None:
        write_query({COMPARED: st.session_state["agreement-label"]})

    key = st.selectbox(
        "One label", list(rows), key="agreement-label", format_func=label_name, on_change=turn
    )
    row = rows[key or next(iter(rows))]
    say(label_sentences.both_sentence(row), "small")
    say(same_sentence(row), "small", quiet=True)
    key = str(row["key"])
    told = [f"{label_name(key)}: {coefficients(row)}"]
    if key in LIST_KEYS:
        words = label_numbers.agreement([open_labels(run_id) for run_id in names], key)
        if words.empty:
            say("No labeler names any word.", "small")
            return told
        word = _word(words, word, key)
        own = words[words["value"] == word].iloc[0].to_dict()
        say(label_sentences.both_sentence(own), "small")
        say(same_sentence(own), "small", quiet=True)
        told.append(f"{label_name(key, word)}: {coefficients(own)}")
    _cross_table(key, word if key in LIST_KEYS else "", names)
    return told


def _word(words: pd.DataFrame, asked: str, key: str) -> str:
    """One word of a list, the most often named first."""
    ordered = words.sort_values("either", ascending=False, kind="stable")
    known = [str(value) for value in ordered["value"]]
    st.session_state["agreement-word"] = asked if asked in known else known[0]

    def turn() -> None:
        write_query({COMPARED: f"{key}:{st.session_state['agreement-word']}"})

    return str(
        st.selectbox("One of its words", known, key="agreement-word", on_change=turn) or known[0]
    )


def _cross_table(key: str, word: str, names: dict[str, str]) -> None:
    """The answers of two labelers against each other; a cell lists its texts."""
    run_id, *others = names
    other = others[0]
    if len(others) > 1:
        other = _against(others, names)
    cells = label_numbers.crossed(open_labels(run_id), open_labels(other), key, word)
    title = f"Texts by “{label_name(key, word)}”"

    def opened(point: Point) -> None:
        ours, theirs = str(point.get("left") or ""), str(point.get("right") or "")
        if ours and theirs:
            show_texts(*cell_conditions(key, word, ours, other, theirs))

    chart = answer_cells(cells, names[run_id], names[other], title=title, dark=dark())
    if not marks(chart, f"cross-{run_id}-{other}-{key}-{word}", "answers", opened):
        return
    n, left_out = int(cells["n"].iloc[0]), int(cells["left_out"].iloc[0])
    told = f"; {left_out:,} more were not" if left_out else ""
    say(f"{n:,} texts were answered by both{told}.", "small", quiet=True)
    listed_below("cell")
    figure_menu(run_id, "answers", other=other, label=label_id((key, word)))


def _against(others: Sequence[str], names: dict[str, str]) -> str:
    """Which of two other labelers the cross table is of."""
    key = f"agreement-against-{'-'.join(others)}"
    return one_of("Against", others, key, named=lambda run_id: md_escape(names[run_id]))


def cell_conditions(
    key: str, word: str, ours: str, other: str, theirs: str
) -> tuple[LabelIs, TheySay]:
    """The texts of one cell: this labeler answers one thing, the other run's another."""
    if key == SENTIMENT:
        own = LabelIs(label=key, value=ours)
    else:
        own = LabelIs(label=key, value=word, answer="" if ours == YES else ours)
    return own, TheySay(label=key, value=word, other=other, theirs=theirs)
