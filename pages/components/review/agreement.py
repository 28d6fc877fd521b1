"""Do people agree? Reviewers with each other, and the choice, models and labelers with them; the
pairs and texts behind each number, one of them read in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from ivan_core.charts.annotators import agreement_dots, question_cells, who_dots
from ivan_core.charts.same_answers import same_answer_dots
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.reviews import BETTER
from ivan_core.engine import datasets
from ivan_core.engine.opinions import Used, ceiling_sentence, used_opinions
from ivan_core.experiments.labels import sentences as label_sentences
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.numbers import TITLES
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.lists.page import page_of as page_rows
from ivan_core.metrics.labels.sentences import coefficient_sentence, same_sentence
from ivan_core.review.agreement import between_on_texts, cells_beside, choices_beside
from ivan_core.review.lists import (
    REVIEWERS,
    Listed,
    answer_in_words,
    beside_listed,
    between_listed,
    cell_listed,
    cells_table,
    choices_table,
    page_of,
    quick_table,
)
from ivan_core.review.pace import MEASURED, paces
from ivan_core.review.sentences import (
    cell_numbers,
    cell_sentence,
    headline,
    pairs_numbers,
    reviews_id,
)
from ivan_core.review.settle import opinions_csv
from pages.components.kit.figure import figure_menu
from pages.components.kit.list import below_page, head_of_item, page_table, turned_to
from pages.components.kit.results import Point, csv_buttons, one_of, quotable
from pages.components.kit.sent_page import told_to_send
from pages.components.kit.state import REVIEW, address, dark, write_query
from pages.components.kit.text import say
from pages.components.labels.texts import marks
from pages.components.pair.replies import show_dialogue, show_pair

LISTED = "listed"
"""The item that is read in place, as ROW.SIDE."""


def listed_items(
    dataset: PreparedDataset, found: Sequence[Listed], key: str, name: str, noun: str
) -> None:
    """Draw the list, those on which the answers differ first asked for, and the opened one."""
    differing = [one for one in found if not one.alike]
    options = {f"Where they differ ({len(differing):,})": differing, f"All ({len(found):,})": found}
    picked = one_of("Listed", list(options), f"listed-{name}")
    shown = options.get(picked, differing)
    if not shown:
        say(f"No {noun} here.")
        return
    _table(dataset, shown, key, f"{name}-{picked}", noun)
    _one(dataset, shown, key)


def _table(
    dataset: PreparedDataset, shown: Sequence[Listed], key: str, name: str, noun: str
) -> None:
    turned = f"page-{name}"
    page = turned_to(len(shown), turned)
    items = [f"{one.row_id}.{one.side}" for one in page_rows(shown, page)]
    query = st.query_params.to_dict()

    def read(place: int) -> None:
        write_query({LISTED: items[place]})

    page_table(
        page_of(dataset, shown, key, page),
        {},
        key=f"items-{name}-{page}-{len(shown)}",
        links=[address(REVIEW, query | {LISTED: item}) for item in items],
        read=read,
        alt=f"The {noun}s of this view with what everybody said; select one to read it",
    )
    below_page(noun, len(shown), page, "Click one to read it.", turned)


def _one(dataset: PreparedDataset, shown: Sequence[Listed], key: str) -> None:
    """The item that the URL names, if it is in the list: its text and what everybody said."""
    asked = st.query_params.get(LISTED, "")
    one = next((one for one in shown if f"{one.row_id}.{one.side}" == asked), None)
    if one is None:
        return
    what = "" if one.side == "both" else f", the {one.side} reply"
    with st.container(border=True, key="one-item"):
        title = f"Pair {one.row_id:,}{what}"
        head_of_item(title, one.row_id, str(dataset.about["content"]), "item", LISTED)
        said = [f"{name}: {answer_in_words(key, answer)}" for name, answer in one.answers.items()]
        say(" · ".join(said))
        pair = dataset.pair(one.row_id)
        if key == BETTER:
            show_pair(pair, True, {})
        else:
            show_dialogue(pair.chosen if one.side == "chosen" else pair.rejected, False)


WHO, QUESTION = "who", "question"
"""Whose answers are listed, and to which question, in the URL."""
_TASK = "review-agreement-of"
_QUICK = "review-leave-quick"
_BETTER, _DESCRIBE = "Which reply is better?", "Questions about a reply"


def agreement_tab(fingerprint: str) -> None:
    """How far the reviewers of a dataset agree, and who agrees with them.

    Raises:
        BadInput: the dataset is gone.
    """
    dataset = datasets.by_fingerprint(fingerprint)
    with st.spinner("Comparing what people said …"):
        used = used_opinions(dataset, quick=st.session_state.get(_QUICK) is False)
        views: dict[str, Callable[[PreparedDataset, Used], None]] = {}
        if used.choices:
            views[_BETTER] = _choices
        if used.texts:
            views[_DESCRIBE] = _questions
        task = st.session_state.get(_TASK) or next(iter(views), "")
        say(headline(used, "better" if task == _BETTER else "describe"), "headline")
    if used.left_out_sentence:
        say(used.left_out_sentence, "small", quiet=True)
    if used.quick:
        _quick(used)
    if views:
        task = task if task in views else next(iter(views))
        if len(views) > 1:
            task = one_of("Agreement on", list(views), _TASK, task)
        pace = paces(used).get("better" if task == _BETTER else "describe")
        if pace is not None:
            say(pace.sentence, "small")
            say(MEASURED, "small", quiet=True)
        views[task](dataset, used)
        quotable(reviews_id(dataset), "review-sentences")
        told_to_send(reviews_id(dataset), "review-page")
    csv_buttons(
        "opinions",
        "opinions",
        lambda spreadsheet: opinions_csv(dataset, spreadsheet=spreadsheet),
        ("All opinions as CSV, verbatim", "For spreadsheets"),
    )


def _quick(used: Used) -> None:
    """The answers given in under a second, and whether they count."""
    leave = st.toggle(
        "Leave out answers given in under a second",
        value=True,
        key=_QUICK,
        help="Nobody reads a pair or a reply in that time: such a press was meant for another one.",
    )
    if not leave:
        say("Figures, sentences to copy and Compare leave them out all the same.", "small")
    with st.expander(f"Given in under a second: {len(used.quick):,}"):
        st.dataframe(quick_table(used), hide_index=True, key="review-quick")


def _figure(dataset: PreparedDataset, used: Used, name: str) -> None:
    """A chart as a figure; only where it would say what stands on the page."""
    if not used.quick_counted:
        figure_menu(reviews_id(dataset), name)


def _choices(dataset: PreparedDataset, used: Used) -> None:
    """Which reply is better: who chooses as the reviewers do."""
    found = choices_beside(dataset, used)
    by_id = {one.who.id: one for one in found}
    if found:
        chart = who_dots(choices_table(found), dark=dark())
        if marks(chart, "review-who", "who", _open_who):
            _figure(dataset, used, "review-choices")
            say(
                "The reviewers are the majority of those who judged a pair; each is set beside"
                " the others. A click on a mark lists its pairs below.",
                "small",
                quiet=True,
            )
    trained = " ".join(one.trained for one in found if one.trained)
    if trained:
        say(trained, "small", quiet=True)
    told = ceiling_sentence(used)
    if told:
        say(told, "small")
    who = _pick_who("Pairs judged by", {one.who.id: one.who.name for one in found})
    if who in by_id:
        say(by_id[who].sentence)
        _list(dataset, beside_listed(by_id[who]), BETTER, f"{who}-{BETTER}")
    else:
        _for_the_paper([pairs_numbers(used)])
        _list(dataset, between_listed(used, BETTER), BETTER, f"{REVIEWERS}-{BETTER}")


def _for_the_paper(told: Sequence[str]) -> None:
    """Coefficients, one fold deeper than what everybody reads; nothing where there are none."""
    if any(told):
        with st.expander(FOR_THE_PAPER):
            for line in told:
                say(line, "small")


def _questions(dataset: PreparedDataset, used: Used) -> None:
    """Question by question: the reviewers among themselves, and each person and labeler."""
    table, cells = between_on_texts(used), cells_beside(dataset, used)
    if table is not None:
        title = "How often the reviewers give the same answer"
        chart = same_answer_dots(table, TITLES, title=title, dark=dark())
        if marks(chart, "review-same-answers", "feature", _open_question):
            _figure(dataset, used, "review-same-answers")
    if cells:
        chart = question_cells(cells_table(cells), dark=dark())
        if marks(chart, "review-cells", "cell", _open_cell):
            _figure(dataset, used, "review-cells")
        say(
            "Texts answered as the majority of the (other) reviewers did. A click on a mark or cell"
            " lists its texts below.",
            "small",
            quiet=True,
        )
    keys = [] if table is None else [str(key) for key in table["key"]]
    keys = list(dict.fromkeys([*keys, *(cell.key for cell in cells)]))
    if not keys:
        return
    left, right = st.columns(2)
    with left:
        key = _pick("Question", QUESTION, {key: label_name(key) for key in keys})
    own = {cell.who.id: cell for cell in cells if cell.key == key}
    with right:
        who = _pick_who("Answered by", {who: cell.who.name for who, cell in own.items()})
    if who in own:
        say(cell_sentence(own[who]))
        _for_the_paper([cell_numbers(own[who])])
        _list(dataset, cell_listed(own[who]), key, f"{who}-{key}")
        return
    if table is not None and key in set(table["key"]):
        row = next(row for row in table.to_dict("records") if row["key"] == key)
        say(f"{label_sentences.both_sentence(row)} {same_sentence(row)}")
        with st.expander(FOR_THE_PAPER):
            say(coefficient_sentence(row), "small")
            title = "How far the reviewers agree beyond chance"
            chart = agreement_dots(table, TITLES, title=title, dark=dark())
            if marks(chart, "review-questions", "feature", _open_question):
                _figure(dataset, used, "review-questions")
    _list(dataset, between_listed(used, key), key, f"{REVIEWERS}-{key}")


def _pick(label: str, name: str, names: Mapping[str, str]) -> str:
    """One of several, kept in the URL; the first where the URL names none of them."""
    asked = st.query_params.get(name, "")
    key = f"review-{name}"
    st.session_state[key] = asked if asked in names else next(iter(names))

    def turn() -> None:
        write_query({name: st.session_state[key], LISTED: None})

    picked = st.selectbox(
        label, list(names), key=key, on_change=turn, format_func=lambda one: names.get(one, one)
    )
    return str(picked or next(iter(names)))


def _pick_who(label: str, others: Mapping[str, str]) -> str:
    """The reviewers among themselves, or one of the others who are set beside them."""
    return _pick(label, WHO, {REVIEWERS: "The reviewers among themselves", **others})


def _open_who(point: Point) -> None:
    write_query({WHO: str(point.get("who") or "") or None, LISTED: None})


def _open_question(point: Point) -> None:
    """The texts of a question, as the reviewers among themselves answered it."""
    if point.get("key"):
        write_query({QUESTION: str(point["key"]), WHO: None, LISTED: None})


def _open_cell(point: Point) -> None:
    if point.get("key") and point.get("who"):
        write_query({QUESTION: str(point["key"]), WHO: str(point["who"]), LISTED: None})


def _list(dataset: PreparedDataset, found: Sequence[Listed], key: str, name: str) -> None:
    noun = "pair" if key == BETTER else "text"
    listed_items(dataset, found, key, name, noun)
