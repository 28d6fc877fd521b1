"""Keeping runs in order: name, duplicate, set beside another, take away, delete; cache, import."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import archive, datasets, machine, studies, zips
from ivan_core.engine.csv_files import import_csvs
from ivan_core.engine.kind import alike, known
from pages.components.kit.form import known_dataset, other_texts_aside
from pages.components.kit.frame import problems_shown
from pages.components.kit.text import say
from pages.components.runs.duplicate import can_duplicate, duplicate, why_not

_RENAME, _BESIDE, _DELETE = "Rename", "Set beside another run", "Delete"
_MOST_BESIDE = 50
_TOLD = "told"


def tell() -> None:
    """What came of the last deletion or import, told once."""
    told = st.session_state.pop(_TOLD, "")
    if told:
        say(told)


def manage(run: Run, others: list[Run]) -> None:
    """What can be done with one run, beside opening it."""
    with st.container(horizontal=True, vertical_alignment="center", key="manage"):
        if can_duplicate(run) and run.state is not RunState.DAMAGED:
            cannot = why_not(run)
            if st.button(
                "Duplicate",
                key="duplicate",
                disabled=bool(cannot),
                help=cannot or "Open the form with this run's settings; nothing starts by itself.",
            ):
                duplicate(run)
        if run.state is RunState.DONE and zips.archive_of(run.kind) is not None:
            st.download_button(
                "Export as a zip",
                lambda: zips.export_bytes(run.id),
                f"{run.id}.zip",
                key="export",
                on_click="ignore",
                help="Without texts; on the command line, "
                f"`ivan runs export {run.id} --texts` puts them in too.",
            )
        beside = {
            other.id: other.label
            for other in others
            if known(run).beside is not None
            and other.kind in alike(run.kind)
            and other.state is RunState.DONE
            and other.id != run.id
        }
        asked = st.segmented_control(
            "More", _more(run, bool(beside)), key=f"more-{run.id}", label_visibility="collapsed"
        )
    if asked is None:
        return
    with st.container(border=True, key="more"), problems_shown():
        if asked == _RENAME:
            _rename(run)
        elif asked == _BESIDE:
            _beside(run, dict(islice(beside.items(), _MOST_BESIDE)))
        else:
            _delete(run)


def _more(run: Run, is_beside: bool) -> list[str]:
    more = [_RENAME]
    if run.state is RunState.DONE and is_beside:
        more.append(_BESIDE)
    return more if run.state.live else [*more, _DELETE]


def _rename(run: Run) -> None:
    name = st.text_input(
        "Name", run.name, max_chars=archive.LONGEST_NAME, key=f"rename-to-{run.id}"
    )
    if st.button("Keep this name", key="rename"):
        archive.rename(run.id, name or "")
        st.rerun()


def _beside(run: Run, labels: dict[str, str]) -> None:
    """Two runs on the rows they share."""
    other = st.selectbox(
        "Other run",
        list(labels),
        format_func=lambda run_id: labels[run_id],
        index=None,
        key="beside",
        placeholder="choose one",
    )
    if other:
        for line in studies.beside(run.id, other).splitlines():
            say(line)


def _delete(run: Run) -> None:
    say(f"Run {run.label}, its folder and the CSV files it wrote will be gone.")
    sure = st.checkbox("I mean it", key=f"delete-sure-{run.id}")
    if st.button("Delete this run", key="delete", disabled=not sure):
        st.session_state[_TOLD] = archive.delete(run.id).sentence
        if st.session_state.get("run") == run.id:
            st.session_state.pop("run")
        st.rerun()


def housekeeping() -> None:
    """The cache and the import of runs made elsewhere."""
    with st.expander("Cache"), problems_shown():
        say(machine.cache_size().sentence, "small")
        sure = st.checkbox("Clear it: all rewards are computed anew", key="clear-sure")
        if st.button("Clear the cache", key="clear-cache", disabled=not sure):
            machine.clear_cache()
            st.rerun()
    with st.expander("Import a run"), problems_shown():
        _import()


def _import() -> None:
    say(
        "A zip that IVAN exported, or the CSV files of one study: scores and stats, labels, "
        "rewordings.",
        "small",
    )
    files = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        type=["zip", "csv"],
        key="import-files",
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
        for file in files:
            path = Path(folder) / Path(file.name).name
            path.write_bytes(file.getvalue())
            paths.append(path)
        datasets.find(request)
        if any(path.suffix == ".zip" for path in paths):
            entered = [zips.import_zip(paths[0])]
        else:
            entered = import_csvs(paths, request, named, force)
    st.session_state[_TOLD] = " ".join(one.sentence for one in entered)
    st.rerun()
