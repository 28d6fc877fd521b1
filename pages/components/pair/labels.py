"""The labels of a pair, labeler by labeler, and which rule gave those of the rule-based one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import streamlit as st

from ivan_core.domain.labels import FEATURES, Label
from ivan_core.domain.pairs import SIDES, Pair
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.numbers import in_words
from ivan_core.experiments.labels.reasons import Reason, reasons, rules_changed
from ivan_core.experiments.labels.results import TextLabels, labels_of_row
from ivan_core.models.names import reader_note, shown_name
from pages.components.kit.text import CELL, HEAD, cell, say, show_table

_NAME = f"{CELL};font-weight:400;min-width:7rem;overflow-wrap:break-word"
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;margin:0"
_MARK = (
    "background:rgba(190,146,58,.28);text-decoration:underline 1.5px;text-underline-offset:3px;"
    "border-radius:2px;color:inherit"
)
_MOST_NAMED = 4
_LONG = 700
"""From so many characters on a text is scrolled."""


def pair_labels(dataset: str, pair: Pair) -> None:
    """Draw what every labeler said of both texts of a pair; nothing where none did.

    `dataset` is the content of the dataset, as its card gives it.
    """
    found = labels_of_row(dataset, pair.row_id)
    if not found:
        return
    st.subheader("Labels", anchor=False)
    for one in found:
        say(_sentence(one), "small")
        if one.authored:
            say(reader_note(one.labeler), "small", quiet=True)
    times = {key: sum(key in one.differing for one in found) for key in FEATURES}
    differing = sorted((key for key in FEATURES if times[key]), key=lambda key: -times[key])
    asked = [key for key in FEATURES if any(key in one.keys for one in found)]
    same = [key for key in asked if key not in differing]
    shown = list(differing)
    if same and st.toggle(
        f"Show all {len(asked)} labels", key="labels-all", help="Also those that are the same."
    ):
        shown += same
    if shown:
        _table(found, shown)
    rules = next((one for one in found if one.rule_based), None)
    if rules is not None:
        texts = {"chosen": pair.chosen.text, "rejected": pair.rejected.text}
        keys = list(dict.fromkeys([*rules.differing, *rules.keys]))
        why(rules.run_id, rules.labeler, texts, keys)


def _name(one: TextLabels) -> str:
    return shown_name(one.labeler)


def _labelled(one: TextLabels, side: str) -> bool:
    """Whether there is any label of a side: an answer that could not be used has none."""
    labels = one.chosen if side == "chosen" else one.rejected
    return any(label is not None for label in (labels or {}).values())


def _sentence(one: TextLabels) -> str:
    """Where the two texts differ for one labeler."""
    if one.authored:
        written = f"written to differ in “{', '.join(map(label_name, one.differing))}” alone"
        return f"{_name(one)}: {written if one.differing else 'none, it is no minimal pair'}."
    without = [side for side in ("chosen", "rejected") if not _labelled(one, side)]
    if without:
        return f"{_name(one)}: no usable labels of the {' and the '.join(without)} reply."
    differing = one.differing
    if not differing:
        return f"{_name(one)}: the same {len(one.keys)} labels on both sides."
    named = ", ".join(label_name(key) for key in differing[:_MOST_NAMED])
    more = f" and {len(differing) - _MOST_NAMED} more" if len(differing) > _MOST_NAMED else ""
    verb = "differs" if len(differing) == 1 else "differ"
    return f"{_name(one)}: {len(differing)} of {len(one.keys)} labels {verb}: {named}{more}."


def _table(found: Sequence[TextLabels], keys: Sequence[str]) -> None:
    """Both sides beside each other, label by label; of several labelers each has a row below it.

    So the table is as narrow as a phone however many labelers there are. What differs is bold and
    tinted.
    """
    head = "".join(f'<th scope="col" style="{HEAD}">{side}</th>' for side in SIDES)
    if len(found) == 1:
        show_table([head], (_row(label_name(key), found[0], key) for key in keys))
        return
    show_table([head], (line for key in keys for line in _of_several(found, key)))


def _of_several(found: Sequence[TextLabels], key: str) -> Iterator[str]:
    """The row that names a label, and one for each labeler."""
    yield f'<tr><th colspan="3" scope="rowgroup" style="{HEAD}">{escape(label_name(key))}</th></tr>'
    for one in found:
        yield _row(_name(one), one, key)


def _row(name: str, one: TextLabels, key: str) -> str:
    """The label of either side by one labeler."""
    given = [None if side is None else side.get(key) for side in (one.chosen, one.rejected)]
    none = "same on both sides" if key in one.alike else "no label"
    cells = "".join(cell(in_words(label) or none, key in one.differing) for label in given)
    return f'<tr><th scope="row" style="{_NAME}">{escape(name)}</th>{cells}</tr>'


def _words(label: Label) -> str:
    return in_words(label) or "no label"


def why(run_id: str, labeler: str, texts: Mapping[str, str], keys: Sequence[str]) -> None:
    """Which rule gave a label of these texts, by side, with the words that fired it marked."""
    folded = st.expander(f"Why does {labeler} say so?", key="why", on_change="rerun")
    if not folded.open:
        return  # the rules read the texts anew
    with folded:
        say(reader_note(labeler), "small", quiet=True)
        if rules_changed(run_id):
            say("The rules have changed since these labels were given; below are those of now.")
        key = st.selectbox("Label", list(keys), key="labels-why", format_func=label_name)
        if key is None:
            return
        for column, (side, text) in zip(st.columns(len(texts)), texts.items(), strict=True):
            with column, st.container(border=True, key=f"why-{side}"):
                _reason(side, key, reasons(text, [key])[key])


def _reason(side: str, key: str, why: Reason) -> None:
    """The rule of one label, its words, and the text in which they are marked."""
    say(f"{side}: {label_name(key)}: {_words(why.label)}")
    say(f"Rule: {why.rule}.", "small")
    if not why.words:
        say("No words of the text fired it.", "small", quiet=True)
    long = sum(len(text) for text, _ in why.pieces) > _LONG
    with st.container(height=280 if long else "content", key=f"why-text-{side}"):
        parts = [
            f'<mark style="{_MARK}">{escape(text)}</mark>' if fired else escape(text)
            for text, fired in why.pieces
        ]
        st.html(f'<div dir="auto" style="{_TEXT}">{"".join(parts).strip()}</div>')
        if why.cut:
            say("The text goes on; its end is not shown here.", "small", quiet=True)
