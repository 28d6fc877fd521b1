"""What was found in a study: sentences with a small picture and a real pair, which lead to rows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ivan_core.charts.small import small_bars
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import experiments, known
from ivan_core.engine.studies import whole_first
from ivan_core.figures.finding import Example, Finding
from ivan_core.metrics.differences import Piece
from pages.components.kit.frame import problems_shown
from pages.components.kit.results import plain_chart
from pages.components.kit.state import PAIRS, dark, page_of
from pages.components.kit.text import md_escape, say, say_under

_LOOKED_AT = 3
"""How many of the newest finished runs of a stage may be damaged before nothing is said of it."""
_STYLE = """<style>
.st-key-findings { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.st-key-findings > div { height: 100%; width: auto; }
[class*=st-key-finding-] { position: relative; }
[class*=st-key-finding-] *:not(svg *) { position: static; }
[class*=st-key-finding] [data-testid=stPageLink] a { padding-left: 0; }
[class*=st-key-finding] [data-testid=stPageLink] a::after { content: ""; position: absolute;
  inset: 0; z-index: 1; border-radius: .5rem; }
[class*=st-key-finding] [data-testid=stElementToolbar] { display: none; }
.ivan-lines p { margin: 0; font-size: .85rem; line-height: 1.5; opacity: .85;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.ivan-lines span { display: inline-block; min-width: 4.6rem; opacity: .8; }
.ivan-lines b { font-weight: 650; }
</style>"""
"""The whole card is its link: a finding leads to its rows wherever it is pressed."""


def found_in(done: Sequence[Run]) -> None:
    """The findings of the newest of some finished runs of each stage."""
    st.html(_STYLE)
    is_first, place = True, st.container()
    with st.container(key="findings"):
        for stage in dict.fromkeys(kind.stage for kind in experiments()):
            own = whole_first(run for run in done if known(run).stage == stage)
            with problems_shown():
                is_first = not _findings_of(own, place if is_first else None) and is_first


def _findings_of(done: Sequence[Run], head: DeltaGenerator | None) -> bool:
    """The findings of the newest of some runs of a stage that is whole; whether there is one.

    `head` is told what they were found in.
    """
    for run in done[:_LOOKED_AT]:
        figures = known(run).figures
        results = next(runs.opened([run], figures().open), None) if figures else None
        if figures is None or results is None:
            continue
        if head is not None:
            about = results.dataset.about
            with head:
                say(
                    f"Found in {about['label']}, run {run.label}. {about['note']}".strip(),
                    quiet=True,
                )
        for place, finding in enumerate(figures().findings(results)):
            _card(run, finding, f"finding-{run.id}-{place}")
        return True
    return False


def _card(run: Run, finding: Finding, key: str) -> None:
    """A sentence, two texts and a picture; all of it is the link."""
    with st.container(border=True, gap="small", height="stretch", key=key):
        say_under(finding.sentence, finding.aside)
        words, picture = st.columns([5, 3], gap="small") if finding.bars else (st.container(), None)
        with words, st.container(gap="xsmall"):
            if finding.example is not None:
                _example(finding.example())
            _link(run, finding)
        if picture is not None:
            bars = [(bar.name, bar.label, bar.shares) for bar in finding.bars]
            described = "; ".join(f"{bar.name} {bar.label}" for bar in finding.bars)
            with picture:
                plain_chart(small_bars(bars, described, dark=dark()), f"{key}-picture")


def _link(run: Run, finding: Finding) -> None:
    label = f":primary[{md_escape(finding.link)} →]"
    if finding.row is not None and not finding.query:
        where, query = PAIRS, {"row": str(finding.row)}
    else:
        where, query = page_of(run), dict(finding.query)
    st.page_link(where, label=label, query_params={"run": run.id, **query})


def _example(example: Example) -> None:
    """Two texts, a line each, the words that differ bold; nobody vouches for what they hold."""
    lines = [
        f'<p dir="auto"><span>{escape(name)}</span>{"".join(map(_piece, pieces))}</p>'
        for name, pieces in (example.first, example.second)
    ]
    st.html(f'<div class="ivan-lines">{"".join(lines)}</div>')
    if example.told:
        say(example.told, "small", quiet=True)


def _piece(piece: Piece) -> str:
    text, differs = piece
    return f"<b>{escape(text)}</b>" if differs else escape(text)
