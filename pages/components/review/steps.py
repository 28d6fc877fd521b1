"""What every screen of an invitation shares: looks, going back, putting aside, stopping, time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from threading import Lock
from time import monotonic

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.reviews import Opinion, OpinionConflict
from ivan_core.review.flow import Place, Screen, Standing, number_in_queue, place_before, skip
from ivan_core.review.rights import verified_name
from pages.components.kit.keys import UNREAD_SECONDS, presses_once
from pages.components.kit.state import dark, keep_refusal
from pages.components.review.first import somebody_else

_STYLE = """<style>
[data-testid=stMainBlockContainer] { max-width: 76rem; padding: 1.2rem 1.5rem 11rem; }
[data-testid=stMainBlockContainer] [data-testid=stHtml] { font-size: 1.06rem; }
.st-key-review-narrow { max-width: 44rem; margin: 0 auto; }
.st-key-review-head, .st-key-review-status { flex-wrap: nowrap !important; }
.st-key-review-head > :first-child, .st-key-review-status > :first-child { flex: 1; min-width: 0; }
.st-key-review-head > :last-child { flex: none; }
.st-key-review-status { min-height: 2.6rem; }
.st-key-review-status .by-touch { display: none; }
.st-key-review-bar {
  position: fixed; left: 0; right: 0; bottom: 0; z-index: 20; padding: .7rem 1rem .6rem;
  background: BACKGROUND; border-top: 1px solid rgba(128,128,128,.35);
}
.st-key-review-bar > * { max-width: 73rem; margin-inline: auto; width: 100%; }
.st-key-review-answers [data-testid=stButton] button { min-height: 3rem; }
.st-key-review-describe {
  display: grid !important; column-gap: 3.5rem; align-items: start;
  grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); grid-template-rows: auto 1fr;
}
.st-key-review-describe > :has(> .st-key-review-before) { grid-area: 1 / 1; }
.st-key-review-describe > :has(> .st-key-review-reply) {
  grid-area: 2 / 1; position: sticky; top: .6rem; z-index: 10;
}
.st-key-review-describe > :has(> .st-key-review-questions) { grid-area: 1 / 2 / span 2; }
.st-key-review-reply { background: BACKGROUND; }
.st-key-review-reply .st-key-the-reply { max-height: calc(100vh - 13rem); overflow-y: auto; }
@media not all and (hover: hover) and (pointer: fine) {
  [data-testid=stMainBlockContainer] kbd, .st-key-review-status .by-keys,
  .ivan-questions .by-keys { display: none !important; }
  .st-key-review-status .by-touch { display: block; }
  [class*=st-key-side-]:has([class*=st-key-choose-]) { cursor: pointer; }
  [class*=st-key-side-]:has([class*=st-key-choose-]):active { border-color: #4a6fd4; }
}
@media (max-width: 640px) {
  [data-testid=stMainBlockContainer] { padding: .8rem .8rem 13rem; }
  .st-key-review-status { min-height: 3.2rem; }
  .st-key-review-bar { padding: .5rem .6rem .3rem; }
  .st-key-review-answers { display: grid !important; grid-template-columns: 1fr 1fr; gap: .4rem; }
  .st-key-review-answers > * { width: 100% !important; min-width: 0 !important; }
  .st-key-review-answers [data-testid=stButton] button { min-height: 2.75rem; }
  .st-key-review-describe { display: flex !important; }
  .st-key-review-describe > :has(> .st-key-review-reply) { top: 0; }
  .st-key-review-reply .st-key-the-reply { max-height: 32vh; }
}
</style>"""
_BACKGROUND = {False: "#fcfbf8", True: "#14161b"}
"""Of the page, by whether it is dark: the bar must cover what passes under it."""


def calm() -> None:
    """Put style and keys of an invitation on the page. Both are fixed: no text of data in them."""
    st.html(_STYLE.replace("BACKGROUND", _BACKGROUND[dark()]))
    presses_once()


def how_to_answer(by_keys: str, by_touch: str) -> None:
    """How this screen is answered: one sentence where there are keys, another where fingers tap."""
    small = "font-size:.85rem;line-height:1.45;opacity:.72;margin:0"
    st.html(
        f'<p class="by-keys" style="{small}">{escape(by_keys)}</p>'
        f'<p class="by-touch" style="{small}">{escape(by_touch)}</p>'
    )


def progress(number: int, total: int, name: str) -> None:
    """Where somebody is ("7 of 30" and a thin line), and under which name they judge."""
    share = 100 * (number - 1) / total if total else 100
    told = escape(f"{number:,} of {total:,}")
    st.html(
        f'<div style="display:flex;align-items:center;gap:.8rem">'
        f'<span style="white-space:nowrap;font-weight:560">{told}</span>'
        f'<div style="flex:1;min-width:4rem;height:6px;border-radius:3px;'
        f'background:rgba(128,128,128,.25)"><div style="width:{share:.1f}%;height:6px;'
        f'border-radius:3px;background:#4a6fd4"></div></div>'
        f'<span style="font-size:.9rem;opacity:.8;overflow:hidden;text-overflow:ellipsis;'
        f'white-space:nowrap;max-width:45%" dir="auto">{escape(name)}</span></div>'
    )


AT = "review-at"
"""The place that somebody went back to; without one the queue says what comes."""
_STOPPED = "review-stopped"
_CLASH = "review-clash"
_SHOWN = "review-shown"
"""The place on the screen, and since when."""
_READ = "review-read"
"""Seconds for which places were on the screen that were left without an answer."""
_SAVED = "review-saved"
"""The version that this window saved last of each item, by item and name."""
_SAVING = "review-saving"
"""Held while a press of this session is saved."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A press that another window was faster than: where, and what it would have said."""

    place: Place
    pressed: str


@contextmanager
def head(now: Standing, screen: Screen) -> Iterator[None]:
    """How far somebody is and as whom they judge; the block fills a line that is always there."""
    _start_clock(screen.place)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="review-head"):
        verified = verified_name() == now.name
        number = number_in_queue(now, screen.place)
        progress(number, now.total, now.name if verified else f"{now.name} (not verified)")
        if not verified:
            st.button(
                "Not you?",
                key="review-other",
                type="tertiary",
                on_click=_somebody_else,
                width="content",
            )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="review-status"
    ):
        yield


