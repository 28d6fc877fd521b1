"""What can be done with the rows that a page lists: files, also for other tools, and a queue
for reviewers.

What makes a queue, or a file for another tool, is loaded when somebody asks for one: it is a tenth
of what a page of results loads, and few want it.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.lists.conditions import Filter, Listing, Names
from ivan_core.lists.download import FORMS, Columns, Form, file_name, write_rows
from pages.components.kit.results import fold
from pages.components.kit.text import md_escape
from pages.components.public.pace import paced
from pages.components.public.reading import only_reads


def take_away(
    listing: Listing,
    wanted: Filter,
    names: Names,
    row_ids: list[int],
    columns: Callable[[], Columns],
) -> None:
    """Downloads of the rows shown, made when asked for, and a queue of them; in a demo no queue."""
    if not row_ids:
        return
    what = "pairs" if listing.rejected is None else "texts"

    def made(form: Form) -> bytes:
        return write_rows(listing, wanted, form, columns(), names).read_bytes()

    def downloads() -> None:
        with st.container(horizontal=True):
            for form, words in FORMS.items():
                st.download_button(
                    md_escape(words),
                    paced(lambda form=form: made(form)),  # type: ignore[misc]
                    file_name(listing, wanted, form, names),
                    key=f"take-{form}",
                    on_click="ignore",
                )

    def other_tools() -> None:
        from pages.components.kit import other_tools as tools

        name = file_name(listing, wanted, "row-ids", names).removesuffix("-row-ids.txt")
        tools.other_tools(listing.run_id, sorted(set(row_ids)), name)

    def queue() -> None:
        from pages.components.kit.queue_of_rows import queue_of_rows

        queue_of_rows(listing, wanted, names, list(dict.fromkeys(row_ids)))

    fold(f"Download these {what}", "take-rows", downloads)
    fold("Take the pairs to another tool", "other-tools", other_tools)
    if not only_reads():
        fold(f"Have people review these {what}", "review-rows", queue)
