"""The queues of a dataset: how far they are, how people get in, and the form of a new one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import Task
from ivan_core.domain.specs import parse_row_ids
from ivan_core.domain.words import number_of
from ivan_core.labels.schema import GROUPS
from ivan_core.metrics.imprint.corrected import LEAST_REVIEWED
from ivan_core.review.queues import (
    DESCRIBE_GROUPS,
    PAIRS,
    TASKS,
    QueueState,
    drawn_by_pairs,
    make_queue,
    plan_queue,
    queue_request,
    queues_of,
    runs_to_draw_on,
    sources_for,
    state_of,
)
from ivan_core.review.rights import close_queue
from ivan_core.review.sources import MOST_ITEMS, QueueRequest
from ivan_core.review.whole_pairs import asked_of_pairs, whole_terms
from pages.components.kit.frame import tell_refusal
from pages.components.kit.state import ASK, kindly
from pages.components.kit.text import in_one, say
from pages.components.public.reading import only_reads, told_instead
from pages.components.review.invite import invite, link_to

_HELP = QueueRequest.model_fields
_USUAL = {"better": 30, "describe": 20}
_ASKED = "review-asked"


def make_form(dataset: str) -> None:
    """Ask three things, say what the queue would hold, and make it."""
    _take_asked(dataset)
    left, middle, right = st.columns([3, 4, 2])
    task: Task = left.selectbox(
        "What to ask", list(TASKS), format_func=lambda task: TASKS[task], key="make-task"
    )
    options = {option.name: option for option in sources_for(dataset)}
    picked = middle.selectbox(
        "Of which items",
        list(options),
        format_func=lambda name: options[name].words,
        key="make-source",
        help="Only a random sample says how often something is the case.",
    )
    source, whole = options[picked].source, options[picked].whole
    if whole:
        pairs = right.number_input(
            "How many pairs", 1, MOST_ITEMS // 2, LEAST_REVIEWED, key="make-pairs"
        )
        count = 2 * pairs
    else:
        count = right.number_input(
            "How many",
            1,
            MOST_ITEMS,
            _USUAL[task],
            key=f"make-count-{task}",
            help=_HELP["count"].description,
        )
    fields: dict[str, Any] = {"dataset": dataset, "task": task, "source": source, "count": count}
    if source == "rows":
        typed = st.text_input("Pair numbers", "0, 1, 2", key="make-rows")
        fields["row_ids"] = tuple(parse_row_ids(typed or "") or ())
    with st.expander("More options"):
        fields |= _more(dataset, task, source, whole)
    if not options[picked].possible(task):
        say(f"Not possible now: {options[picked].why_not[task]}.")
        return
    try:
        request = queue_request(fields)
        drawn = plan_queue(request)
    except BadInput as problem:
        say(in_one(problem.message, problem.hint))
        return
    items = number_of(len(drawn.items), "item")
    if not told_instead():
        st.button(
            f"Make a queue of {items}", type="primary", key="make", on_click=_make, args=(request,)
        )
    say(drawn.sentence, "small", quiet=True)
    if whole:
        say(whole_terms(dataset, len(drawn.items)), "small", quiet=True)
    if source != "random" and not drawn.listed:
        say(
            "Everybody first judges up to 30 items drawn from the whole dataset: only those enter "
            "the rates.",
            "small",
            quiet=True,
        )


def _take_asked(dataset: str) -> None:
    """Fill in what the address asks for, once: both replies of the pairs of an analysis."""
    asked = st.query_params.get(ASK, "")
    if not asked or st.session_state.get(_ASKED) == asked:
        return
    st.session_state[_ASKED] = asked
    try:
        found = asked_of_pairs(dataset, tuple(asked.split("~")))
    except BadInput as problem:  # all are asked, runs are gone or of other pairs: a plain form
        say(in_one(problem.message, problem.hint), "small")
        return
    st.session_state["make-task"] = "describe"
    st.session_state["make-source"] = PAIRS
    st.session_state["make-pairs"] = found.count
    st.session_state["make-of"] = found.runs
    st.session_state["make-groups"] = list(found.groups)
    st.session_state["make-opinions"] = 1


@kindly
def _make(request: QueueRequest) -> None:
    st.session_state[CHOSEN] = make_queue(request).id
    st.query_params.pop(ASK, None)
    st.session_state.pop(_ASKED, None)


def _more(dataset: str, task: Task, source: str, whole: bool) -> dict[str, Any]:
    """What has a default that fits most."""
    left, middle, right = st.columns(3)
    found: dict[str, Any] = {
        "title": left.text_input(
            "Title",
            key="make-title",
            max_chars=200,
            placeholder="made from the choices above",
            help=_HELP["title"].description,
        )
        or "",
        "assigned": middle.text_input(
            "For one person",
            key="make-assigned",
            max_chars=80,
            placeholder="whoever has the link",
            help=_HELP["assigned"].description,
        )
        or "",
        "opinions": right.number_input(
            "Opinions an item needs",
            1,
            50,
            2,
            key="make-opinions",
            help=_HELP["opinions"].description,
        ),
        "seed": right.number_input(
            "Seed", 0, 2**31, 0, key="make-seed", help=_HELP["seed"].description
        ),
    }
    if task == "better":
        found["tells"] = middle.toggle(
            "Tell the choice after each pair", key="make-tells", help=_HELP["tells"].description
        )
    comparisons, labellings, analyses = runs_to_draw_on(dataset)
    of_source = {
        "against": comparisons,
        "low-agreement": labellings,
        "disagreements": comparisons if task == "better" else labellings,
    }.get(source, {})
    if of_source:
        found["runs"] = tuple(
            left.multiselect(
                "Runs to draw on",
                list(of_source),
                key=f"make-runs-{task}-{source}",
                format_func=of_source.__getitem__,
                placeholder="the newest",
                help=_HELP["runs"].description,
            )
        )
    if source == "second-look" and analyses:
        found["runs"] = (
            left.selectbox(
                "The list of", list(analyses), key="make-list", format_func=analyses.__getitem__
            ),
        )
    if whole:
        of = drawn_by_pairs(dataset, st.session_state.get("make-of") or ())
        found["runs"] = left.selectbox(
            "Pairs to draw from", list(of), key="make-of", format_func=of.__getitem__
        )
    if task == "describe":
        if source != "low-agreement":
            found["groups"] = tuple(
                left.multiselect(
                    "Questions",
                    GROUPS,
                    list(DESCRIBE_GROUPS),
                    key="make-groups",
                    help=_HELP["groups"].description,
                )
            )
        if source == "random":  # whole pairs are an item of the list
            found["sides"] = "both" if whole else "one"
        else:
            both = middle.toggle("Both replies of a pair", key="make-sides")
            found["sides"] = "both" if both else "one"
        if source != "random" and labellings:
            found["prefill"] = middle.selectbox(
                "Fill in beforehand",
                ["", *labellings],
                key="make-prefill",
                format_func=lambda run: labellings[run] if run else "nothing: blind",
                help=_HELP["prefill"].description,
            )
    return found


CHOSEN = "review-queue"


def queues_tab(dataset: str) -> None:
    """The table of queues, one of them in detail, and the form for another."""
    tell_refusal()
    states = [state_of(queue) for queue in queues_of(dataset)]
    asked = ASK in st.query_params
    if asked:
        _form(dataset, True)
    if states:
        _table(states)
        _one(states)
    else:
        say("Nobody was asked yet. Make a queue, then send its link to people.")
    if not asked:
        _form(dataset, not states)


def _form(dataset: str, opened: bool) -> None:
    with st.expander("Make a queue", expanded=opened):
        make_form(dataset)


def _table(states: list[QueueState]) -> None:
    st.dataframe(
        [state.row for state in states],
        hide_index=True,
        key="review-queues",
        column_config={
            "Done": st.column_config.ProgressColumn(
                "Done",
                format="%.0f%%",
                min_value=0,
                max_value=100,
                help="Items that have the opinions they need.",
            )
        },
    )


def _one(states: list[QueueState]) -> None:
    """A queue: who judged, the link that leads to it, and whether it is open."""
    by_id = {state.queue.id: state for state in states}
    if st.session_state.get(CHOSEN) not in by_id:
        st.session_state.pop(CHOSEN, None)
    number = st.selectbox(
        "Queue", list(by_id), key=CHOSEN, format_func=lambda number: by_id[number].name
    )
    state = by_id[number]
    queue = state.queue
    say(state.sentence)
    if state.of_pairs:
        say(state.of_pairs)
    if queue.tells:
        say("What was chosen is told after each pair.", "small", quiet=True)
    if queue.closed:
        say("It is closed: its link takes no more answers. What was said is kept.")
    else:
        invite(queue)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not queue.closed:
            st.link_button("Judge it yourself", link_to(queue), help="In a window of its own.")
        if not only_reads():
            st.button(
                "Open it again" if queue.closed else "Close it",
                key="review-close",
                help="A closed queue takes no more answers.",
                on_click=_close,
                args=(queue.id, not queue.closed),
            )


@kindly
def _close(queue_id: int, closed: bool) -> None:
    close_queue(queue_id, closed)
