"""The form that starts a comparison: three fields, the rest folded away, and what it would take."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from ivan_core import catalog
from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.domain.models import Quantization, SystemTurns
from ivan_core.domain.specs import CompareSpec, checked
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare import plan as compare
from ivan_core.models import reward_models
from ivan_core.settings import preset_name
from pages.components.compare.engine_fields import engine_fields
from pages.components.kit.form import dataset_field, part_of_dataset, rows_fields
from pages.components.kit.state import choose_run
from pages.components.kit.study import dataset_of_study
from pages.components.kit.text import say
from pages.components.public.reading import told_instead
from pages.components.study.own_pairs import is_unread, own_pairs_in_form

_FORMATS = ("the one that fits the model", "last-turn", "openassistant", "as-published", "chat")
_WEIGHTS: dict[Quantization, str] = {"none": "as the model computes", "int8": "in 8 bits"}
_SPEC_HELP = CompareSpec.model_fields


def compare_form() -> None:
    """Ask what to judge, say what it would take, and start it."""
    preset = compare.preset_spec()
    say(
        "Which reply does a reward model prefer: the one that was chosen, or the other one?", "lead"
    )
    own_pairs_in_form("form")
    dataset, asked = dataset_of_study(preset.dataset)
    left, middle, right = st.columns([3, 4, 2])
    request = dataset_field(left, dataset, "form")
    if request is not None and is_unread(request, "form"):
        return
    names = middle.multiselect(
        "Reward models",
        list(dict.fromkeys((*preset.models, *reward_models.offered()))),
        default=list(preset.models),
        accept_new_options=True,
        key="form-models",
        help=_SPEC_HELP["models"].description,
    )
    rows = rows_fields(right, "form", first=asked)
    with st.expander("More options"):
        request = part_of_dataset(request, "form") if request else None
        options = _more_options()
        address = _server_field()
        engine = engine_fields()
    if address:
        names = list(dict.fromkeys((*names, address)))
    say(f"Chosen beforehand: {catalog.preset(preset_name()).title}.", "small", quiet=True)
    if request is None:
        say("Choose a dataset.")
        return
    spec = checked(CompareSpec, {"dataset": request, "models": tuple(names), **rows, **options})
    if not names:
        say("Choose at least one reward model.")
        return
    plan = compare.plan(spec)
    _models_table(names, spec.quantization)
    for note in plan.notes:
        say(note, "small", quiet=True)
    count = f"{plan.pairs:,} pairs" if plan.pairs is not None else "the pairs"
    models = number_of(plan.models, "model")
    if not told_instead() and st.button(
        f"Judge {count} with {models}", type="primary", key="judge"
    ):
        run_id, _ = runs.start(spec, engine)
        choose_run(run_id)
        st.rerun()
    took = f"Takes {plan.takes.words}" if plan.takes else "No time estimate"
    some = plan.cached and plan.estimate_from != compare.ALL_KNOWN
    # Where texts go to a server, the notes above say to which.
    served = any(map(reward_models.is_served, names))
    sent = "" if served else _sent(engine)
    cached = f"; {plan.cached:,} judgements are known already" if some else ""
    say(f"{took} ({plan.estimate_from}{cached}). {sent}", "small", quiet=True)


def _sent(engine: EngineChoice) -> str:
    """Where texts go."""
    if engine.engine == "ray" and engine.address:
        return "The texts go to the machines of the cluster, and nowhere else."
    return "Nothing is sent anywhere."


def _more_options() -> dict[str, Any]:
    left, middle, right = st.columns(3)
    seed = left.number_input(
        "Seed", 0, 2**31, 0, key="form-seed", help=_SPEC_HELP["seed"].description
    )
    form = middle.selectbox(
        "Input format", _FORMATS, key="form-format", help=_SPEC_HELP["input_format"].description
    )
    tokens = right.number_input(
        "Longest input, in tokens",
        16,
        1_000_000,
        None,
        placeholder="as the model was made for",
        key="form-tokens",
        help=_SPEC_HELP["max_tokens"].description,
    )
    system = left.selectbox(
        "System turns",
        get_args(SystemTurns),
        key="form-system",
        help=_SPEC_HELP["system"].description,
    )
    weights = middle.selectbox(
        "Weights",
        tuple(_WEIGHTS),
        format_func=_WEIGHTS.__getitem__,
        key="form-weights",
        help=_SPEC_HELP["quantization"].description,
    )
    return {
        "seed": seed,
        "input_format": None if form == _FORMATS[0] else form,
        "max_tokens": tokens,
        "system": system,
        "quantization": weights,
    }


def _server_field() -> str:
    """The address of a server that runs a reward model; empty where none is typed."""
    return st.text_input(
        "Reward model behind a server",
        placeholder="http://localhost:8000",
        key="form-server",
        help="The address of vLLM, SGLang or text-embeddings-inference. Texts are tokenised here "
        "and scored there. Where it serves several models, or its name is none of the hub, add the "
        "model behind a #, as in http://localhost:8000#owner/name.",
    ).strip()


def _models_table(names: list[str], quantization: Quantization) -> None:
    """Size, licence, training data and whether this machine can run it, for each chosen model."""
    rows = []
    cards = {name: reward_models.card(name) for name in names}
    for name, card in cards.items():
        trained = {True: "yes", False: "no", None: "not known"}[card.trained_on_hh]
        rows.append(
            {
                "Model": name,
                "Size": size(card.parameters),
                "Licence": card.licence,
                "Trained on hh-rlhf": trained,
                "On this machine": reward_models.fit(card, quantization).reason,
                "About it": card.note,
            }
        )
    st.dataframe(rows, hide_index=True, key="form-model-facts")
    learned = [f"{name} {card.learned_from}." for name, card in cards.items() if card.learned_from]
    if learned:
        say(" ".join(learned), "small", quiet=True)


def size(parameters: int | None) -> str:
    """A number of parameters as people say it."""
    if parameters is None:
        return "not known"
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"
