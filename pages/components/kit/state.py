"""What the browser remembers: run, row and more in the URL, so that others see the same, and what
the last press came to, told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import PurePath
from typing import ParamSpec
from urllib.parse import urlencode

import streamlit as st

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import access, handling as runs
from ivan_core.engine.kind import known
from ivan_core.engine.studies import runs_of
from pages.components.kit.one_step import write_address
from pages.components.kit.study import STUDY, in_study, is_of_study, study_now

_Given = ParamSpec("_Given")


RUNS = "pages/runs.py"
COMPARE = "pages/compare.py"
REWRITE = "pages/rewrite.py"
TAXONOMY = "pages/taxonomy.py"
ANALYSIS = "pages/analysis.py"
PAIRS = "pages/pairs.py"
REVIEW = "pages/review.py"
WORDS = "pages/words.py"
NEWS = "label-told"
REFUSAL = "problem-of-press"

FORM = "form"
"""Asks a page for its form, begun with whom it names, rather than for the run last looked at."""
_NOBODY = "new"
"""What a form that is asked for names where it is begun with nobody."""
ASK = "ask"
"""Asks Review for a queue: the analysis and the labels whose pairs are to be described."""
SHOWN = "show"
"""The user column whose charts are drawn on Compare."""
RANKING = "ranking"
"""The ranking of words that Words shows."""
WORD = "word"
"""The word that is looked up in it."""
GUESS = "guess"
"""Whether the choice on Pairs is hidden until a guess is made."""
NAME = "name"
"""Who guesses."""


def chosen_run(page: str = COMPARE) -> str | None:
    """The run in the URL, else the one that this session last looked at on the page.

    In a demo, where none can be begun, it is else the newest of the study.

    Raises:
        BadInput: there is no such run, or another page shows it; the session then looks at none.
    """
    run_id = st.query_params.get("run")
    if not run_id and FORM not in st.query_params:
        run_id = _kept(page) or (latest_done(page) if access.asking().stranger else None)
    if not run_id:
        return None
    run = _found(run_id)
    if run is None:
        st.session_state.pop(_place(page), None)
        raise BadInput(f"There is no run {run_id!r} here.", "The page Runs lists those there are.")
    if run.state is RunState.DAMAGED:
        st.session_state.pop(_place(page), None)
        raise BadInput(run.problem, run.hint)
    if page_of(run) != page:
        st.session_state.pop(_place(page), None)
        raise BadInput(f"Run {run_id} belongs to another page.", "Open it from the page Runs.")
    choose_run(run_id, page)
    return str(run_id)


def page_of(run: Run) -> str:
    """The page that shows a run; Runs for one of which nobody knows what it is."""
    return page_of_kind(run.kind)


def page_of_kind(name: str) -> str:
    """The page that shows runs of a kind."""
    page = known(name).page
    return page_file(page) if page else RUNS


def address(page: str, query: Mapping[str, str]) -> str:
    """Where a page with such parameters is found from any page of the app."""
    return f"{PurePath(page).stem}?{urlencode(query)}"


def page_file(name: str) -> str:
    """The file of a page by its name, as the record of a kind gives it."""
    return f"pages/{name}.py"


def _place(page: str) -> str:
    """Where the session keeps the run of a page."""
    return "run" if page == COMPARE else f"run-of-{page}"


def _kept(page: str) -> str | None:
    """The run that this session last looked at on a page, if it is of the study looked at."""
    run_id = st.session_state.get(_place(page))
    about = study_now()
    return run_id if run_id and (about is None or is_of_study(run_id, about.id)) else None


def _found(run_id: str | None) -> Run | None:
    if not run_id:
        return None
    try:
        return runs.get(run_id)
    except BadInput:
        return None


def choose_run(run_id: str | None, page: str = COMPARE) -> None:
    """Look at a run on its page from now on (None: at no run)."""
    if run_id is None:
        st.session_state.pop(_place(page), None)
        form = {FORM: _NOBODY} if access.asking().stranger else {}
        st.query_params.from_dict({**(in_study() or {}), **form})
        return
    st.session_state[_place(page)] = run_id
    st.query_params.pop(FORM, None)
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def chosen_row() -> int | None:
    """The row in the URL; None if there is none or it is no number."""
    text = st.query_params.get("row", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None


def link_parameters(page: str, at: Run | None) -> dict[str, str] | None:
    """What a link to a page must carry to show a run with its rows: `at` if the page shows it, else
    the one last looked at there; where there is none, to stay in the study."""
    run = at if at is not None and page_of(at) == page else _found(_kept(page))
    if run is None or page_of(run) != page:
        return in_study()
    return {"run": run.id, **kept_filter(run.id)}


def addressed_run() -> Run | None:
    """The run in the URL, if it is here."""
    return _found(st.query_params.get("run"))


_OF_ADDRESS = ("run", "row", STUDY)


def keep_filter(run_id: str, query: dict[str, str]) -> None:
    """Remember the filter of a run, in words of a URL, for links that lead back to it."""
    st.session_state["filter"] = (run_id, query)


def kept_filter(run_id: str) -> dict[str, str]:
    """The filter last looked at, if it was of this run: after a reload, that of the URL."""
    of, query = st.session_state.get("filter", ("", {}))
    if of == run_id:
        return dict(query)
    if of or st.query_params.get("run") != run_id:
        return {}
    return {name: value for name, value in st.query_params.items() if name not in _OF_ADDRESS}


def kindly(action: Callable[_Given, None]) -> Callable[_Given, None]:
    """Keep the problem of a press for the page: nobody would catch it there, before the page."""

    @wraps(action)
    def attempt(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except IvanError as error:
            keep_refusal(error)

    return attempt


def keep_refusal(error: IvanError) -> None:
    """Keep why a press was refused, for the page that is drawn next."""
    st.session_state[REFUSAL] = error


def latest_done(page: str = COMPARE) -> str | None:
    """The newest finished run of the study that a page shows, for one opened without a run."""
    about = study_now()
    found = runs.newest_done("compare") if about is None else runs_of(about.id)
    done = (run for run in found if page_of(run) == page and run.state is RunState.DONE)
    return next((run.id for run in done), None)


def keep_ranking(key: str) -> None:
    """Look at a ranking of words, and remember it for links that lead back to Words."""
    st.session_state[RANKING] = key
    write_query({RANKING: key, WORD: None})


def kept_ranking() -> dict[str, str]:
    """What a link to Words must carry to show the ranking that this session asked for last."""
    key = st.session_state.get(RANKING)
    return {RANKING: key} if key else {}


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def write_query(changes: Mapping[str, str | None]) -> None:
    """Change parameters of the URL (None takes one away): one step for the Back button."""
    query = st.query_params.to_dict()
    wanted = {name: value for name, value in {**query, **changes}.items() if value is not None}
    if wanted != query:
        write_address(wanted)


def keep_news(message: str, hint: str = "") -> None:
    """Keep what a press came to."""
    st.session_state[NEWS] = (message, hint)


def keep_problem(error: IvanError) -> None:
    """Keep why a press was refused."""
    keep_news(error.message, error.hint)
