"""What reviewers said of a pair and of its replies, and how differences were settled."""

from __future__ import annotations

import streamlit as st

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.reviews import BETTER, Queue
from ivan_core.review.settle import ToSettle, said_of_row
from pages.components.kit.frame import problems_shown
from pages.components.kit.text import say
from pages.components.review.versions import versions


def pair_reviews(dataset: PreparedDataset, row_id: int) -> None:
    """Draw what people said of a row; nothing where nobody said anything."""
    with problems_shown():
        found = said_of_row(dataset, row_id)
        if not found:
            return
        people = sorted({one.reviewer for _, said in found for one in said.opinions})
        with st.expander(f"What reviewers said ({len(people):,})"):
            for queue, said in found:
                _one(queue, said)


def _one(queue: Queue, said: ToSettle) -> None:
    what = "Which reply is better?" if queue.task == BETTER else f"The {said.item.side} reply"
    how = "a random sample" if queue.random else "not a random sample"
    say(f"{what} In “{queue.title}”, {how}.", "small", quiet=True)
    answered = {key for one in said.opinions for key in one.answers}
    versions(said, [key for key in queue.asked if key in answered])
