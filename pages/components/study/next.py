"""What next: at the end of a result up to three cards, each with what it is, what it costs and how
long it takes, and a button that starts it or leads to its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.engine import access, handling as runs, studies
from ivan_core.engine.kind import kind_of
from ivan_core.engine.plan import Proposal
from ivan_core.engine.proposals import left_in
from ivan_core.engine.studies import About
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.lists.conditions import Filter
from ivan_core.review.asking import (
    Asked,
    Asking,
    AskingOfReplies,
    asked_before,
    worth_asking,
    worth_describing,
)
from pages.components.kit.conditions import names_on
from pages.components.kit.redrawn import dialog
from pages.components.kit.state import FORM, REVIEW, RUNS, page_of_kind
from pages.components.kit.study import STUDY, study_now
from pages.components.kit.text import md_escape, say, say_under

_MOST = 3
_LONGEST = 3600.0
"""Seconds from which on a run is begun at its form, where fewer rows can be chosen."""
_FRESH = 60.0
"""Seconds for which times that were estimated are shown as they are."""
_TAKEN = (
    "Figures and sentences stand above; the page Runs packs each run, with its tables, as a zip."
)


@dataclass(frozen=True, slots=True)
class _Card:
    """What it is, what one learns of it, and what draws the ways to it."""

    title: str
    told: str
    ways: Callable[[], None]


def what_next() -> None:
    """Draw the cards of the study of this page; nothing for those who may not start anything."""
    about = study_now()
    if about is None or not access.asking().trusted:
        return
    cards = list(_cards(about))[:_MOST]
    st.subheader("What next", anchor=False)
    with st.container(horizontal=True, key="what-next"):
        for place, card in enumerate(cards):
            with st.container(border=True, height="stretch", key=f"what-{place}"):
                say_under(card.title, card.told)
                card.ways()


def _cards(about: About) -> Iterator[_Card]:
    """The most useful first: what nobody has done, with people second; then what adds to it.

    Of people, replies that two labelers dispute are asked about before pairs that nobody does.
    """
    there = tuple((run.id, run.state, run.finished) for run in studies.runs_of(about.id))
    left, people = _left(about.id, there, about), list[_Card]()
    with suppress(IvanError):  # where reviews cannot be read now nobody is asked
        asked = asked_before(about)
        if asking := _asking(about.id, there, asked, about):
            people.append(_Card(asking.does, asking.why, partial(_to_people, about, asking)))
        if replies := _describing(about.id, there, asked, about):
            card = _Card(replies.does, replies.why, partial(_to_describe, replies))
            people.insert(len(people) if asking and asking.run else 0, card)
    of_stage: dict[str, list[Proposal]] = {}
    for one in left:
        of_stage.setdefault(kind_of(one.kind).stage, []).append(one)
    cards = [
        _Card(proposed[0].does, proposed[0].why, partial(_ways, about, proposed))
        for proposed in of_stage.values()
    ]
    yield from cards[:1]
    yield from people[:1]
    yield from cards[1:]
    yield from people[1:]
    yield _Card("Take it with you", _TAKEN, partial(_to_runs, about))


@st.cache_resource(max_entries=16, ttl=_FRESH, show_spinner=False)
def _left(study: str, runs_there: object, _about: About) -> list[Proposal]:
    """What is left of a study with such runs; what it would take is kept a while."""
    return left_in(_about)


@st.cache_resource(max_entries=16, ttl=_FRESH, show_spinner=False)
def _asking(study: str, runs_there: object, asked: Asked, _about: About) -> Asking | None:
    return worth_asking(_about, asked)


@st.cache_resource(max_entries=16, ttl=_FRESH, show_spinner=False)
def _describing(
    study: str, runs_there: object, asked: Asked, _about: About
) -> AskingOfReplies | None:
    return worth_describing(_about, asked)


def _ways(about: About, proposed: list[Proposal]) -> None:
    """A button for each who starts at once, and a link to the form for each who does not."""
    for place, one in enumerate(proposed):
        page = page_of_kind(one.kind)
        if one.starts and (one.takes is None or one.takes.high <= _LONGEST):
            if st.button(f"Start: {md_escape(one.terms)}", key=f"next-{one.kind}"):
                run_id, _ = runs.start(one.spec)
                st.switch_page(page, query_params={"run": run_id})
        else:
            label = f"{'or ' if place else 'Go to the form: '}{md_escape(one.terms)}"
            query = {STUDY: about.id, FORM: one.by}
            st.page_link(page, label=f":primary[{label} →]", query_params=query)


def _to_people(about: About, asking: Asking) -> None:
    if asking.wanted is None:
        label = f":primary[Go to Review: {md_escape(asking.terms)} →]"
        st.page_link(REVIEW, label=label, query_params={STUDY: about.id})
    elif st.button(f"Invite: {asking.terms}", key="next-people"):
        _ask_people(asking)


@dialog("Ask people", width="medium")
def _ask_people(asking: Asking) -> None:
    """Make a queue of the rows that are worth it, here and now."""
    from pages.components.kit.queue_of_rows import queue_of_rows

    rows, wanted = listing(open_results(asking.run)), asking.wanted or Filter(LANGUAGE)
    names = names_on(rows, wanted)
    queue_of_rows(rows, wanted, names, list(asking.rows), "next-queue", asking.count)


def _to_describe(asking: AskingOfReplies) -> None:
    if st.button(f"Invite: {asking.terms}", key="next-describe"):
        _ask_of_replies(asking)


@dialog("Ask people", width="medium")
def _ask_of_replies(asking: AskingOfReplies) -> None:
    """Make a queue of the replies where two labelers differ, here and now."""
    from pages.components.kit.queue_of_rows import make_button

    say(f"{asking.does}. {asking.why}")
    make_button(asking.queue.model_dump(), "next-replies")


def _to_runs(about: About) -> None:
    st.page_link(
        RUNS, label=":primary[Go to Runs: free, a few seconds →]", query_params={STUDY: about.id}
    )
