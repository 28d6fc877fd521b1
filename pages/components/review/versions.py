"""Every version of an item's answers side by side: people, labelers and models, and decisions; all
of them that there are of one pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape

import streamlit as st

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import BETTER, Decision, Opinion, Queue, by_rule
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.review.lists import answer_in_words
from ivan_core.review.settle import ToSettle, View, in_letters, noted, said_of_row
from pages.components.kit.frame import problems_shown
from pages.components.kit.text import CELL, HEAD, cell, say, show_table

_NAME = f"{HEAD};overflow-wrap:anywhere;min-width:5rem"
_SMALL = "font-weight:400;font-size:.8rem;opacity:.75;display:block"


def question_name(key: str) -> str:
    """A question in short."""
    return "Which reply is better?" if key == BETTER else label_name(key)


_Words = Callable[[str, Label], str]
"""An answer to a question as it is read."""
_SHOWN: Mapping[Side, str] = {"chosen": "A", "rejected": "B"}
"""The letters of both replies where it is told which one was chosen."""


def versions(
    one: ToSettle,
    keys: Sequence[str],
    beside: Sequence[View] = (),
    named: Mapping[Side, str] | None = None,
) -> None:
    """A table: a row a question, a column each person, view and the decision; then their notes.

    `named` are the letters by which replies are called; without them it is told which was chosen.
    """
    _table(one, keys, beside, partial(in_letters, named=named) if named else answer_in_words)
    for opinion in one.opinions:
        if opinion.note:
            say(noted(opinion, named or _SHOWN), "small")
    for decision in one.decisions.values():
        if decision.reason:
            say(
                f"{decision.by} settled “{question_name(decision.key)}” because: {decision.reason}",
                "small",
            )


def _table(one: ToSettle, keys: Sequence[str], beside: Sequence[View], words: _Words) -> None:
    settled = [key for key in keys if key in one.decisions]
    heads = [
        *(_head(opinion.reviewer, _how(opinion)) for opinion in one.opinions),
        *(_head(view.name, view.note) for view in beside),
        *([_head("Settled", "")] if settled else []),
    ]
    rows = []
    for key in keys:
        cells = [
            _cell(key, opinion.answers, key in one.differing, words) for opinion in one.opinions
        ]
        cells += [_cell(key, view.answers, False, words) for view in beside]
        if settled:
            cells.append(_decided(key, one.decisions.get(key), words))
        rows.append(
            f'<tr><th scope="row" style="{HEAD}">{escape(question_name(key))}</th>'
            f"{''.join(cells)}</tr>"
        )
    show_table(["".join(heads)], rows)


def _head(name: str, small: str) -> str:
    return (
        f'<th scope="col" dir="auto" style="{_NAME}">{escape(name)}'
        f'<span style="{_SMALL}">{escape(small)}</span></th>'
    )


def _how(opinion: Opinion) -> str:
    """How an opinion came about, in few words."""
    told = ["verified" if opinion.verified else "not verified"]
    if by_rule(opinion.reviewer):
        told = ["by a rule"]
    if opinion.prefill:
        told.append("labels were shown")
    return ", ".join(told)


def _cell(key: str, answers: Mapping[str, Label], differs: bool, words: _Words) -> str:
    told = words(key, answers[key]) if key in answers else "–"
    return cell(told, differs and answers.get(key) is not None)


def _decided(key: str, decision: Decision | None, words: _Words) -> str:
    if decision is None:
        return f'<td style="{CELL}">–</td>'
    told = escape(words(key, decision.answer))
    by = f'<span style="{_SMALL}">by {escape(decision.by)}</span>'
    return f'<td style="{CELL};font-weight:650" dir="auto">{told}{by}</td>'


def pair_reviews(dataset: PreparedDataset, row_id: int) -> None:
    """Draw what people said of a row; nothing where nobody said anything."""
    with problems_shown():
        found = said_of_row(dataset, row_id)
        if not found:
            return
        people = sorted({one.reviewer for _, said in found for one in said.opinions})
        with st.expander(f"What reviewers said ({len(people):,})"):
            for queue, said in found:
                _one(queue, said)


def _one(queue: Queue, said: ToSettle) -> None:
    what = "Which reply is better?" if queue.task == BETTER else f"The {said.item.side} reply"
    how = "a random sample" if queue.random else "not a random sample"
    say(f"{what} In “{queue.title}”, {how}.", "small", quiet=True)
    answered = {key for one in said.opinions for key in one.answers}
    versions(said, [key for key in queue.asked if key in answered])
