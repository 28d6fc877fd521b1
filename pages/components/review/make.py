"""Making a queue: what is asked, of which items, how many; the rest under "More options"."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.plurals import number_of
from ivan_core.domain.reviews import Task
from ivan_core.domain.specs import parse_row_ids
from ivan_core.labels.schema import GROUPS
from ivan_core.review.queues import (
    DESCRIBE_GROUPS,
    MOST_ITEMS,
    TASKS,
    QueueRequest,
    make_queue,
    plan_queue,
    queue_request,
    runs_to_draw_on,
    sources_for,
)
from pages.components.kit.state import kindly
from pages.components.kit.text import say

_HELP = QueueRequest.model_fields
_USUAL = {"better": 30, "describe": 20}


def make_form(dataset: str) -> None:
    """Ask three things, say what the queue would hold, and make it."""
    left, middle, right = st.columns([3, 4, 2])
    task: Task = left.selectbox(
        "What to ask", list(TASKS), format_func=lambda task: TASKS[task], key="make-task"
    )
    options = {option.source: option for option in sources_for(dataset)}
    source = middle.selectbox(
        "Of which items",
        list(options),
        format_func=lambda name: options[name].words,
        key="make-source",
        help="Only a random sample says how often something is the case.",
    )
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
        typed = st.text_input("Row ids", "0, 1, 2", key="make-rows")
        fields["row_ids"] = tuple(parse_row_ids(typed or "") or ())
    with st.expander("More options"):
        fields |= _more(dataset, task, source)
    if not options[source].possible(task):
        say(f"Not possible now: {options[source].why_not[task]}.")
        return
    try:
        request = queue_request(fields)
        drawn = plan_queue(request)
    except BadInput as problem:
        say(f"{problem.message} {problem.hint}".strip())
        return
    items = number_of(len(drawn.items), "item")
    st.button(
        f"Make a queue of {items}", type="primary", key="make", on_click=_make, args=(request,)
    )
    say(drawn.sentence, "small", quiet=True)
    if source != "random":
        say(
            "Everybody begins with up to 30 random items: those are blind and give the rates.",
            "small",
            quiet=True,
        )


@kindly
def _make(request: QueueRequest) -> None:
    st.session_state["review-queue"] = make_queue(request).id


def _more(dataset: str, task: Task, source: str) -> dict[str, Any]:
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
    comparisons, labellings = runs_to_draw_on(dataset)
    of_source = {
        "second-look": comparisons,
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
