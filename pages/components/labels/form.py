"""Step 1 of a labelling: which texts, who labels them, and what most people leave alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.domain.labels import FEATURES
from ivan_core.domain.specs import DatasetRequest, LabelSpec, TaxonomySpec, checked
from ivan_core.domain.words import number_of
from ivan_core.engine import access, handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.compare.plan import preset_spec
from ivan_core.experiments.labels import plan as labels
from ivan_core.models import labelers, servers
from ivan_core.models.labelers import LabellingWay
from ivan_core.models.names import plain_name, served_name
from pages.components.kit.form import (
    chat_fields,
    dataset_field,
    ollama_models,
    part_of_dataset,
    pull_button,
    rows_fields,
)
from pages.components.kit.state import FORM, TAXONOMY, choose_run, keep_news
from pages.components.kit.study import dataset_of_study
from pages.components.kit.text import say, say_with_hint
from pages.components.labels.follow import FOUND
from pages.components.public.reading import told_instead
from pages.components.study.own_pairs import is_unread, own_pairs_in_form

_BATCH, _DIRECT = TaxonomySpec.model_fields, LabelSpec.model_fields


_WAYS: dict[LabellingWay, str] = {
    "batch": "as batches of an OpenAI-compatible API",
    "ollama": "on Ollama",
}


def label_form() -> None:
    """Ask which texts are labelled by whom, and start it; nothing is paid from here."""
    models = ollama_models()
    own_pairs_in_form("label")
    request, labeler, rows = _three_fields(models)
    if request is None:
        say("Choose a dataset.")
        return
    if is_unread(request, "label"):
        return
    if not labeler:
        say("Choose who labels.")
        return
    labelers.check_own(labeler)
    way = labelers.labelling_way(labeler, models.names) or _asked_way(labeler)
    with st.expander("More options"):
        request = part_of_dataset(request, "label")
        options = more_options(way)
    fields = {"dataset": request, **rows, **options}
    if way == "batch":
        _offer_batch(labeler, fields)
    else:
        _offer_direct(labeler, way, fields, models)


def _three_fields(
    models: servers.OllamaModels,
) -> tuple[DatasetRequest | None, str, dict[str, Any]]:
    left, middle, right = st.columns([3, 4, 2])
    dataset, asked = dataset_of_study(preset_spec().dataset)
    request = dataset_field(left, dataset, "label")
    offered = labelers.offered(models.names, servers.provider().demo, request)
    asked_for = st.query_params.get(FORM, "")
    chosen = asked_for if asked_for in offered else labelers.preset_labeler()
    names = list(dict.fromkeys((*offered, chosen)))
    labeler = middle.selectbox(
        "Labeler",
        names,
        names.index(chosen),
        format_func=lambda name: offered.get(name, plain_name(name)),
        accept_new_options=True,
        key="label-labeler",
        help="Who reads each text and answers 19 questions about it: rules that ship with IVAN, "
        "a model on your own Ollama server, or a paid model behind OpenAI's Batch API; of the "
        "sample also those who wrote it. Another model's name may be typed in.",
    )
    rows = rows_fields(right, "label", first=asked)
    # Elsewhere a name says so that it is a provider's; here all that are asked there are batches.
    return request, served_name(labelers.meant((labeler or "").strip(), offered)), rows


def _asked_way(labeler: str) -> LabellingWay:
    """How a labeler works whose name does not tell."""
    ways = list(_WAYS)
    asked = st.radio(
        "How is this model reached?",
        ways,
        format_func=lambda way: _WAYS[way],
        horizontal=True,
        key="label-way",
    )
    return asked or ways[0]


def _offer_direct(
    labeler: str, way: LabellingWay, fields: dict[str, Any], models: servers.OllamaModels
) -> None:
    spec = checked(LabelSpec, {**fields, "labeler": labeler})
    plan = labels.plan(spec)
    texts = number_of(2 * plan.pairs, "text") if plan.pairs is not None else "the texts"
    if way == "ollama" and models.problem:
        rules = "The rules are always here: ivan/lexicon."
        say_with_hint(models.problem, f"{models.hint} {rules}".strip(), lead=True)
        return
    if way == "ollama" and not models.has(labeler):
        pull_button(labeler, "It can label now.")
        return
    if not told_instead() and st.button(f"Label {texts}", type="primary", key="label"):
        run_id, _ = runs.start(spec)
        choose_run(run_id, TAXONOMY)
        st.rerun()
    here = way in ("rules", "authored")
    where = "Nothing is sent anywhere" if here else "They go to your Ollama server only"
    say(f"{plan.sentence} {where}, and nothing is paid.", "small", quiet=True)


def _offer_batch(labeler: str, fields: dict[str, Any]) -> None:
    spec = checked(TaxonomySpec, {**fields, "model": labeler})
    rows = {name: fields[name] for name in ("dataset", "limit", "sample", "row_ids", "seed")}
    plan = labels.plan(LabelSpec(**rows))
    access.check_address(spec.base_url)
    who = servers.provider(spec.base_url)
    if told_instead():
        return
    if st.button("Prepare the batch and see the cost", type="primary", key="prepare"):
        run_id, new = taxonomy.start(spec)
        if not new and taxonomy.job(run_id).confirmed():
            keep_news(
                f"These texts were sent to {labeler} before: this is that labelling.",
                "Nothing new was prepared or sent.",
            )
            st.session_state[FOUND] = run_id
        choose_run(run_id, TAXONOMY)
        st.rerun()
    texts = number_of(2 * plan.pairs, "text") if plan.pairs is not None else "All texts"
    told = [
        f"{texts}, one request each.",
        *plan.notes,
        labelers.shutdown_sentence(labeler),
        "Nothing is sent before you have read the cost and accepted it.",
    ]
    say(" ".join(part for part in told if part), "small", quiet=True)
    no_key(who)


def no_key(who: servers.Provider) -> None:
    """What to do where a batch could not be sent: three ways on."""
    if who.ready:
        return
    say(f"{who.problem} The cost can be seen without one. To send:", "small")
    say(
        "put OPENAI_API_KEY=… into the file .env beside streamlit_app.py and start IVAN again; or "
        "try everything with a pretended provider, in another terminal and then for IVAN:",
        "small",
        quiet=True,
    )
    st.code(
        "ivan demo-server --port 8321\n"
        "OPENAI_BASE_URL=http://127.0.0.1:8321/v1 OPENAI_API_KEY=demo make app",
        language=None,
    )
    say(
        "or choose ivan/lexicon (rule-based) as the labeler, which labels right here.",
        "small",
        quiet=True,
    )


def more_options(way: LabellingWay) -> dict[str, Any]:
    """What can be set for a way of labelling."""
    if way == "authored":
        say("Nothing: authored labels are taken as they were written.", "small", quiet=True)
        return {}
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
        found |= chat_fields(middle, right, "label", _DIRECT, 0.0)
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
