"""What moved the reward of one reply, sentence by sentence, and what deletion turns the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, cast

import streamlit as st

from ivan_core.charts.one_pair import effect_bars
from ivan_core.domain.ablation import Flip
from ivan_core.domain.errors import IvanError
from ivan_core.domain.pairs import Side
from ivan_core.engine.warm.answers import Pending
from ivan_core.experiments.compare import ablation
from ivan_core.experiments.compare.ablation import Effects
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.sentences import effects_sentence, flip_sentence, signed
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import one_of, plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say
from pages.components.pair.replies import TEXT_STYLE
from pages.components.pair.waiting import draw_pending, draw_problem, follow, is_asked_anew

_SIDES = {"chosen": "A · chosen", "rejected": "B · rejected"}
_NUMBER = "font-size:.72rem;font-weight:600;opacity:.8;white-space:nowrap"
TINTS = {True: "88,132,214", False: "190,146,58"}
LINES = {True: "solid", False: "dotted"}
"""How what raises a reward, and what lowers it, is drawn: never by colour alone."""


@dataclass(frozen=True, slots=True)
class _Moved:
    """What is known so far of the sentences: the effects come first, then the flip."""

    effects: Effects | None = None
    flip: Flip | None = None
    pending: Pending | None = None
    problem: IvanError | None = None


def sentence_by_sentence(results: Results, row_id: int, model: str) -> None:
    """What each sentence of one reply adds, and what deletion would turn the verdict."""
    folded = st.expander("Sentence by sentence", on_change="rerun", key="moved-sentences")
    if not folded.open:
        return
    with folded:
        side = one_of("Reply", list(_SIDES), "effects-side", named=lambda name: _SIDES[name])

        def look(again: bool) -> _Moved:
            return _moved(results, row_id, model, cast("Side", side), again)

        found = look(is_asked_anew("effects"))
        if found.pending:
            follow(look, lambda now: bool(now.pending), _draw_moved)
            return
        _draw_moved(found)
        if found.effects:
            figure_menu(results.run.id, "sentences", model=model, row=str(row_id), side=side)


def _moved(results: Results, row_id: int, model: str, side: Side, again: bool) -> _Moved:
    found: Effects | None = None
    try:
        known = ablation.sentence_effects(results, row_id, model, side, again)
        if isinstance(known, Pending):
            return _Moved(pending=known)
        found = known
        if found.reward.value is None or found.other.value is None:
            return _Moved(found)
        flip = ablation.shortest_flip(results, row_id, model, side, again)
        return _Moved(found, pending=flip) if isinstance(flip, Pending) else _Moved(found, flip)
    except IvanError as error:
        return _Moved(found, problem=error)


def _draw_moved(moved: _Moved) -> None:
    found = moved.effects
    if found:
        adds = [sentence.adds for sentence in found.sentences]
        say(effects_sentence(found.model, adds, found.typical), "lead")
        if moved.flip:
            say(flip_sentence(moved.flip, found.model, _winner(found)))
    if moved.pending:
        draw_pending(moved.pending, "effects", "Looking for the shortest deletion" if found else "")
    if moved.problem:
        draw_problem(moved.problem, "effects")
    if found:
        left, right = st.columns([3, 2])
        with left:
            st.html(shaded([sentence.text for sentence in found.sentences], adds))
            say(_about(found), "small", quiet=True)
        with right:
            plain_chart(effect_bars(adds, dark=dark()), "effects-bars")


def _winner(found: Effects) -> Literal["A", "B"]:
    """The side that the model would prefer after a flip."""
    own_is_a = found.side == "chosen"
    likes_own = (found.reward.value or 0.0) > (found.other.value or 0.0)
    return "A" if own_is_a != likes_own else "B"


def _about(found: Effects) -> str:
    told = [
        "Blue with a solid line adds to the reward, amber with a dotted line takes from it; "
        "the number is the reward with the sentence minus without it."
    ]
    if found.reward.truncated:
        told.append("The model did not read the whole text: what it left out adds nothing.")
    reasons = {sentence.failure for sentence in found.sentences if sentence.failure}
    told += [f"Not scored: {reason}." for reason in sorted(reasons)]
    return " ".join(told)


def shaded(sentences: Sequence[str], adds: Sequence[float | None]) -> str:
    """A reply as HTML: each sentence numbered, tinted and underlined by what it adds, and told."""
    largest = max((abs(value) for value in adds if value is not None), default=0.0)
    parts = []
    for i, (text, value, label) in enumerate(zip(sentences, adds, signed(adds), strict=True), 1):
        words = text.rstrip()
        style = ""
        if value and largest:
            raises = value > 0
            style = (
                f"background:rgba({TINTS[raises]},{0.06 + 0.4 * abs(value) / largest:.2f});"
                f"text-decoration:underline {LINES[raises]} {1.5 if raises else 2}px;"
                "text-underline-offset:3px;border-radius:2px"
            )
        parts.append(
            f'<span style="{style}">{escape(words)}</span>'
            f'<sup style="{_NUMBER}"> {i}: {label}</sup>{escape(text[len(words) :])}'
        )
    return f'<div dir="auto" style="{TEXT_STYLE};line-height:1.75">{"".join(parts)}</div>'
