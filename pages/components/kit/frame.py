"""What every page starts with: configuration, navigation, its title and runs, and the one place
that shows errors.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import streamlit as st
from streamlit import config

from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import access, studies
from ivan_core.engine.kind import experiments
from ivan_core.engine.proposals import proposals
from pages.components.kit.one_step import follow_link, one_step
from pages.components.kit.state import (
    COMPARE,
    NEWS,
    PAIRS,
    REFUSAL,
    addressed_run,
    choose_run,
    dark,
    kept_ranking,
    link_parameters,
    page_file,
    page_of,
)
from pages.components.kit.study import HOME, in_study, look_anew, study_line
from pages.components.kit.tab import name_tab, settle_tab
from pages.components.kit.text import md_escape, say, say_with_hint
from pages.components.kit.visitor import ask_for_token, is_of_another_site, token_missing, visitor
from pages.components.public.pace import Busy, require_pace, whole_page

_OF_ALL = ("review", "runs", "words", "handbook")
"""Pages that belong to no experiment, and stand behind those that do."""

_CHAPTER_OF = {
    "Analysis": "analysis",
    "Compare": "compare",
    "Pairs": "compare",
    "Rewrite": "rewrite",
    "Taxonomy": "taxonomy",
    "Review": "review",
    "Runs": "figures",
    "Words": "words",
}
"""The chapter of the handbook that a page's link to it opens."""

_ON_DARK = """<style>
[data-testid=stPageLink] .stMarkdownColoredText { color: #9db6f5 !important; }
button[data-selected=true] p, [data-testid=stSlider] p { color: #9db6f5; }
[data-testid=stSlider] [data-testid=stWidgetLabel] p { color: inherit; }
</style>"""
"""The primary colour is dark enough to carry white words, so on dark ground it is no colour for
words; Streamlit uses it for both."""

_STYLE = f"<style>{(Path(__file__).parent / 'page.css').read_text('utf-8')}</style>"
_NAME = '<span class="ivan-name">IVAN</span>'

_ANOTHER_SITE = IvanError(
    "A page of another address asked for this one, so nothing is shown.",
    "Open IVAN itself, at the address that it printed in its terminal.",
)

_NO_TOKEN = (
    "You may read and review here. The owner of this server does more: through the link that it "
    "printed in its terminal."
)

_DEMO = (
    "A demo to look around in: nothing runs here. What you answer or note is shown to you alone, "
    "and thrown away."
)

access.set_provider(visitor)


@contextmanager
def frame(title: str, navigation: bool = True) -> Iterator[None]:
    """Configure the page, draw the navigation, and turn an IvanError into its sentence and hint.

    An invitation has no navigation: who follows it has one thing to do. To pages of another site
    nothing is shown at all.
    """
    told_before = name_tab(title)
    follow_link(title)
    _keep_private()
    if is_of_another_site(st.context.headers, config.get_option("server.corsAllowedOrigins")):
        show_error(_ANOTHER_SITE)
        st.stop()
    if dark():
        st.html(_ON_DARK)
    _at_pace()
    if not access.asking().stranger:
        ask_for_token()
    with whole_page():
        if navigation:
            look_anew()
            _navigation(title)
            if access.asking().stranger:
                say(_DEMO, "small", quiet=True)
            elif token_missing():
                say(_NO_TOKEN, "small", quiet=True)
        with problems_shown():
            yield
    settle_tab(told_before)
    _warm_up()


def _at_pace() -> None:
    """Draw no more pages for strangers than the machine bears."""
    try:
        require_pace()
    except Busy as error:
        show_error(error)
        st.stop()


def _navigation(title: str) -> None:
    """Home, the pages of experiments, then those of all: a page is called as its file is.

    A link to one that looks at a run carries it, since links clear the query string.
    """
    own = {page_file(kind.page) for kind in experiments() if kind.page}
    at_runs = {**{page: page for page in own}, PAIRS: COMPARE}
    at = addressed_run()
    st.html(_STYLE)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="navigation"):
        one_step(_NAME)
        st.page_link(HOME, label="Home", query_params=in_study())
        for page in (*sorted(at_runs), *map(page_file, _OF_ALL)):
            label = Path(page).stem.capitalize()
            carried = link_parameters(at_runs[page], at) if page in at_runs else in_study()
            if label == "Handbook" and title in _CHAPTER_OF:
                carried = {"chapter": _CHAPTER_OF[title], **(carried or {})}
            if label == "Words":
                carried = {**kept_ranking(), **(carried or {})}
            st.page_link(page, label=label, query_params=carried)
    study_line()


@st.cache_resource(show_spinner=False)
def _keep_private() -> None:
    """Once a server, before its first page: what it writes is for its user alone."""
    if not config.get_option("global.appTest"):
        access.keep_private()


@st.cache_resource(show_spinner=False)
def _warm_up() -> Thread:
    """Once a server, load behind its first page what the results on the next ones need."""
    thread = Thread(target=_settle, daemon=True, name="warm-up")
    thread.start()
    return thread


def _settle() -> None:
    """Load charts, experiments and prices, and keep what stays for good out of later collections.

    Streamlit collects garbage after each rerun of a page, which stops all sessions for 70 to 100 ms
    while every function and class of every library is looked through; afterwards it takes 5 to 20.
    """
    import altair
    from altair.utils import schemapi

    altair.Chart("").mark_bar().to_dict()
    if not config.get_option("global.appTest"):  # a test may hold other pieces in their places
        for kind in experiments():
            if kind.figures is not None:
                kind.figures()
        with suppress(IvanError):
            about = next(iter(studies.abouts()), None)
            proposals(about.spec if about else RowsSpec())
    # A chart is checked as a whole when it is drawn, not piece by piece while it is made, too.
    schemapi.disable_debug_mode()
    gc.collect()
    gc.freeze()


@contextmanager
def problems_shown() -> Iterator[None]:
    """Turn an IvanError into its sentence and hint."""
    try:
        yield
    except IvanError as error:
        show_error(error)


def show_error(error: IvanError) -> None:
    """A problem in a sentence, and what to do about it."""
    _box(error.message, error.hint)


def tell_refusal() -> IvanError | None:
    """Say once why the last press was refused; returns it, None where it was not."""
    error: IvanError | None = st.session_state.pop(REFUSAL, None)
    if error is not None:
        show_error(error)
    return error


def tell_news() -> None:
    """Say once what the last press came to."""
    message, hint = st.session_state.pop(NEWS, ("", ""))
    if message:
        _box(message, hint, "told")


def _box(message: str, hint: str, key: str | None = None) -> None:
    with st.container(border=True, key=key):
        say_with_hint(message, hint, lead=True)


def page_title(page: str, named: str, new: str, run: Run | None) -> None:
    """The title of a page of one experiment; beside a run, the button that leaves it for `new`."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(named, anchor=False)
        if run is not None and st.button(new, key="new"):
            choose_run(None, page)
            st.rerun()


def list_of_runs(
    heading: str,
    found: Sequence[Run],
    named: Callable[[Run], str],
    below: Callable[[Run], str] | None = None,
) -> None:
    """Links to runs, each by its name and with a line below it; nothing where there are none."""
    if not found:
        return
    st.subheader(heading, anchor=False)
    with st.container(gap="xsmall" if below is None else "small"):
        for run in found:
            label = f":primary[{md_escape(named(run))}]"
            st.page_link(page_of(run), label=label, query_params={"run": run.id})
            if below is not None:
                say(below(run), "small", quiet=True)
