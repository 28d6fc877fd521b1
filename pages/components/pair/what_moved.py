"""What moved the reward of a pair, and what a reply of one's own would get."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeVar, cast

import streamlit as st

from ivan_core.charts.one_pair import effect_bars
from ivan_core.domain.ablation import Flip
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import Reward
from ivan_core.domain.pairs import Side
from ivan_core.experiments.compare import ablation
from ivan_core.experiments.compare.ablation import Effects, OwnReward, Pending
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.sentences import effects_sentence, flip_sentence, signed
from pages.components.kit.figure import figure_menu
from pages.components.kit.press import in_browser
from pages.components.kit.results import plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say, say_with_hint, short_names

_SIDES = {"chosen": "A · chosen", "rejected": "B · rejected"}
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.75;margin:0"
_NUMBER = "font-size:.72rem;font-weight:600;opacity:.8;white-space:nowrap"
_TINTS = {True: "88,132,214", False: "190,146,58"}
_LINES = {True: "underline 1.5px", False: "underline dotted 2px"}
_POLL_SECONDS = 0.5
_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True)
class _Moved:
    """What is known so far: the effects come first, then the flip."""

    effects: Effects | None = None
    flip: Flip | None = None
    pending: Pending | None = None
    problem: IvanError | None = None


def effects(results: Results, row_id: int) -> None:
    """Choose a model and a side of a pair, press a button, see what each sentence adds."""
    names = short_names(results.models)
    with st.container(horizontal=True, vertical_alignment="bottom", key="effects-choice"):
        model = st.selectbox(
            "Model", results.models, format_func=lambda name: names[name], key="effects-model"
        )
        side = st.selectbox(
            "Reply", list(_SIDES), format_func=lambda side: _SIDES[side], key="effects-side"
        )
        asked = (results.run.id, row_id, model, side)
        st.button(
            "What moved the reward?",
            key="effects-ask",
            help="Scores the reply again without each of its sentences, on this machine.",
            on_click=_remember,
            args=("effects", asked),
        )
    if st.session_state.get("effects-asked") != asked:
        return

    def look(again: bool) -> _Moved:
        return _moved(results, row_id, model, cast("Side", side), again)

    found = look(st.session_state.pop("effects-again", False))
    if found.pending:
        _follow(look, lambda now: bool(now.pending), _draw_moved)
        return
    _draw_moved(found)
    if found.effects:
        figure_menu(results.run.id, "sentences", model=model, row=str(row_id), side=side)


def own_reply(results: Results, row_id: int) -> None:
    """Type a reply, press a button, see what every model of the run gives it beside the two."""
    key = f"own-{results.run.id}-{row_id}"
    words = st.text_area(
        "Type your own reply",
        key=key,
        max_chars=ablation.LONGEST_REPLY,
        help="It is scored on this machine in place of the last reply, and sent nowhere.",
    )
    asked = (results.run.id, row_id)
    st.button("Score my reply", key="own-ask", on_click=_remember_words, args=(asked, key))
    if st.session_state.get("own-asked") != (*asked, words):
        return

    def look(again: bool) -> list[OwnReward]:
        return ablation.own_reply(results, row_id, words, again)

    try:
        found = look(st.session_state.pop("own-again", False))
    except IvanError as error:
        say_with_hint(error.message, error.hint)
        return
    if _any_pending(found):
        _follow(look, _any_pending, _draw_own)
    else:
        _draw_own(found)


def _any_pending(found: list[OwnReward]) -> bool:
    return any(reward.pending for reward in found)


def _follow(
    look: Callable[[bool], _Known],
    pending: Callable[[_Known], bool],
    draw: Callable[[_Known], None],
) -> None:
    """Draw what is known, again and again until all is; then the whole page once."""

    def again() -> None:
        now = look(False)
        if not pending(now):
            st.rerun()
        draw(now)

    st.fragment(again, run_every=_POLL_SECONDS)()


def _remember(what: str, asked: tuple[object, ...]) -> None:
    st.session_state[f"{what}-asked"] = asked
    st.session_state[f"{what}-again"] = True


def _remember_words(asked: tuple[object, ...], key: str) -> None:
    # Read here: a press on the button is what ends the typing, after the page was drawn.
    _remember("own", (*asked, st.session_state[key]))


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
        _draw_pending(
            moved.pending, "effects", "Looking for the shortest deletion" if found else ""
        )
    if moved.problem:
        say_with_hint(moved.problem.message, moved.problem.hint)
    if found:
        left, right = st.columns([3, 2])
        with left:
            st.html(shaded([sentence.sentence for sentence in found.sentences], adds))
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
                f"background:rgba({_TINTS[raises]},{0.06 + 0.4 * abs(value) / largest:.2f});"
                f"text-decoration:{_LINES[raises]};text-underline-offset:3px;border-radius:2px"
            )
        parts.append(
            f'<span style="{style}">{escape(words)}</span>'
            f'<sup style="{_NUMBER}"> {i}: {label}</sup>{escape(text[len(words) :])}'
        )
    return f'<div dir="auto" style="{_TEXT}">{"".join(parts)}</div>'


def _draw_pending(pending: Pending, what: str, doing: str = "") -> None:
    st.progress(min(pending.done / pending.total, 1.0) if pending.total else 0.0)
    now = in_browser(pending.doing)
    said = f"{doing}: {now}" if doing else now
    say(f"{said} · {pending.done:,} of {pending.total:,} texts")
    st.button(
        "Cancel",
        key=f"{what}-cancel-{pending.request}",
        on_click=ablation.cancel,
        args=(pending.request,),
        help="What is scored stays known.",
    )


def _draw_own(found: list[OwnReward]) -> None:
    for reward in found:
        if reward.pending:
            say(reward.model)
            _draw_pending(reward.pending, "own")
        elif reward.problem:
            say_with_hint(reward.problem.message, reward.problem.hint)
        else:
            say(own_sentence(reward))


def own_sentence(reward: OwnReward) -> str:
    """What one model gives a typed reply, beside the two."""
    told = []
    sides = (("yours", reward.own), ("A, chosen", reward.chosen), ("B, rejected", reward.rejected))
    for name, given in sides:
        if given is None or given.value is None:
            told.append(f"{name} not rated{_because(given)}")
        else:
            cut = " (not read to the end)" if given.truncated else ""
            told.append(f"{name} {given.value:+.3g}{cut}")
    words = {
        True: "✓ beats the chosen one",
        False: "✗ does not beat the chosen one",
        None: "– nothing to compare",
    }
    return f"{words[reward.beats_chosen]} · {reward.model}: {' · '.join(told)}"


def _because(given: Reward | None) -> str:
    return f" ({given.failure})" if given and given.failure else ""
