"""The owner's view of reviews: queues and invitations, agreement, what to settle, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from ivan_core.review.queues import datasets_to_review
from pages.components.kit.frame import problems_shown
from pages.components.kit.results import one_view
from pages.components.kit.study import study_now
from pages.components.kit.text import say
from pages.components.review.agreement import agreement_tab
from pages.components.review.files import files
from pages.components.review.queues import queues_tab
from pages.components.review.settle import settle_tab
from pages.components.study.next import what_next

_DATASET = "review-dataset"
_TABS: Mapping[str, Callable[[str], None]] = {
    "Queues": queues_tab,
    "Agreement": agreement_tab,
    "Settle": settle_tab,
    "Files": files,
}


def owner_view() -> None:
    """Choose a dataset, then look at its queues or at what came of them."""
    say(
        "What do people say? Ask them which reply is better, or to describe a reply, and see how "
        "far they agree with each other, with the labelers and with the models.",
        "lead",
    )
    study = study_now()
    found = datasets_to_review(study.fingerprint if study else "")
    dataset = next(iter(found))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        tab = one_view("View", list(_TABS), "review-view")
    if len(found) > 1:
        dataset = right.selectbox(
            "Dataset", list(found), key=_DATASET, format_func=found.__getitem__
        )
    with problems_shown():
        _TABS[tab](dataset)
    if tab == "Agreement" and study is not None and study.fingerprint == dataset:
        what_next()
