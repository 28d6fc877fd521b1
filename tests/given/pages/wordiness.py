"""Wordiness: how many words has each side of a pair?"""

import streamlit as st
from given.word_counts.figures import FIGURES
from given.word_counts.kind import KIND, WordsSpec
from given.word_counts.results import LANGUAGE, open_words

from ivan_core.domain.options import command_of
from ivan_core.domain.specs import DatasetRequest, checked
from ivan_core.engine import handling as runs
from ivan_core.engine.opened import files
from ivan_core.lists.conditions import matching_rows
from ivan_core.lists.page import page_of
from pages.components.kit.conditions import Place, condition_chips, fitting_filter, names_on
from pages.components.kit.figure import figure_menu
from pages.components.kit.form import dataset_field, rows_fields
from pages.components.kit.frame import frame, page_title
from pages.components.kit.list import below_page, page_table, turned_to
from pages.components.kit.live import Panel, counted, live, stopped
from pages.components.kit.results import files_and_settings, quotable
from pages.components.kit.state import choose_run, chosen_run, page_file
from pages.components.kit.study import dataset_of_study

WORDS = page_file(KIND.page)
ROWS = Place(LANGUAGE, "words-", "words-clicks", "All rows")
PANEL = Panel(lambda run: "Counting words", lambda run: [counted(run, "pairs")], lambda run: None)


def results(run_id: str) -> None:
    own, rows = open_words(run_id), LANGUAGE.listing(run_id)
    st.altair_chart(FIGURES.charts[0].draw(own).chart())
    figure_menu(run_id, "words")
    wanted = fitting_filter(ROWS, rows)
    condition_chips(ROWS, rows, wanted, names_on(rows, wanted))
    found = matching_rows(rows, wanted)
    page = turned_to(len(found), "words-page")
    table = own.table.set_index("row_id", drop=False).loc[list(page_of(found, page))]
    page_table(table, {}, key="words-rows", alt="Words of each side")
    below_page("pair", len(found), page, "", "words-page")
    quotable(run_id)
    files_and_settings(command_of(own.spec), files(own.manifest), own.manifest)


with frame("Wordiness"):
    run = runs.get(run_id) if (run_id := chosen_run(WORDS)) else None
    page_title(WORDS, "Words", "New word count", run)
    if run is None:
        left, right = st.columns(2)
        dataset, asked = dataset_of_study(DatasetRequest())
        given = {"dataset": dataset_field(left, dataset, "words")}
        spec = checked(WordsSpec, given | rows_fields(right, "words", first=asked))
        if st.button("Count", type="primary", key="count"):
            choose_run(runs.start(spec)[0], WORDS)
            st.rerun()
    elif run.state.live:
        live(run.id, PANEL)
    elif run.state.resumable:
        stopped(run, "")
    else:
        results(run.id)
