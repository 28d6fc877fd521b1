"""Settle: the items where reviewers differ, what people said of each, and the decision beside; the
recorded choice, labelers and models only afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ivan_core.domain.labels import Label
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, DecisionConflict, Item, Queue
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets
from ivan_core.labels.schema import feature
from ivan_core.review.lists import answer_in_words
from ivan_core.review.rights import verified_name
from ivan_core.review.settle import (
    State,
    ToSettle,
    decide,
    in_state,
    letters,
    queues_to_settle,
    tally,
    views,
    who_differs,
)
from pages.components.kit.frame import problems_shown, tell_refusal
from pages.components.kit.results import one_of
from pages.components.kit.state import kindly
from pages.components.kit.text import say
from pages.components.pair.notes import ask_name, your_name
from pages.components.pair.replies import show_dialogue, show_pair
from pages.components.public.reading import told_instead
from pages.components.review.versions import question_name, versions

_STATES: Mapping[State, str] = {"unsettled": "To settle", "settled": "Settled", "all": "All"}
_YES_NO: Mapping[str, Label] = {"Yes": True, "No": False, "Can't tell": None}
_HIDDEN = (
    "What the dataset, models and labelers say is shown once this is settled, so that the texts "
    "alone decide. It then stands under Settled."
)
_SAVED = "settled-last"


def settle_tab(fingerprint: str) -> None:
    """Go through the items of a dataset's queues where people differ.

    Raises:
        BadInput: the dataset is gone.
    """
    problem = tell_refusal()
    if isinstance(problem, DecisionConflict):
        current = problem.current
        words = answer_in_words(current.key, current.answer)
        why = f" because: {current.reason}" if current.reason else ""
        say(f"{current.by} settled it as {words}{why}.")
    found = queues_to_settle(datasets.by_fingerprint(fingerprint))
    if not found:
        say(
            "There is nothing to settle: on no item have two people given different answers yet.",
            "headline",
        )
        return
    items = [item for _, own in found.values() for item in own]
    waiting = sum(not item.settled for item in items)
    say(
        f"{who_differs(items)} differ on {number_of(len(items), 'item')};"
        f" {f'{waiting:,} to settle' if waiting else 'all are settled'}.",
        "headline",
    )
    say("A decision is recorded beside what they said, which stays as it is.", "small", True)
    queue, own = found[_queue(found)]
    state = one_of("Which", list(_STATES), "settle-state", named=_STATES.__getitem__)
    shown = in_state(own, state)
    last = st.session_state.pop(_SAVED, "")
    if last:
        say(last, "small")
    if not shown:
        say("None here.")
        return
    one = _item(queue, shown)
    _show(queue, one)


def _queue(found: Mapping[int, tuple[Queue, list[ToSettle]]]) -> int:
    if len(found) == 1:
        return next(iter(found))
    names = {
        number: f"{queue.title} ({number_of(len(items), 'item')})"
        for number, (queue, items) in found.items()
    }
    return int(
        st.selectbox(
            "Queue", list(found), key="settle-queue", width=520, format_func=names.__getitem__
        )
    )


def _item(queue: Queue, shown: list[ToSettle]) -> ToSettle:
    """The item that is looked at: the one chosen, else the first."""
    by_id = {f"{one.item.row_id}.{one.item.side}": one for one in shown}
    names = {name: _name(queue, one) for name, one in by_id.items()}
    key = f"settle-item-{queue.id}"
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = next(iter(by_id))
    at = list(by_id).index(st.session_state[key])

    def go(step: int) -> None:
        st.session_state[key] = list(by_id)[(at + step) % len(by_id)]

    with st.container(horizontal=True, vertical_alignment="bottom", key="settle-items"):
        picked = st.selectbox(
            f"Item {at + 1:,} of {len(by_id):,}",
            list(by_id),
            key=key,
            width=195,
            format_func=names.__getitem__,
        )
        if len(by_id) > 1:
            st.button("Previous", key="settle-previous", on_click=go, args=(-1,))
            st.button("Next", key="settle-next", on_click=go, args=(1,))
    return by_id[picked]


def _name(queue: Queue, one: ToSettle) -> str:
    """What an item is called: of a reply its letter, until it is settled."""
    told = f"Pair {one.item.row_id:,}"
    if one.item.side == "both":
        return told
    if one.settled:
        return f"{told}, the {one.item.side} reply"
    return f"{told}, reply {letters(queue, one.item)[one.item.side]}"


def _show(queue: Queue, one: ToSettle) -> None:
    """The texts, all versions, and a form for each question on which people differ."""
    pair = datasets.by_fingerprint(queue.dataset).pair(one.item.row_id)
    named = letters(queue, one.item)
    if one.item.side == "both":
        told = {side: f"· the {side} reply" for side in named} if one.settled else {}
        left: Side = "chosen" if named["chosen"] == "A" else "rejected"
        show_pair(pair, True, {str(side): words for side, words in told.items()}, left)
    else:
        show_dialogue(pair.chosen if one.item.side == "chosen" else pair.rejected, False)
    for key in one.differing:
        say(f"{question_name(key).rstrip('?:')}: {tally(one, key, named)}.")
    with problems_shown():
        beside = views(queue, one.item) if one.settled else []
        same = [key for key in queue.asked if key not in one.differing]
        keys = list(one.differing)
        if same and st.toggle(f"Show all {len(queue.asked)} questions", key="settle-all"):
            keys += same
        versions(one, keys, beside, named)
    if not one.settled:
        say(_HIDDEN, "small", quiet=True)
    if told_instead():
        return
    name = verified_name() or your_name()
    if not name:
        say("Type your name to settle it.", "small", quiet=True)
        ask_name()
        return
    say(f"You settle it as {name}.", "small", quiet=True)
    for key in one.differing:
        _form(one, key, name, _options(key, named))


def _form(one: ToSettle, key: str, name: str, options: Mapping[str, Label]) -> None:
    """One question: an answer, a reason, and the button; what was typed outlives a conflict."""
    decided = one.decisions.get(key)
    version = decided.version if decided else 0
    where = f"{one.item.queue}-{one.item.row_id}-{one.item.side}-{key}"
    kind = "list" if key != BETTER and feature(key).kind == "list" else "one"

    def pressed() -> None:
        given = st.session_state[f"settle-answer-{where}"]
        reason = st.session_state[f"settle-reason-{where}"]
        answer = tuple(given) if kind == "list" else options.get(given)
        if kind == "one" and given is None:
            st.session_state[_SAVED] = "Nothing was chosen: pick an answer, then settle it."
            return
        _settle(one.item, key, answer, name, str(reason or ""), version)

    with st.form(f"settle-{where}"):
        say(question_name(key) if key == BETTER else feature(key).question)
        if kind == "list":
            st.pills(
                "Answer",
                list(feature(key).values),
                selection_mode="multi",
                key=f"settle-answer-{where}",
                label_visibility="collapsed",
            )
        else:
            st.segmented_control(
                "Answer", list(options), key=f"settle-answer-{where}", label_visibility="collapsed"
            )
        st.text_input("Reason (optional)", key=f"settle-reason-{where}", max_chars=2_000)
        st.form_submit_button(
            "Settle it anew" if decided else "Settle it",
            key=f"settle-press-{where}",
            on_click=pressed,
        )


def _options(key: str, named: Mapping[Side, str]) -> Mapping[str, Label]:
    if key == BETTER:
        sides = sorted(named, key=named.__getitem__)
        better: dict[str, Label] = {f"{named[side]} is better": side for side in sides}
        return {**better, "No difference": NO_DIFFERENCE, "Can't tell": None}
    asked = feature(key)
    if asked.kind == "boolean":
        return _YES_NO
    return {value.capitalize(): value for value in asked.values} | {"Can't tell": None}


@kindly
def _settle(item: Item, key: str, answer: Label, by: str, reason: str, version: int) -> None:
    made = decide(item, key, answer, by, reason, version)
    words = answer_in_words(key, made.answer)
    st.session_state[_SAVED] = f"Settled pair {item.row_id:,} as {words}, by {made.by}."
