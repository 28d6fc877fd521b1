"""Keeping runs in order: name, duplicate, export, delete; the cache and imports."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import archive, datasets, machine, zips
from ivan_core.engine.import_files import are_zips, import_files
from pages.components.kit.form import known_dataset, other_texts_aside
from pages.components.kit.frame import problems_shown
from pages.components.kit.sent_page import page_to_send
from pages.components.kit.text import md_escape, say
from pages.components.public.pace import paced
from pages.components.public.reading import only_reads
from pages.components.runs.duplicate import can_duplicate, duplicate, why_not

_RENAME, _DELETE = "Rename", "Delete"
_TOLD = "told"


def tell() -> None:
    """What came of the last deletion or import, told once."""
    told = st.session_state.pop(_TOLD, "")
    if told:
        say(told)


def manage(run: Run) -> None:
    """What can be done with one run, beside opening it."""
    with st.container(horizontal=True, vertical_alignment="center", key="manage"):
        if not only_reads() and can_duplicate(run) and run.state is not RunState.DAMAGED:
            cannot = why_not(run)
            if st.button(
                "Duplicate",
                key="duplicate",
                disabled=bool(cannot),
                help=cannot or "Open the form with this run's settings; nothing starts by itself.",
            ):
                duplicate(run)
        if run.state is not RunState.DAMAGED:
            _export(run)
        if only_reads():
            return
        more = [_RENAME] if run.state.live else [_RENAME, _DELETE]
        asked = st.segmented_control(
            "More", more, key=f"more-{run.id}", label_visibility="collapsed"
        )
    if asked is None:
        return
    with st.container(border=True, key="more"), problems_shown():
        (_rename if asked == _RENAME else _delete)(run)


def _export(run: Run) -> None:
    """What can be taken of a run: a zip of all of it, and each file that it wrote."""
    folded = st.popover("Export", key=f"export-of-{run.id}", on_change="rerun")
    if not folded.open:
        return
    with folded:
        files = archive.written_files(run)
        zipped = run.state is RunState.DONE and zips.archive_of(run.kind) is not None
        if zipped:
            for label, texts in (("Export as a zip", False), ("A zip with the texts too", True)):
                st.download_button(
                    label,
                    paced(partial(zips.export_bytes, run.id, texts=texts)),
                    f"{run.id}{'-with-texts' if texts else ''}.zip",
                    key=f"export-{texts}",
                    on_click="ignore",
                )
        for texts in (False, True):
            page_to_send(run, "export-page", texts=texts)
        for path in files:
            st.download_button(
                md_escape(f"{path.name} ({archive.size(path.stat().st_size)})"),
                path.read_bytes,
                path.name,
                key=f"export-{path.name}",
                on_click="ignore",
            )
        if not files and not zipped:
            say("It has written no file yet.", "small", quiet=True)


def _rename(run: Run) -> None:
    name = st.text_input(
        "Name", run.name, max_chars=archive.LONGEST_NAME, key=f"rename-to-{run.id}"
    )
    if st.button("Keep this name", key="rename"):
        archive.rename(run.id, name or "")
        st.rerun()


def _delete(run: Run) -> None:
    say(f"Run {run.label}, its folder and the CSV files it wrote will be gone.")
    sure = st.checkbox("I mean it", key=f"delete-sure-{run.id}")
    if st.button("Delete this run", key="delete", disabled=not sure):
        st.session_state[_TOLD] = archive.delete(run.id).sentence
        if st.session_state.get("run") == run.id:
            st.session_state.pop("run")
        st.rerun()


def housekeeping() -> None:
    """The cache and the import of runs made elsewhere; a demo has neither."""
    if only_reads():
        return
    with st.expander("What is kept for next time (cache)"), problems_shown():
        say(machine.cache_size().sentence, "small")
        sure = st.checkbox("Clear it: all rewards are computed anew", key="clear-sure")
        if st.button("Clear the cache", key="clear-cache", disabled=not sure):
            machine.clear_cache()
            st.rerun()
    with st.expander("Import a run"), problems_shown():
        _import()


def _import() -> None:
    say(
        "A zip that IVAN exported; or the CSV files of one study together: scores and stats, "
        "labels, rewordings. They enter all or not at all.",
        "small",
    )
    files = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        type=["zip", "csv"],
        key="import-files",
        max_upload_size=20,
        label_visibility="collapsed",
    )
    request = known_dataset("import")
    names = st.text_input(
        "Who judged, labelled or reworded",
        key="import-names",
        placeholder="as the files say",
        help="For CSV files: a name for each with results, in their order, separated by commas.",
    )
    force = other_texts_aside("import")
    named = [name.strip() for name in names.split(",") if name.strip()]
    if not files or not st.button("Import", key="import", type="primary"):
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for place, file in enumerate(files):  # two may have one name
            path = Path(folder) / str(place) / Path(file.name).name
            path.parent.mkdir()
            path.write_bytes(file.getvalue())
            paths.append(path)
        datasets.find(request)
        told = import_files(paths, None if are_zips(paths) else request, named, force)
    st.session_state[_TOLD] = " ".join(told)
    st.rerun()
