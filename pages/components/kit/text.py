"""Showing text that nobody vouches for: it is never rendered as markup, and of what is too long to
be sent at once the beginning is shown, and more when asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from html import escape
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ivan_core.domain.transcripts import text_hash
from ivan_core.metrics.differences import MOST_CHARACTERS
from pages.components.kit.press import in_browser

_SIZES = {"headline": "1.35rem", "lead": "1.1rem", "body": "1rem", "small": "0.85rem"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@/])")
_SHORTHAND = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)
"""Places inside what is replaced even where it is escaped: `:smile:`, `->`, web addresses."""
_JOINER = "\u2060"
CELL = "padding:.3rem .7rem;text-align:left;border-bottom:1px solid rgba(128,128,128,.25)"
HEAD = f"{CELL};font-weight:600"
_DIFFERS = "font-weight:650;background:rgba(88,132,214,.14)"


def say(
    text: str,
    size: str = "body",
    quiet: bool = False,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Print a sentence as it is, whatever it holds."""
    st.html(_paragraph(text, size, quiet), width=width)


def say_with_link(text: str, words: str, anchor: str) -> None:
    """Print a sentence, and after it a link to a place on this page; its words are ours."""
    link = f' <a href="#{anchor}" style="white-space:nowrap;margin-left:.9rem">{words}</a>'
    st.html(_paragraph(text, "body", quiet=False).replace("</p>", f"{link}</p>"))


def say_each(texts: Iterable[str], size: str = "body", quiet: bool = False) -> None:
    """Print sentences below each other; a browser draws them in one piece sooner than in many."""
    _in_one_piece(_paragraph(text, size, quiet) for text in texts)


def say_under(lead: str, text: str, size: str = "lead") -> None:
    """Print what leads, and small and quiet below it what more there is to say, if anything."""
    below = [_paragraph(text, "small", quiet=True)] if text else []
    _in_one_piece([_paragraph(lead, size, quiet=False), *below])


def _in_one_piece(paragraphs: Iterable[str]) -> None:
    st.html(f'<div style="display:grid;gap:.5rem">{"".join(paragraphs)}</div>')


def _paragraph(text: str, size: str, quiet: bool) -> str:
    weight = 560 if size == "headline" else 400
    style = (
        f"font-size:{_SIZES[size]};line-height:1.45;font-weight:{weight};"
        f"opacity:{0.72 if quiet else 1};margin:0;overflow-wrap:anywhere"
    )
    return f'<p style="{style}" dir="auto">{escape(text)}</p>'


def clock(moment: float) -> str:
    """A time of day as the visitor's clock shows it, with the day where it is not today.

    `moment` is in seconds since 1970; as in "13:43", "26 Nov, 13:43".
    """
    zone: tzinfo = UTC
    if st.context.timezone:
        with suppress(ValueError, ZoneInfoNotFoundError):
            zone = ZoneInfo(st.context.timezone)
    then, now = datetime.fromtimestamp(moment, zone), datetime.now(zone)
    day = "" if then.date() == now.date() else f"{then.day} {then:%b}, "
    return f"{day}{then:%H:%M}"


def say_with_hint(message: str, hint: str, lead: bool = False) -> None:
    """A sentence, and below it what to do about it, if anything; `lead` says it larger.

    Both may be those of an error, which names options and commands.
    """
    say(in_browser(message), "lead" if lead else "body")
    if hint:
        say(in_browser(hint), "body" if lead else "small", quiet=True)


def in_one(message: str, hint: str) -> str:
    """Both in one line, for where there is no room for two."""
    return in_browser(f"{message} {hint}".strip())


def show_table(heads: Sequence[str], lines: Iterable[str], style: str = CELL) -> None:
    """Draw a small table of HTML: the lines of its head, each without its first cell, and others.

    What is wider than the page is scrolled, by keyboard too. Whoever calls has escaped all text, as
    `cell` does.
    """
    head = "".join(f'<tr><td style="{style}"></td>{line}</tr>' for line in heads)
    st.html(
        '<div style="overflow-x:auto" tabindex="0">'
        '<table style="border-collapse:collapse;font-size:.9rem">'
        f"<thead>{head}</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def cell(words: str, differs: bool = False, style: str = CELL) -> str:
    """One cell of such a table; what differs is bold and tinted."""
    return f'<td style="{style};{_DIFFERS if differs else ""}" dir="auto">{escape(words)}</td>'


def md_escape(text: str) -> str:
    """Text for a label, where Streamlit renders markdown: every character stands for itself."""
    apart = _SHORTHAND.sub(_JOINER, " ".join(text.split()))
    return _MARKDOWN.sub(r"\\\1", apart)


CHARACTERS_SHOWN = MOST_CHARACTERS
"""Characters of a text that are shown unasked; what is compared word by word is shown whole."""
CHARACTERS_MORE = 50_000
"""Characters that one press adds."""
TURNS_AT_ENDS = 5
"""Turns that are shown at either end of a long dialogue."""
TURNS_SHOWN = 50
"""Turns between them that are shown at once."""
Item = TypeVar("Item")


def show_part(text: str, key: str, draw: Callable[[str], object]) -> None:
    """Draw a text, or as much of it as is shown, with a button for more; `key` tells texts of one
    screen apart."""
    if len(text) <= CHARACTERS_SHOWN:
        draw(text)
        return
    state = f"more-{key}-{text_hash(text)[:12]}"
    shown = CHARACTERS_SHOWN + CHARACTERS_MORE * int(st.session_state.get(state, 0))
    left = len(text) - shown
    draw(text if left <= 0 else f"{text[:shown]}…")
    if left > 0:
        say(f"{shown:,} of {len(text):,} characters are shown.", "small", quiet=True)
        st.button(
            "Show more" if left > CHARACTERS_MORE else "Show the rest",
            key=f"{state}-button",
            on_click=_one_more,
            args=(state,),
        )


def show_many(
    items: Sequence[Item], show: Callable[[Item, str], None], key: str, noun: str
) -> None:
    """The first and the last of many, and a button for those between, which are turned in pages.

    `show` is given each item and a key of its own.
    """
    between = len(items) - 2 * TURNS_AT_ENDS
    if between <= 2:
        for place, item in enumerate(items):
            show(item, f"{key}-{place}")
        return
    for place in range(TURNS_AT_ENDS):
        show(items[place], f"{key}-{place}")
    _between(items, show, key, noun, between)
    for place in range(len(items) - TURNS_AT_ENDS, len(items)):
        show(items[place], f"{key}-{place}")


def _between(
    items: Sequence[Item], show: Callable[[Item, str], None], key: str, noun: str, between: int
) -> None:
    state = f"between-{key}-{len(items)}"
    if not st.session_state.get(state):
        st.button(
            f"Show the {between:,} {noun} between",
            key=f"{state}-button",
            on_click=_one_more,
            args=(state,),
        )
        return
    pages = -(-between // TURNS_SHOWN)
    page = st.pagination(pages, key=f"{state}-page", max_visible_pages=5) if pages > 1 else 1
    first = TURNS_AT_ENDS + (page - 1) * TURNS_SHOWN
    last = min(first + TURNS_SHOWN, len(items) - TURNS_AT_ENDS)
    say(f"{first + 1:,} to {last:,} of {len(items):,} {noun}.", "small", quiet=True)
    for place in range(first, last):
        show(items[place], f"{key}-{place}")


def _one_more(state: str) -> None:
    st.session_state[state] = int(st.session_state.get(state, 0)) + 1