def keep_it() -> None:
    """Leave what was said before as it is."""
    st.button("Keep it", key="review-keep", shortcut="k", on_click=go_to, args=(None,))


def clash_here(screen: Screen) -> Clash | None:
    """The press on this screen that another window was faster than."""
    found = st.session_state.get(_CLASH)
    return found if isinstance(found, Clash) and found.place == screen.place else None


def moves(now: Standing, screen: Screen) -> None:
    """Put aside, go back, stop: the same three buttons on every screen."""
    place = screen.place
    tag = f"{place.queue}-{place.row_id}-{place.side}-{place.screen}"
    before = place_before(now, place)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", gap="small", key="review-moves"
    ):
        st.button(
            "Skip this one",
            key=f"skip-{tag}",
            shortcut="s",
            type="tertiary",
            on_click=skip_item,
            args=(screen,),
        )
        st.button(
            "Undo",
            key=f"undo-{tag}",
            shortcut="u",
            type="tertiary",
            disabled=before is None,
            on_click=go_to,
            args=(before,),
        )
        st.button("Stop", key=f"stop-{tag}", type="tertiary", on_click=stop, args=(now,))


def skip_item(screen: Screen) -> None:
    """Put an item aside, and go on."""
    keep(screen, "skipped", lambda note, seconds: skip(screen, note, seconds))


def keep(screen: Screen, pressed: str, save: Callable[[str, float], Opinion]) -> bool:
    """Save a press and leave the item; where another window was faster, stay and tell.

    A press that was made before the item could be read is not taken, nor a second one on an item
    that this window has just answered and that was still painted. `pressed` is the press in words.
    Returns whether the item is answered.
    """
    saved: dict[tuple[object, ...], int] = st.session_state.setdefault(_SAVED, {})
    mine, note, seconds = _item(screen), note_of(screen), seconds_here()
    try:
        # Streamlit begins with a second press while the first is still being saved.
        with st.session_state.setdefault(_SAVING, Lock()):
            if saved.get(mine, 0) > screen.opinion.version:
                return True
            if seconds < UNREAD_SECONDS:
                return False
            before = _read_before().get(screen.place, 0.0)
            saved[mine] = save(note, round(before + seconds, 1)).version
    except OpinionConflict:
        st.session_state[AT] = screen.place
        st.session_state[_CLASH] = Clash(screen.place, pressed)
        return False
    except IvanError as error:
        keep_refusal(error)
        return False
    leave_item()
    _read_before().pop(screen.place, None)
    return True


def _item(screen: Screen) -> tuple[object, ...]:
    """Which item a screen shows, and to whom."""
    place = screen.place
    return place.queue, place.row_id, place.side, screen.opinion.reviewer


def note_key(screen: Screen) -> str:
    """The widget in which a note on this item is typed."""
    place = screen.place
    return f"review-note-{place.queue}-{place.row_id}-{place.side}"


def note_of(screen: Screen) -> str:
    """The note that stands on the screen; what was saved where there is no field."""
    typed = st.session_state.get(note_key(screen))
    return screen.opinion.note if typed is None else str(typed).strip()


def leave_item() -> None:
    """Go on with what the queue gives next; what was read of the item counts if one comes back."""
    shown = st.session_state.get(_SHOWN)
    if isinstance(shown, tuple):
        read = _read_before()
        read[shown[0]] = read.get(shown[0], 0.0) + seconds_here()
    for name in (AT, _CLASH, _SHOWN):
        st.session_state.pop(name, None)


def go_to(place: Place | None) -> None:
    """Look at an item again."""
    leave_item()
    st.session_state.pop(_STOPPED, None)
    if place is not None:
        st.session_state[AT] = place


def stop(now: Standing) -> None:
    """Show the last screen; what was said is kept."""
    leave_item()
    st.session_state[_STOPPED] = (now.queue.id, now.name)


def has_stopped(now: Standing) -> bool:
    """Whether this person stopped judging this queue, and did not take it up again."""
    return st.session_state.get(_STOPPED) == (now.queue.id, now.name)


def go_on() -> None:
    """Take it up again after a stop."""
    st.session_state.pop(_STOPPED, None)


def _somebody_else() -> None:
    leave_item()
    st.session_state.pop(_READ, None)
    go_on()
    somebody_else()


def _read_before() -> dict[Place, float]:
    read: dict[Place, float] = st.session_state.setdefault(_READ, {})
    return read


def _start_clock(place: Place) -> None:
    st.session_state.setdefault(_SAVING, Lock())
    shown = st.session_state.get(_SHOWN)
    if not isinstance(shown, tuple) or shown[0] != place:
        st.session_state[_SHOWN] = (place, monotonic())


def seconds_here() -> float:
    """How long the item has been on the screen: since it was sent, which is before it is painted.

    So on a slow machine too, no press that the browser let through is refused.
    """
    shown = st.session_state.get(_SHOWN)
    return monotonic() - shown[1] if isinstance(shown, tuple) else 0.0
