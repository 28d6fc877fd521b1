"""Fields that forms of experiments share: which dataset, which of its rows; and the models of the
Ollama server, of which one that it lacks is downloaded by a button.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from ivan_core import catalog
from ivan_core.datasets.sources import is_local
from ivan_core.domain.errors import IvanError
from ivan_core.domain.pairs import USUAL
from ivan_core.domain.specs import DatasetRequest, RowsSpec, parse_row_ids
from ivan_core.engine import datasets, machine
from ivan_core.models import servers
from pages.components.kit.state import keep_news, keep_problem
from pages.components.kit.study import dataset_of_study
from pages.components.kit.text import md_escape, say
from pages.components.public.reading import told_instead

ALL, FIRST, DRAWN, BY_ID = "All pairs", "The first N", "A random draw of N", "By number"
_DATA, _ROWS = DatasetRequest.model_fields, RowsSpec.model_fields
_ALL_ROWS = RowsSpec()


def dataset_field(place: DeltaGenerator, first: DatasetRequest, keys: str) -> DatasetRequest | None:
    """Ask for a dataset, `first` unless another is chosen; None if none is.

    Here and below `keys` begins the keys of the widgets.
    """
    usual = (first, *map(_named, ("sample", "Anthropic/hh-rlhf")), *datasets.known())
    offered = _by_name([st.session_state.get(f"{keys}-carried", first), *usual])
    name = place.selectbox(
        "Dataset",
        sorted(offered, key=lambda name: offered[name] != first),
        accept_new_options=True,
        key=f"{keys}-dataset",
        help=_DATA["source"].description,
    )
    name = (name or "").strip()
    return offered.get(name) or (_named(name) if name else None)


def with_dataset(request: DatasetRequest, keys: str) -> dict[str, Any]:
    """What a session holds for a form to begin with a dataset exactly as it was asked for."""
    return {f"{keys}-dataset": request.label, f"{keys}-carried": request}


def _named(source: str) -> DatasetRequest:
    return DatasetRequest(source=source)


def _by_name(requests: Iterable[DatasetRequest]) -> dict[str, DatasetRequest]:
    """Requests by what they are called; those that are called alike are told apart."""
    found: dict[str, DatasetRequest] = {}
    for request in dict.fromkeys(requests):
        name = request.label
        if name in found:
            name = f"{name}, {request.source if request.columns == USUAL else request.fingerprint}"
        found[name] = request
    return found


def rows_fields(
    place: DeltaGenerator,
    keys: str,
    offered: Sequence[str] = (ALL, FIRST, DRAWN, BY_ID),
    first: RowsSpec = _ALL_ROWS,
) -> dict[str, Any]:
    """Ask which rows, those of `first` unless others are chosen; the fields of a spec that say so.

    Raises:
        BadInput: the row ids are no whole numbers.
    """
    usual = BY_ID if first.row_ids else FIRST if first.limit else DRAWN if first.sample else ALL
    offered = offered if usual in offered else (*offered, usual)
    which = place.selectbox("Which pairs", offered, offered.index(usual), key=f"{keys}-rows")
    number, row_ids = 100, ""
    if which == BY_ID:
        listed = ", ".join(str(row) for row in first.row_ids or (0, 1, 2))
        row_ids = place.text_input(
            "Pair numbers", listed, key=f"{keys}-row-ids", help=_ROWS["row_ids"].description
        )
    elif which != ALL:
        told = _ROWS["limit" if which == FIRST else "sample"].description
        asked = first.limit or first.sample or 100
        number = place.number_input("N", 1, 10_000_000, asked, key=f"{keys}-n", help=told)
    return {
        "limit": number if which == FIRST else None,
        "sample": number if which == DRAWN else None,
        "row_ids": parse_row_ids(row_ids) if which == BY_ID else None,
    }


def known_dataset(keys: str) -> DatasetRequest:
    """Ask of which dataset, among those that were read here before."""
    first, _ = dataset_of_study(DatasetRequest())
    known = _by_name([first, DatasetRequest(), *datasets.known()])
    name = st.selectbox("Of which dataset", list(known), key=f"{keys}-dataset")
    return known[name or first.label]


def other_texts_aside(keys: str) -> bool:
    """Ask whether lines of files that are of other texts are left out."""
    return st.checkbox(
        "Leave lines of other texts aside",
        key=f"{keys}-force",
        help="Else a file with lines that are not of this dataset is refused.",
    )


def part_of_dataset(request: DatasetRequest, keys: str) -> DatasetRequest:
    """Ask which part of a dataset on the hub is meant, where that is not said yet or was never read
    here; of others nothing."""
    source = request.source
    if "/" not in source or is_local(request):
        return request
    if request != _named(source) and datasets.find(request) is not None:
        return request
    known = catalog.dataset_facts(source)
    subsets = list(dict.fromkeys(("", request.subset, *known.get("subsets", []))))
    splits = list(dict.fromkeys((*known.get("splits", ["train", "test"]), request.split)))
    left, middle, right = st.columns(3)
    subset = left.selectbox(
        "Subset",
        subsets,
        subsets.index(request.subset),
        accept_new_options=True,
        key=f"{keys}-subset",
        format_func=lambda name: name or "all",
        help=_DATA["subset"].description,
    )
    split = middle.selectbox(
        "Split",
        splits,
        splits.index(request.split),
        accept_new_options=True,
        key=f"{keys}-split",
        help=_DATA["split"].description,
    )
    revision = right.text_input(
        "Revision",
        request.revision,
        placeholder="the newest, pinned when read",
        key=f"{keys}-revision",
        help=_DATA["revision"].description,
    )
    said = {
        "subset": (subset or "").strip(),
        "split": (split or "train").strip(),
        "revision": revision.strip(),
    }
    return request.model_copy(update=said)


def ollama_models() -> servers.OllamaModels:
    """The models of the Ollama server, asked for every few seconds at most."""
    return _models(servers.ollama_address())


@st.cache_data(ttl=4.0, max_entries=8, show_spinner=False)
def _models(address: str) -> servers.OllamaModels:
    return servers.ollama_models()


def pull_button(model: str, then: str) -> None:
    """Offer to pull a model; `then` says what it can do once it is there."""
    say(f"The Ollama server does not have {model} yet.", "lead")
    say(
        "Pulling downloads it to that server, often several gigabytes. This page has to stay "
        "open; what has come is kept if it stops.",
        "small",
        quiet=True,
    )
    if not told_instead() and st.button(f"Pull {md_escape(model)}", type="primary", key="pull"):
        _pull(model, then)
        _models.clear()
        st.rerun()


def _pull(model: str, then: str) -> None:
    """Pull a model and show how far it is; keeps what came of it for the next drawing."""
    bar, word = st.progress(0.0), st.empty()

    def show(done: int, total: int, step: str) -> None:
        bar.progress(min(done / total, 1.0) if total else 0.0)
        size = f": {done / 1e9:.2f} of {total / 1e9:.2f} GB" if total else ""
        with word:
            say(f"{step}{size}", "small", quiet=True)

    try:
        machine.pull(model, show)
    except IvanError as error:
        keep_problem(error)
    else:
        keep_news(f"{model} is there.", then)


def chat_fields(
    left: Any, right: Any, keys: str, about: Mapping[str, FieldInfo], temperature: float
) -> dict[str, Any]:
    """What a model that chats is asked with, in two columns; `about` are the fields of its spec."""
    return {
        "temperature": left.number_input(
            "Temperature",
            0.0,
            2.0,
            temperature,
            0.1,
            key=f"{keys}-temperature",
            help=about["temperature"].description,
        ),
        "num_ctx": right.number_input(
            "Context, in tokens",
            512,
            1_000_000,
            None,
            placeholder="as long as is needed",
            key=f"{keys}-context",
            help=about["num_ctx"].description,
        ),
    }
