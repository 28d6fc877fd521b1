"""The three steps of a labelling as one list, plain tables, and that nobody real answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape

import streamlit as st

from ivan_core.domain.runs import Run
from ivan_core.models import servers
from pages.components.kit.text import clock, say

CHOOSE, COST, FOLLOW = 1, 2, 3
_TITLES = {CHOOSE: "Choose", COST: "Cost and exact text", FOLLOW: "Follow"}
_SHORT = 14
"""Characters of a cell that stay on one line."""


@contextmanager
def open_step(number: int) -> Iterator[None]:
    """The step that is to be done now; what is drawn inside belongs to it."""
    with st.container(border=True, key=f"step-{number}"):
        say(f"{number} · {_TITLES[number]}", "headline")
        yield


def closed_step(number: int, summary: str = "") -> None:
    """A step that is done, with what came of it, or one that is still to come."""
    mark = "✓" if summary else "–"
    told = f": {summary}" if summary else ""
    say(f"{mark} {number} · {_TITLES[number]}{told}", quiet=True)


def finished(run: Run) -> str:
    """When a run came to its end, as in "finished 13:43"."""
    return "finished" if run.finished is None else f"finished {clock(run.finished)}"


def facts(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> None:
    """A small table of plain rows; whatever a cell holds stays text."""
    cell = "padding:0.3rem 1.2rem 0.3rem 0;vertical-align:top;text-align:left;border:0"
    line = "border-top:1px solid color-mix(in srgb, currentColor 15%, transparent)"
    first = f"{cell};opacity:0.72;font-weight:400"
    head = "".join(f'<th scope="col" style="{first}">{escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr style="{line}"><th scope="row" style="{first}">{escape(row[0])}</th>'
        + "".join(f'<td style="{cell};{_breaks(part)}">{escape(part)}</td>' for part in row[1:])
        + "</tr>"
        for row in rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if header else ""
    st.html(
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;width:auto;'
        f'font-variant-numeric:tabular-nums">{top}<tbody>{body}</tbody></table></div>'
    )


def _breaks(text: str) -> str:
    """Where a cell may be broken on a narrow screen: numbers and short words nowhere."""
    return "white-space:nowrap" if len(text) <= _SHORT else "overflow-wrap:anywhere"


def money(dollars: float) -> str:
    """Dollars as people say them."""
    if 0 < dollars < 0.01:
        return f"${dollars:.4f}" if dollars >= 0.0001 else "less than $0.0001"
    return f"${dollars:,.2f}"


def demo_banner(base_url: str = "") -> None:
    """Say it where nobody real answers."""
    who = servers.provider(base_url)
    if who.demo:
        pretended(
            f"The demo server answers at {who.host}: nothing is paid.",
            "It pretends to be OpenAI and answers by rules. Costs are shown as the real provider "
            "would charge them.",
        )


def pretended(sentence: str, more: str) -> None:
    """A box with a sentence and what it means."""
    with st.container(border=True, key="demo"):
        say(sentence, "lead")
        say(more, "small", quiet=True)
