"""The card that asks for somebody's own pairs, and shows what is in them before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ivan_core import catalog
from ivan_core.datasets.columns import WrongColumns
from ivan_core.datasets.files import FORMATS
from ivan_core.datasets.layouts import known
from ivan_core.datasets.layouts.shape import Layout
from ivan_core.datasets.sources import is_local, local_path
from ivan_core.domain.pairs import SIDES, USUAL, Columns
from ivan_core.domain.specs import NO_COLUMN, DatasetRequest, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import access, datasets
from ivan_core.engine.own_files import LARGEST_MB, keep_file
from ivan_core.engine.own_pairs import Found, found_in, proposed, read
from pages.components.kit.form import part_of_dataset
from pages.components.kit.frame import problems_shown
from pages.components.kit.study import STUDY, begin_with
from pages.components.kit.text import md_escape, say
from pages.components.study.first_row import show_first_row

_PARTS = {
    "chosen": "Chosen reply",
    "rejected": "Rejected reply",
    "prompt": "Prompt",
    "subset": "Subset of each pair",
}
_NONE = "none"
_NAMED_LINES = 5
Offer = Callable[[DatasetRequest, Found], None]
"""Draws what can be done with pairs that were looked at."""


def ask_for_pairs(keys: str) -> DatasetRequest | None:
    """Ask for a file, a path or a hub name; None until one is given. `keys` begins the keys."""
    dropped = st.file_uploader(
        "Drop a file of preferences: JSON, CSV or Parquet",
        type=[ending.lstrip(".") for ending in FORMATS],
        key=f"{keys}-file",
        max_upload_size=LARGEST_MB,
        help="Each row has the prompt and two or more replies, some of which were preferred; or it "
        "has any of the forms that the handbook lists under Importing.",
    )
    source = st.text_input(
        "Or a path on this machine, or the name of a dataset on the hub",
        key=f"{keys}-source",
        placeholder="/data/my-prefs.jsonl or Anthropic/hh-rlhf",
    ).strip()
    say(
        f"A file stays on this machine. Up to {LARGEST_MB} MB here; larger ones by their path.",
        "small",
        quiet=True,
    )
    with problems_shown():
        if dropped is not None:
            return _kept(dropped, f"{keys}-kept")
        if source:
            request = part_of_dataset(DatasetRequest(source=source), keys)
            return request if is_local(request) or _is_fetched(request, keys) else None
    return None


def _kept(dropped: UploadedFile, place: str) -> DatasetRequest:
    """The dataset of a dropped file, which is written and hashed once and not at every press."""
    file, request = st.session_state.get(place, ("", None))
    if request is None or file != dropped.file_id or not local_path(request).exists():
        request = keep_file(dropped.name, dropped.getvalue())
        st.session_state[place] = dropped.file_id, request
    return request


def _is_fetched(request: DatasetRequest, keys: str) -> bool:
    """Whether a dataset of the hub is here, or its download was asked for."""
    asked = f"{keys}-fetch-{request.fingerprint}"
    if datasets.find(request) is None and not st.session_state.get(asked):
        if not st.button(f"Fetch {md_escape(request.label)}", key=f"{keys}-fetch"):
            say("It is downloaded from the hub, then shown.", "small", quiet=True)
            return False
        st.session_state[asked] = True
    return True


def is_unread(request: DatasetRequest, keys: str) -> bool:
    """Whether nobody has read this dataset here, and IVAN does not know its columns; then it is
    looked at in place of the rest of a form."""
    if catalog.dataset_facts(request.source) or datasets.find(request) is not None:
        return False
    if not is_local(request):
        request = part_of_dataset(request, f"{keys}-typed")
        if not _is_fetched(request, f"{keys}-typed"):
            return True
    look_at(request, f"{keys}-typed", partial(_offer_to_use, keys, "typed"))
    return True


def look_at(request: DatasetRequest, keys: str, offer: Offer) -> None:
    """Read a dataset, show its columns and its first pair, and offer what can be done with it."""
    with problems_shown():
        _look_at(request, keys, offer)


def _look_at(request: DatasetRequest, keys: str, offer: Offer) -> None:
    place = f"{keys}-{sha256(request.model_dump_json().encode()).hexdigest()[:8]}"
    request = request.model_copy(update={"layout": _layout(place)})
    if (kept := f"{place}-{request.layout}") not in st.session_state:
        try:
            found = _read(request)
            st.session_state[kept] = (
                found.columns,
                request.columns,
                _has_sides(found.row.layout),
                "",
            )
        except WrongColumns as error:
            st.session_state[kept] = (error.found, proposed(error.found), True, error.message)
    names, first, sides, why = st.session_state[kept]
    if why:
        say(why)
    if sides:
        say("What is taken from which column:", "small")
        columns = _columns(names, first, kept)
        if not all(columns.needed):
            say("Choose the columns that hold the chosen and the other reply.")
            return
        request = _with(request, columns, names)
    show_found(request, offer)


def _layout(place: str) -> str:
    """Ask how the rows are laid out; "" where their columns say it."""
    titles = {"": "as its columns say", **known.to_choose_from()}
    picked = st.selectbox(
        "Layout", list(titles), format_func=titles.__getitem__, key=f"{place}-layout", width=320
    )
    return picked or ""


def show_found(request: DatasetRequest, offer: Offer) -> None:
    """Show what is in a dataset, and offer what can be done with it.

    Raises:
        IvanError: it cannot be read.
    """
    found = _read(request)
    _tell(found)
    offer(request, found)


def _read(request: DatasetRequest) -> Found:
    """What is in a dataset, read now where it was not yet, with a word on how far it is."""
    word = st.empty()

    def told(pairs: int) -> None:
        count = f": {number_of(pairs, 'pair')} so far" if pairs else ""
        with word:
            say(f"Reading {request.label}{count} …", "small", quiet=True)

    told(0)
    try:
        return found_in(read(request, told))
    finally:
        word.empty()


def _has_sides(layout: Layout) -> bool:
    """Whether rows have two replies in columns of their own, which a person may point to."""
    return set(USUAL.needed) <= set(layout.needs) and not layout.many


def _columns(names: Sequence[str], first: Columns, place: str) -> Columns:
    """Ask which column holds what, beginning with `first`."""
    picked = {}
    for box, (part, title) in zip(st.columns(len(_PARTS)), _PARTS.items(), strict=True):
        own = getattr(first, part)
        offered = list(names) if part in SIDES else [_NONE, *names]
        usual = None if part in SIDES else 0
        column = box.selectbox(
            title,
            offered,
            offered.index(own) if own in offered else usual,
            key=f"{place}-{part}",
            placeholder="Choose a column",
        )
        picked[part] = "" if column is None or (column == _NONE and part not in SIDES) else column
    return Columns(**picked)


def _with(request: DatasetRequest, columns: Columns, names: Sequence[str]) -> DatasetRequest:
    """The request that takes pairs from these columns."""
    said = {}
    for part in _PARTS:
        column, usual = getattr(columns, part), getattr(USUAL, part)
        absent = NO_COLUMN if usual in names else ""
        said[f"{part}_column"] = "" if column == usual else column or absent
    return request.model_copy(update=said)


def _tell(found: Found) -> None:
    """What was found, in a sentence, and the first row with its replies side by side."""
    row = found.row
    say(f"{number_of(found.pairs, 'pair')}, {found.turns}.", "lead")
    say(f"Read as {row.layout.title}. {row.layout.said}".strip())
    if found.bad_lines:
        lines = number_of(found.bad_lines, "line is no pair", "lines are no pairs")
        more = " …" if found.bad_lines > _NAMED_LINES else ""
        say(f"{lines} and left out: {'; '.join(found.bad[:_NAMED_LINES])}{more}.")
    for sentence in found.odd:
        say(sentence, "small", quiet=True)
    show_first_row(row, found.first)


def own_pairs_in_form(keys: str) -> None:
    """The card at the top of a form, folded; what is taken there the form begins with."""
    if not access.asking().trusted:
        return
    with st.expander("Bring your own pairs"):
        asked = ask_for_pairs(f"{keys}-own")
        if asked is not None:
            look_at(asked, f"{keys}-own", partial(_offer_to_use, keys, "own"))


def _offer_to_use(keys: str, asked: str, request: DatasetRequest, found: Found) -> None:
    label = "Use this pair" if found.pairs == 1 else f"Use these {found.pairs:,} pairs"
    if st.button(md_escape(label), type="primary", key=f"{keys}-{asked}-use"):
        about = begin_with(RowsSpec(dataset=request))
        for field in ("dataset", "carried", "rows", "n", "row-ids"):
            st.session_state.pop(f"{keys}-{field}", None)
        st.query_params.from_dict({STUDY: about.id})
        st.rerun()
