"""What stands on Home before pairs were judged: two ways to begin, and what this machine has."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.specs import CompareSpec, DatasetRequest, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import access, handling as runs
from ivan_core.engine.machine import equipment
from ivan_core.engine.own_pairs import Found
from ivan_core.engine.whole_study import do_all, left_of
from ivan_core.experiments.compare import plan as compare
from pages.components.home.tiles import takes_words, what_is_done
from pages.components.home.tour import show_me
from pages.components.kit.state import COMPARE, WORDS
from pages.components.kit.study import STUDY, begin_with, in_study
from pages.components.kit.text import in_one, say
from pages.components.public.reading import only_reads, told_instead
from pages.components.study.own_pairs import ask_for_pairs, look_at


def first_visit() -> None:
    """What IVAN is for, and two ways to begin: with the sample, or with pairs of one's own."""
    st.title("What does a preference dataset really teach a reward model?", anchor=False)
    say(
        "A reward model scores replies; in RLHF it stands in for people. IVAN puts such models "
        "to the test, pair by pair, and shows you where they side with the choice and where "
        "they do not.",
        "lead",
    )
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch", key="begin-sample"):
        st.subheader("See it on bundled pairs", anchor=False)
        _sample()
    if access.asking().trusted:
        with right, st.container(border=True, height="stretch", key="begin-own"):
            st.subheader("Or bring your own pairs", anchor=False)
            asked = ask_for_pairs("home")
        if asked is not None:
            look_at(asked, "home", _judge_all)


def _sample() -> None:
    spec = compare.preset_spec("demo")
    plan = compare.plan(spec)
    took = plan.takes.words if plan.takes else "about a minute"
    if not told_instead() and st.button(
        f"Judge the sample with two models, {took}", type="primary", key="first"
    ):
        _start(spec)
    _do_whole_study(RowsSpec(dataset=spec.dataset), "do-all", " on the sample")
    pairs = f"{plan.pairs:,} bundled pairs" if plan.pairs is not None else "Bundled pairs"
    say(
        f"{pairs}, two small models that ship with IVAN: one learned from people's choices, the "
        "other never saw any. Nothing is downloaded or sent.",
        "small",
        quiet=True,
    )
    show_me()


def _start(spec: CompareSpec) -> None:
    run_id, _ = runs.start(spec)
    st.session_state["run"] = run_id
    st.switch_page(COMPARE, query_params={"run": run_id})


def _do_whole_study(rows: RowsSpec, key: str, on: str = "") -> None:
    """Offer to do all stages on some rows that cost nothing, and to follow them here."""
    left = left_of(rows)
    if len(left.steps) < 2 or only_reads():
        return
    label = f"Do the whole study{on}{takes_words(left)}"
    if st.button(label, key=key, help=what_is_done(left)):
        about = begin_with(rows)
        do_all(about)
        st.query_params.from_dict({STUDY: about.id})
        st.rerun()


def _judge_all(request: DatasetRequest, found: Found) -> None:
    """Offer to judge all pairs of a dataset, or to begin a study with them."""
    rows = RowsSpec(dataset=request)
    _judge(rows)
    if st.button("Only begin a study with them", key="home-keep"):
        about = begin_with(rows)
        st.query_params.from_dict({STUDY: about.id})
        st.rerun()


def _judge(rows: RowsSpec) -> None:
    """Offer to judge some rows with the models of the preset."""
    asked = rows.model_dump(exclude={"dataset"})
    spec = compare.preset_spec().model_copy(update={"dataset": rows.dataset, **asked})
    plan = compare.plan(spec)
    took = f", {plan.takes.words}" if plan.takes else ""
    pairs, models = number_of(plan.pairs or 0, "pair"), number_of(plan.models, "model")
    if st.button(f"Judge {pairs} with {models}{took}", type="primary", key="home-judge"):
        begin_with(rows)
        _start(spec)
    _do_whole_study(rows, "home-all")
    say(f"{', '.join(spec.models)}. Nothing is sent anywhere.", "small", quiet=True)
    for note in plan.notes:
        say(note, "small", quiet=True)


def teaser() -> None:
    """One line that leads to what is for fun."""
    label = ":primary[For fun: the best and the worst words, by two reward models →]"
    st.page_link(WORDS, label=label, query_params=in_study())


def this_machine() -> None:
    """What this machine has, and how to get what it has not."""
    with st.expander("When you want more"):
        for thing in equipment():
            mark = "✓" if thing.present else "–"
            say(in_one(f"{mark} {thing.name}.", "" if thing.present else thing.hint))
