"""Reviewing without the app: a queue as a spreadsheet, sheets that come back, and a backup."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from ivan_core.domain.reviews import Queue
from ivan_core.engine import access
from ivan_core.review.queues import queues_of
from ivan_core.review.rights import backup_bytes
from ivan_core.review.sheets.reading import SheetRefused
from ivan_core.review.sheets.sheets import export_queue, import_sheet, rows_in_words
from pages.components.kit.frame import tell_refusal
from pages.components.kit.state import kindly
from pages.components.kit.text import say
from pages.components.public.reading import only_reads

_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MADE, _REPORT, _UPLOAD = "sheet-made", "sheet-report", "sheet-upload"
_PRESSED = "sheet-pressed"
"""Which of the two buttons was pressed last: its refusal is told beside it."""
_OFFER = "sheet-offer"
"""The sheet that was refused last although rows of it are right: its bytes, and why."""


def files(dataset: str) -> None:
    """Draw what takes sheets along; where it is no demo, what takes them back, and a backup."""
    pressed = st.session_state.pop(_PRESSED, "")
    if not pressed:
        tell_refusal()
    st.subheader("Send a spreadsheet", anchor=False)
    say("For people who cannot reach this server. It explains itself and has drop-downs to answer.")
    _send([queue for queue in queues_of(dataset) if not queue.closed])
    if pressed == _MADE:
        tell_refusal()
    if only_reads():
        return
    st.subheader("Take a filled-in one back", anchor=False)
    _take_back(pressed == _REPORT)
    st.subheader("Keep a copy of everything", anchor=False)
    _back_up()


def _send(queues: Sequence[Queue]) -> None:
    if not queues:
        say("No queue is open. Make one under Queues first.", quiet=True)
        return
    by_id = {queue.id: queue for queue in queues}
    left, right = st.columns(2)
    number = left.selectbox(
        "Queue",
        list(by_id),
        key="sheet-queue",
        format_func=lambda number: f"{number} · {by_id[number].title}",
    )
    queue = by_id[number]
    name = queue.assigned
    if not name:
        name = (
            right.text_input(
                "For whom (optional)",
                key="sheet-for",
                max_chars=80,
                help="What they have judged already is left out.",
            )
            or ""
        )
    st.button("Make the spreadsheet", key="sheet-make", on_click=_make, args=(number, name))
    made = st.session_state.get(_MADE)
    if made and made[:2] == (number, name):
        st.download_button(
            "Download it",
            made[2],
            _file_name(queue, name),
            _SHEET,
            key="sheet-download",
            type="primary",
            on_click="ignore",
        )


def _file_name(queue: Queue, name: str) -> str:
    whom = re.sub(r"[^\w-]+", "-", name).strip("-")[:40]
    return f"review-{queue.id}{'-' + whom if whom else ''}.xlsx"


@kindly
def _make(number: int, name: str) -> None:
    st.session_state[_PRESSED] = _MADE
    st.session_state[_MADE] = (number, name, export_queue(number, name))


def _take_back(pressed: bool) -> None:
    """Read a sheet that came back; `pressed` says that this was asked for just now."""
    for sentence in st.session_state.pop(_REPORT, ()):
        say(sentence)
    turn = st.session_state.get(_UPLOAD, 0)
    file = st.file_uploader(
        "Spreadsheet", type=["xlsx"], key=f"sheet-file-{turn}", max_upload_size=20
    )
    newer = st.toggle(
        "Replace what was said in the app since",
        key="sheet-replace",
        help="Else an answer that is newer than the sheet stays, and the report names it.",
    )
    if file is not None:
        st.button(
            "Import it",
            key="sheet-import",
            type="primary",
            on_click=_import,
            args=(file.getvalue(), newer, file.name),
        )
    if pressed:
        tell_refusal()
    if file is not None:
        refused, why = st.session_state.get(_OFFER, (b"", None))
        if isinstance(why, SheetRefused) and refused == file.getvalue():
            _offer(refused, newer, file.name, why)


def _offer(data: bytes, replace: bool, name: str, why: SheetRefused) -> None:
    """Of a sheet that was refused, to take the rows that are right."""
    one = why.good == 1
    st.button(
        "Take the good one" if one else f"Take the {why.good:,} good ones",
        key="sheet-good",
        on_click=_import,
        args=(data, replace, name, True),
    )
    say(f"Left out: {rows_in_words(why.wrong)}.", "small", quiet=True)


@kindly
def _import(data: bytes, replace: bool, name: str, partly: bool = False) -> None:
    st.session_state[_PRESSED] = _REPORT
    st.session_state.pop(_OFFER, None)
    try:
        report = import_sheet(data, replace=replace, name=name, partly=partly)
    except SheetRefused as error:
        if error.good:
            st.session_state[_OFFER] = (data, error)
        raise
    st.session_state[_REPORT] = report.sentences
    st.session_state[_UPLOAD] = st.session_state.get(_UPLOAD, 0) + 1


def _back_up() -> None:
    say(
        "All queues, answers, notes and decisions of every dataset as one file, with names and "
        "invitations: keep it as you keep the database. On the command line, "
        "“ivan review restore FILE” puts it back.",
        "small",
        quiet=True,
    )
    if not access.asking().trusted:
        say("Only people at this machine and listed owners can download it.", "small")
        return
    st.download_button(
        "Download a backup",
        backup_bytes,
        "reviews.zip",
        "application/zip",
        key="backup",
        on_click="ignore",
    )
