"""The fields of the form that say where reward models work: on this machine, or on a cluster."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.engine_choice import LOCAL, EngineChoice, EngineName, checked_choice
from ivan_core.engine import handling as runs
from pages.components.kit.text import say

_ENGINES: dict[EngineName, str] = {"local": "this machine", "ray": "a Ray cluster"}
_NO_RAY = (
    "Models work on this machine. On a Ray cluster they can work once Ray is installed beside IVAN:"
    " pip install 'ivan[cluster]'."
)
_HELP = EngineChoice.model_fields


def engine_fields() -> EngineChoice:
    """Ask where models work; where Ray is not installed, say what is missing for a cluster.

    Raises:
        BadInput: what was typed is no address.
    """
    if not runs.has_ray():
        say(_NO_RAY, "small", quiet=True)
        return LOCAL
    left, middle, right = st.columns(3)
    engine = left.selectbox(
        "Models work on",
        tuple(_ENGINES),
        format_func=_ENGINES.__getitem__,
        key="form-engine",
        help="The results are the same. A cluster takes about ten seconds to begin, so it is for "
        "work of minutes and more.",
    )
    if engine == "local":
        return LOCAL
    address = middle.text_input(
        "Address of the cluster",
        placeholder="none: Ray starts on this machine",
        key="form-cluster",
        help=_HELP["address"].description,
    )
    actors = right.number_input(
        "Models at once",
        1,
        10_000,
        None,
        placeholder="one a card, or a machine",
        key="form-actors",
        help=_HELP["actors"].description,
    )
    return checked_choice({"engine": engine, "address": address, "actors": actors})
