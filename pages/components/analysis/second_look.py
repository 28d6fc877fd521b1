"""Worth a second look: the pairs with the most voices against the choice, and asking people."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.words import number_of, short_names
from ivan_core.experiments.analysis.here import is_here
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.looks import BEWARE, TABLE, second_look_sentence
from ivan_core.experiments.compare.results import open_results, rows_page
from ivan_core.lists.page import page_of
from ivan_core.metrics.margin_words import ABOUT_MARGINS
from ivan_core.review.second_look import (
    LEAST,
    OF_ANSWERS,
    USUAL,
    asked_already,
    most_to_ask,
    preferred,
    preferred_sentence,
)
from ivan_core.review.sources import MOST_ITEMS
from pages.components.kit.frame import problems_shown, show_error
from pages.components.kit.list import Column, below_page, page_table, turned_to
from pages.components.kit.queue_of_rows import make_button, tell_made
from pages.components.kit.state import PAIRS, REVIEW, address
from pages.components.kit.study import in_study
from pages.components.kit.text import say
from pages.components.public.reading import told_instead

_TURNED = "page-second-look"


def worth_a_second_look(analysed: Analysed) -> None:
    """Say how many pairs have voices against the choice, list them, and lead to each."""
    say(second_look_sentence(analysed), "headline")
    if TABLE not in analysed.tables or analysed.tables[TABLE].empty:
        return
    say(BEWARE, "small", quiet=True)
    _list(analysed)
    _people(analysed)


def _list(analysed: Analysed) -> None:
    listed = analysed.tables[TABLE]
    row_ids = listed["row_id"].tolist()
    page = turned_to(len(row_ids), _TURNED)
    shown = page_of(row_ids, page)
    if not is_here(analysed, analysed.spec.comparison):
        st.dataframe(listed, hide_index=True, key="second-look-numbers", alt="The pairs in numbers")
        return
    try:
        texts = rows_page(open_results(analysed.spec.comparison), row_ids, page)
    except IvanError as error:  # its table is damaged
        show_error(error)
        return
    places = [_of_pair(analysed.spec.comparison, row) for row in shown]
    table = texts[["row_id", "chosen", "rejected", *analysed.models]]
    own = listed.iloc[page_of(range(len(listed)), page)].to_dict("records")
    table.insert(1, "voices", [f"{row['against']:,} of {row['voices']:,}" for row in own])
    table.insert(2, "smallest", [row["smallest_margin"] for row in own])
    picked = page_table(
        table,
        _columns(analysed),
        key=f"second-look-{analysed.run.id}-{page}",
        links=[address(PAIRS, place) for place in places],
        alt="Pairs worth a second look; select one to read the pair side by side",
    )
    below_page("pair", len(row_ids), page, "Click a pair to read it.", _TURNED)
    if picked is not None:
        st.switch_page(PAIRS, query_params=places[picked])


def _people(analysed: Analysed) -> None:
    """What people said of listed and of random pairs so far, and having them look at some."""
    most, asked = min(most_to_ask(analysed), MOST_ITEMS), len(asked_already(analysed.dataset))
    if not most and not asked:
        return
    st.subheader("What do people say?", anchor=False)
    with problems_shown():
        if (found := preferred(analysed.dataset)) is not None:
            say(preferred_sentence(found), "lead")
            if found.enough:
                say(OF_ANSWERS, "small", quiet=True)
    say(
        f"Half of the pairs are the first of the list, half are drawn from all others, in random"
        f" order. Nobody is told which is which, and what was chosen only at the end. From {LEAST}"
        " answers on each half what people prefer is told here.",
        "small",
        quiet=True,
    )
    if asked:
        more = "what is made now asks about others." if most else "that is all of the list."
        say(f"Queues ask about {number_of(asked, 'pair')} already: {more}", "small", quiet=True)
    if not most:
        tell_made()
        label = ":primary[See these queues on Review →]"
        st.page_link(REVIEW, label=label, query_params=in_study())
        return
    if told_instead():
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        more = "How many more pairs" if asked else "How many pairs"
        count = st.number_input(
            more, 2, most, min(most, USUAL), 2, key=f"second-look-{most}", width=160
        )
        count -= count % 2
        fields = {
            "dataset": analysed.dataset.fingerprint,
            "source": "second-look",
            "runs": (analysed.run.id,),
            "count": int(count),
        }
        make_button(fields, "second-look", f"Have people look at {count:,}")


def _of_pair(comparison: str, row: int) -> dict[str, str]:
    """What leads to a pair."""
    return {"run": comparison, "row": str(row)}


def _columns(analysed: Analysed) -> dict[str, Column]:
    names: dict[str, Any] = short_names(analysed.models)
    return {
        "row_id": Column("Pair", "Its number in the dataset."),
        "voices": Column(
            "Voices against",
            "Of the models, labelers and people that said something of this pair, how many go"
            " against the choice. The pairs with the most come first.",
        ),
        "smallest": Column(
            "Smallest margin against",
            "Of the models that go against the choice, the one that does so by the least: how many"
            " typical margins it likes the other reply more. Of as many voices, the larger come"
            " first.",
            decimals=2,
        ),
        "chosen": Column("Chosen reply"),
        "rejected": Column("Rejected reply"),
        **{
            model: Column(
                names[model],
                "The verdict, and in typical margins how much more the model likes the chosen"
                f" reply. {ABOUT_MARGINS}",
            )
            for model in analysed.models
        },
    }
