"""What two models are asked: the question, the models, and a list of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.engine import access
from ivan_core.words import asking
from ivan_core.words.asking import Asked, Scored
from ivan_core.words.word_list import LARGEST_LIST, MOST_WORDS, bundled, own_list
from pages.components.kit.text import say, say_with_hint
from pages.components.pair.waiting import ask
from pages.components.words.address import addressed, remember

_OWN = "words-own"
_FILE = "words-file"
_MODELS = ("words-first", "words-second")
_PROMPT = "words-prompt"


def question() -> Asked | Scored | None:
    """What to show: what the address names, else what everybody sees first, if it is kept."""
    shown = addressed() or asking.kept(asking.demo())
    asked = shown.asked if isinstance(shown, Scored) else shown
    if not access.asking().trusted:
        told = "Here you see what was ranked before." if asked else "No words were ranked here yet."
        say(f"{told} {_who_ranks()}", "small", quiet=True)
    else:
        _form(asked)
        if (problem := st.session_state.pop("words-problem", None)) is not None:
            say_with_hint(problem.message, problem.hint)
    if asked is not None and asked.prompt != st.session_state.get(_PROMPT):
        say(f"The question: “{asked.prompt}”")
    return shown


def _who_ranks() -> str:
    if access.asking().stranger:
        return "To rank words yourself, install IVAN on a machine of your own: its README says how."
    return "To rank words is for the owner of this server."


def _form(shown: Asked | None) -> None:
    """What to ask next. A form that is new begins with what is shown."""
    known = list(asking.models_here())
    if _PROMPT not in st.session_state:
        _begin_with(shown, known)
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    with st.expander("Other words, other models"):
        _more(known)
    left.text_input(
        "The question",
        key=_PROMPT,
        max_chars=asking.LONGEST_PROMPT,
        help="Asked of models that read it. The two that ship with IVAN read the reply alone.",
    )
    right.button(
        "Rank my words" if _own_given() else f"Rank {len(bundled()):,} words",
        type="primary",
        key="words-ask",
        width="stretch",
        on_click=_remember,
    )


def _begin_with(asked: Asked | None, known: Sequence[str]) -> None:
    named = [model.name for model in asked.models] if asked else []
    st.session_state[_PROMPT] = asked.prompt if asked else asking.PROMPT
    st.session_state[_OWN] = "\n".join(asked.own) if asked else ""
    models = named if named and set(named) <= set(known) else known[:2]
    st.session_state.update(zip(_MODELS, models, strict=True))


def _more(known: Sequence[str]) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.text_area(
            "A list of your own",
            key=_OWN,
            height=140,
            max_chars=LARGEST_LIST,
            placeholder="love\npeace\nice cream",
            help=f"One word or short phrase a line, at most {MOST_WORDS:,}.",
        )
    with right:
        st.file_uploader(
            "Or a text file with one word a line", ["txt", "csv"], key=_FILE, max_upload_size=1
        )
        if len(known) > 2:
            for place, key in enumerate(_MODELS):
                label = "First model" if place == 0 else "Second model"
                st.selectbox(label, known, key=key)
        else:
            say(
                "Other models can be chosen once they have judged pairs here, on the page Compare.",
                "small",
                quiet=True,
            )


def _own_given() -> bool:
    return bool(str(st.session_state.get(_OWN, "")).strip() or st.session_state.get(_FILE))


def _remember() -> None:
    # Read here: a press on the button is what ends the typing, after the page was drawn.
    try:
        remember(_asked())
    except IvanError as error:
        st.session_state["words-problem"] = error
    ask("words")


def _asked() -> Asked:
    typed, file = str(st.session_state.get(_OWN, "")), st.session_state.get(_FILE)
    text = _text_of(file) if file is not None else typed
    names = [st.session_state.get(key) for key in _MODELS]
    return Asked(
        models=asking.pair_named([name for name in names if name] or asking.shipped()),
        prompt=st.session_state[_PROMPT],
        own=own_list(text) if text.strip() or file is not None else (),
    )


def _text_of(file: UploadedFile) -> str:
    content = file.getvalue()
    if len(content) > LARGEST_LIST:
        raise BadInput(
            f"The file has {len(content):,} bytes.", f"Keep it under {LARGEST_LIST:,} bytes."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("The file is no text in UTF-8.", "Save it as UTF-8.") from None
