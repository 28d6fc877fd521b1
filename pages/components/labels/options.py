"""The options of a labelling that most people leave alone; each says its default in words."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.labels import FEATURES
from ivan_core.domain.specs import LabelSpec, TaxonomySpec
from ivan_core.models.labelers import LabellingWay

_BATCH, _DIRECT = TaxonomySpec.model_fields, LabelSpec.model_fields


def more_options(way: LabellingWay) -> dict[str, Any]:
    """What can be set for a way of labelling."""
    keys = st.multiselect(
        "Labels to ask for",
        FEATURES,
        key="label-keys",
        placeholder="all 19",
        help=_DIRECT["keys"].description,
    )
    left, middle, right = st.columns(3)
    seed = left.number_input(
        "Seed", 0, 2**31, 0, key="label-seed", help=_DIRECT["seed"].description
    )
    found: dict[str, Any] = {"seed": seed, **({"keys": tuple(keys)} if keys else {})}
    if way == "ollama":
        found["temperature"] = middle.number_input(
            "Temperature",
            0.0,
            2.0,
            0.0,
            0.1,
            key="label-temperature",
            help=_DIRECT["temperature"].description,
        )
        found["num_ctx"] = right.number_input(
            "Context, in tokens",
            512,
            1_000_000,
            None,
            placeholder="as long as is needed",
            key="label-context",
            help=_DIRECT["num_ctx"].description,
        )
    if way == "batch":
        found |= _batch_options(middle, right)
    return found


def _batch_options(middle: Any, right: Any) -> dict[str, Any]:
    found = {
        "max_usd": middle.number_input(
            "Cap, in dollars",
            0.01,
            1_000_000.0,
            None,
            placeholder="none, or IVAN_MAX_USD",
            key="label-cap",
            help=_BATCH["max_usd"].description,
        ),
        "max_completion_tokens": right.number_input(
            "Longest answer, in tokens",
            64,
            100_000,
            600,
            key="label-answer",
            help=_BATCH["max_completion_tokens"].description,
        ),
    }
    left, middle, right = st.columns(3)
    found["queue_tokens"] = left.number_input(
        "Waiting tokens your account allows",
        1_000,
        10**12,
        None,
        placeholder="no limit",
        key="label-queue",
        help=_BATCH["queue_tokens"].description,
    )
    found["input_usd"] = middle.number_input(
        "Dollars per million input tokens",
        0.0,
        10_000.0,
        None,
        placeholder="from the price table",
        key="label-input-usd",
        help=_BATCH["input_usd"].description,
    )
    found["output_usd"] = right.number_input(
        "Dollars per million output tokens",
        0.0,
        10_000.0,
        None,
        placeholder="from the price table",
        key="label-output-usd",
        help=_BATCH["output_usd"].description,
    )
    address = st.text_input(
        "Base URL of the API",
        placeholder="OPENAI_BASE_URL, else OpenAI",
        key="label-base-url",
        help=f"{_BATCH['base_url'].description} The key of OpenAI is never sent to a typed "
        "address; IVAN_ENDPOINT_KEY is.",
    )
    return {**found, "base_url": address.strip()}
