"""The study that a page is about: that of the run in the address, the one named there, the one this
session last looked at, or the newest; and the line under the navigation that tells it.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.engine import access, studies
from ivan_core.engine.studies import About
from pages.components.kit.text import md_escape, say

HOME = "streamlit_app.py"
STUDY, NEW = "study", "new"
_NOW = "study-now"
_OFFERED = 8


def study_now() -> About | None:
    """What this page's study is about; None where there is none yet, or a new one is begun."""
    return _now()[0]


def newest_studies() -> list[About]:
    """What the newest studies are about, as they were when this page was drawn."""
    return _now()[1]


def look_anew() -> None:
    """Once a drawing of a page: runs may have begun or gone since the last one."""
    st.session_state.pop(_NOW, None)


def _now() -> tuple[About | None, list[About]]:
    """What this page's study is about, and what the newest ones are."""
    asked = (st.query_params.get(STUDY), st.query_params.get("run"))
    kept = st.session_state.get(_NOW)
    if kept is None or kept[0] != asked:
        newest = studies.abouts()
        kept = st.session_state[_NOW] = (asked, _found(*asked, newest), newest)
    found: tuple[About | None, list[About]] = kept[1:]
    return found


def _found(named: str | None, run_id: str | None, newest: list[About]) -> About | None:
    if named == NEW:
        return None
    found = _of_run(run_id)
    for wanted in (named, st.session_state.get(STUDY)):
        if found is None and wanted:
            near = next((one for one in newest if one.id == wanted), None)
            found = near or studies.about(wanted)
    found = found or next(iter(newest), None)
    if found is not None:
        st.session_state[STUDY] = found.id
    return found


def is_new_study() -> bool:
    """Whether the address asks for a new study."""
    return bool(st.query_params.get(STUDY) == NEW)


def _of_run(run_id: str | None) -> About | None:
    """What the study of a run is about; None for a run that nobody knows or that has read none."""
    if run_id:
        with suppress(BadInput):
            return studies.about_run(run_id)
    return None


def is_of_study(run_id: str, study_id: str) -> bool:
    """Whether a run belongs to a study; one that has read no dataset yet may."""
    about = _of_run(run_id)
    return about is None or about.id == study_id


def in_study() -> dict[str, str] | None:
    """What a link must carry to stay in the study of this page."""
    about = study_now()
    return {STUDY: about.id} if about is not None else None


def begin_with(spec: RowsSpec) -> About:
    """Begin a study with rows of a dataset, and look at it from now on.

    Raises:
        BadInput: the dataset has not been read, or has no such rows.
        NotAllowed: the visitor may only read and review.
    """
    about = studies.take(spec)
    st.session_state[STUDY] = about.id
    look_anew()
    return about


def study_line() -> None:
    """Tell the study, with a switch to others and a link to a new one; nothing before the first."""
    about, newest = _now()
    is_owner = access.asking().trusted
    if _is_of_elsewhere(about):
        another = " What is shown is of another one." if about else ""
        say(f"The study of this link is not here.{another}", "small")
    if about is None and not is_new_study():
        return
    others = [one for one in newest if about is None or one.id != about.id]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="study-line"):
        if others:
            told = f"Study: {md_escape(about.name)}" if about else "A new study"
            with st.popover(told, type="tertiary", help="Look at another study"):
                _switch(others)
        else:
            say(f"Study: {about.name}" if about else "A new study", "small", width="content")
        if about is not None and is_owner:
            st.page_link(HOME, label="New study", query_params={STUDY: NEW})


def _is_of_elsewhere(about: About | None) -> bool:
    """Whether the address names a study that nobody here knows, as one whose runs were deleted."""
    named = st.query_params.get(STUDY)
    if named is None or named == NEW or "run" in st.query_params:
        return False
    return about is None or about.id != named


def _switch(others: list[About]) -> None:
    names = [one.name for one in others]
    for one in others[:_OFFERED]:
        more = f" ({one.id[:4]})" if names.count(one.name) > 1 else ""
        st.page_link(HOME, label=md_escape(f"{one.name}{more}"), query_params={STUDY: one.id})
    if len(others) > _OFFERED:
        say(f"{len(others) - _OFFERED:,} more: the page Runs lists all.", "small", quiet=True)


def dataset_of_study(preset: DatasetRequest) -> tuple[DatasetRequest, RowsSpec]:
    """The dataset and rows that a form begins with: the study's, else all rows of the preset's."""
    about = study_now()
    if about is None:
        return preset, RowsSpec(dataset=preset)
    return about.spec.dataset, about.spec
