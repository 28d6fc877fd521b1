"""The form that starts a rewording: three fields, the rest folded away, and what it would take."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.errors import IvanError
from ivan_core.domain.estimates import usd
from ivan_core.domain.specs import DatasetRequest, RewriteSpec, checked
from ivan_core.domain.words import number_of
from ivan_core.experiments.rewrite import plan as rewrite
from ivan_core.experiments.rewrite.cost import total
from ivan_core.experiments.rewrite.plan import RewritePlan, preset_spec
from ivan_core.experiments.rewrite.run import RULES_AND_LEXICON
from ivan_core.models import labelers, reward_models, rewriters, servers, similarity
from ivan_core.models.names import is_rules, on_ollama, on_openai, reader_note, way_of
from ivan_core.models.servers import OllamaModels, provider
from pages.components.kit.form import (
    ALL,
    BY_ID,
    DRAWN,
    chat_fields,
    dataset_field,
    ollama_models,
    part_of_dataset,
    pull_button,
    rows_fields,
)
from pages.components.kit.frame import show_error
from pages.components.kit.redrawn import dialog
from pages.components.kit.state import REWRITE, choose_run
from pages.components.kit.study import dataset_of_study, study_now
from pages.components.kit.text import md_escape, say, say_with_hint
from pages.components.labels.send import GO_TO_CONFIRMATION
from pages.components.public.reading import told_instead
from pages.components.study.own_pairs import is_unread, own_pairs_in_form

_ABOUT = RewriteSpec.model_fields
_SCOPES = {
    "shared": "the shared prompt once, each last reply once",
    "whole": "whole dialogues, each side apart, as published",
}


def rewrite_form() -> None:
    """Ask what is reworded by whom, say what it would take, and start it."""
    say(
        "Texts are reworded a little, so that they still mean the same. Do the reward models "
        "still prefer the same reply?",
        "lead",
    )
    models = ollama_models()
    preset = preset_spec()
    own_pairs_in_form("rewrite")
    request, rewriter, rows = _three_fields(preset, models)
    if request is None:
        say("Choose a dataset.")
        return
    with st.expander("More options"):
        request = part_of_dataset(request, "rewrite")
        options = _more_options(preset, models, rewriter)
    if is_unread(request, "rewrite"):
        return
    if not rewriter:
        say("Choose who rewords.")
        return
    if not options["models"]:
        say("Choose at least one reward model.")
        return
    spec = checked(RewriteSpec, {"dataset": request, "rewriter": rewriter, **rows, **options})
    offer(spec, models)


def _three_fields(
    preset: RewriteSpec, models: servers.OllamaModels
) -> tuple[DatasetRequest | None, str, dict[str, Any]]:
    left, middle, right = st.columns([3, 4, 2])
    dataset, asked = dataset_of_study(preset.dataset)
    request = dataset_field(left, dataset, "rewrite")
    if study_now() is None and dataset.source != SAMPLE:
        # All of a large dataset would keep a language model busy for weeks.
        asked = asked.model_copy(update={"sample": 100})
    rows = rows_fields(right, "rewrite", (ALL, DRAWN, BY_ID), asked)
    offered = rewriters.offered(models.names, preset.rewriter)
    names = list(offered)
    rewriter = middle.selectbox(
        "Rewriter",
        names,
        names.index(preset.rewriter),
        accept_new_options=True,
        format_func=lambda name: offered.get(name, name),
        key="rewrite-rewriter",
        help="Who rewords each text a little: rules that ship with IVAN, a model on your own "
        "Ollama server, or openai:NAME for a model behind an OpenAI-compatible server. "
        "A name may be typed in.",
    )
    return request, (rewriter or "").strip(), rows


def _more_options(
    preset: RewriteSpec, models: servers.OllamaModels, rewriter: str
) -> dict[str, Any]:
    """What most people leave alone; each says its default in words."""
    judges = st.multiselect(
        "Two reward models, the one trained on the dataset first",
        list(dict.fromkeys((*preset.models, *reward_models.offered()))),
        list(preset.models),
        max_selections=2,
        accept_new_options=True,
        key="rewrite-models",
        help=_ABOUT["models"].description,
    )
    left, right = st.columns(2)
    scope = left.selectbox(
        "What is reworded",
        list(_SCOPES),
        format_func=lambda name: _SCOPES[name],
        key="rewrite-scope",
        help=_ABOUT["scope"].description,
    )
    who = labelers.offered_for_rewordings(models.names)
    names = list(who)
    labeler = right.selectbox(
        "Labels before and after, by",
        names,
        names.index(preset.labeler) if preset.labeler in who else 0,
        accept_new_options=True,
        key="rewrite-labeler",
        format_func=lambda name: who.get(name, name),
        help=_ABOUT["labeler"].description,
    )
    similar = left.selectbox(
        "Similarity model",
        similarity.offered(preset.similarity),
        accept_new_options=True,
        key="rewrite-similarity",
        help=_ABOUT["similarity"].description,
    )
    seed = right.number_input(
        "Seed", 0, 2**31, 0, key="rewrite-seed", help=_ABOUT["seed"].description
    )
    found: dict[str, Any] = {
        "models": tuple(judges),
        "scope": scope,
        "labeler": (labeler or "").strip(),
        "similarity": (similar or "").strip() or preset.similarity,
        "seed": seed,
    }
    if not is_rules(rewriter):
        found |= chat_fields(left, right, "rewrite", _ABOUT, preset.temperature)
    if way_of(found["labeler"]) == "openai":
        found["ask_again"] = st.checkbox(
            "Ask all labels again, also those that are here already",
            key="rewrite-ask-again",
            help=_ABOUT["ask_again"].description,
        )
    found["second"] = st.toggle(
        "Reword a second time, to see how far two rewordings of one text lie apart",
        True,
        key="rewrite-second",
        help=_ABOUT["second"].description,
    )
    return found


def offer(spec: RewriteSpec, models: OllamaModels) -> None:
    """Say what a rewording would take and start it by one button."""
    try:
        plan = rewrite.plan(spec)
    except IvanError as error:
        show_error(error)
        return
    if RULES_AND_LEXICON in plan.notes:
        with st.container(border=True, key="rules-on-rules"):
            say(f"{RULES_AND_LEXICON} The two are never combined as evidence.")
    asked = (spec.rewriter, spec.labeler)
    wanted, elsewhere = on_ollama(asked), on_openai(asked)
    if wanted and models.problem:
        rules = "The rules are always here: ivan/rules rewords, ivan/lexicon labels."
        say_with_hint(models.problem, f"{models.hint} {rules}".strip(), lead=True)
        return
    missing = [name for name in wanted if not models.has(name)]
    if missing:
        pull_button(missing[0], "It can reword now.")
        return
    pairs = number_of(plan.pairs, "pair") if plan.pairs else "the pairs"
    label = GO_TO_CONFIRMATION if plan.paid else f"Reword {pairs}"
    if not told_instead() and st.button(label, type="primary", key="reword"):
        if plan.paid:
            _accept(spec, plan)
        else:
            begin(spec)
            st.rerun()
    told = [plan.sentence, *(note for note in plan.notes if note != RULES_AND_LEXICON)]
    told += [reader_note(spec.rewriter)] if is_rules(spec.rewriter) else []
    served = reward_models.remarks(spec.models)
    told += ["Nothing is sent anywhere."] if not (wanted or elsewhere or served) else []
    told += ["Texts go to your Ollama server only."] if wanted and not (elsewhere or served) else []
    told += served
    say(" ".join(told), "small", quiet=True)


def begin(spec: RewriteSpec, accept_cost: bool = False) -> None:
    """Start a rewording, or find the one that is at it, and look at it from now on."""
    run_id, _ = rewrite.start(spec, accept_cost=accept_cost)
    choose_run(run_id, REWRITE)


@dialog("The provider charges for this", width="medium")
def _accept(spec: RewriteSpec, plan: RewritePlan) -> None:
    """Nothing is sent before the box is ticked."""
    most = total(plan.costs)
    if most is not None:
        say(
            f"At the most {usd(most.bound)}, about {usd(most.typical)} as a rule, charged "
            "to the account of your key.",
            "lead",
        )
    for line in plan.cost_sentences:
        if line != plan.together:
            say(line, quiet=most is not None)
    say(
        f"The texts of these pairs are sent to {provider().host}, one request after the other. "
        "Cancel stops it at any time; what was sent by then is charged.",
        quiet=True,
    )
    ticked = st.checkbox("I accept this cost", key="accept-cost")
    bound = "" if most is None else f", at the most {usd(most.bound)}"
    send = md_escape(f"Send and reword{bound}")
    if st.button(send, type="primary", disabled=not ticked, key="accepted"):
        begin(spec, accept_cost=True)
        st.rerun()
