"""Which models may read a prompt once for several replies, and up to which length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ivan_core.backends.reward_models.agreeing import why_not_alike
from ivan_core.backends.reward_models.shared_prompts import Plan, distinct, plan_trees
from ivan_core.backends.reward_models.tokens import TokenRow
from ivan_core.backends.reward_models.tree_forward import tree_logits

ATTENTIVE = frozenset(
    (
        "gemma",
        "gemma2",
        "gemma3_text",
        "gpt2",
        "llama",
        "mistral",
        "mixtral",
        "nemotron",
        "phi3",
        "qwen2",
        "qwen3",
        "qwen3_moe",
        "stablelm",
    )
)
"""Types of causal models whose tokens meet in attention alone, and which were tried.

A recurrent layer would carry one reply into the next without a word: 3 to 5 off where scores are
spread over 4. Of a type that is not here nothing is known, so its texts are read one by one.
"""
_LAYERS = {"full_attention", "sliding_attention"}
_STRETCHED = {"dynamic", "longrope"}
"""Positions that turn with the length of the longest text in a batch."""


def why_not_shared(model: Any) -> str:
    """Why this model cannot read a prompt once for several replies, in words; empty if it can."""
    config = model.config.get_text_config()
    if model.config.model_type not in ATTENTIVE:
        return f"models of the type {model.config.model_type} were not tried with prompts read once"
    if getattr(config, "use_bidirectional_attention", None) or not getattr(
        config, "is_causal", True
    ):
        return "in this model a token sees what comes after it"
    if set(getattr(config, "layer_types", None) or ()) - _LAYERS:
        return "not all of its layers are plain attention"
    if model.config._attn_implementation not in ("sdpa", "eager"):
        return f"its attention ({model.config._attn_implementation}) takes no mask"
    if _rope_types(config) & _STRETCHED:
        return "its positions depend on the longest text"
    return ""


def window(model: Any) -> int | None:
    """How many tokens a layer of the model looks back at most; None where every layer sees all.

    Up to that length a text behind a shared prompt sees what it would see by itself.
    """
    config = model.config.get_text_config()
    layers = getattr(config, "layer_types", None)
    if layers is not None and "sliding_attention" not in layers:
        return None
    width = getattr(config, "sliding_window", None)
    return None if width is None else int(width)


def plan_for(model: Any, rows: Sequence[TokenRow]) -> Plan:
    """What of the rows, which differ from each other, this model may best read as trees."""
    width = int(model.config.get_text_config().hidden_size)
    return plan_trees([row.ids for row in rows], width, window(model))


def why_alone(model: Any, rows: Sequence[TokenRow], plan: Plan) -> dict[int, str]:
    """Why each text that a plan reads by itself is, by its place."""
    width = window(model)
    found = {}
    for place in plan.alone:
        if width is not None and len(rows[place].ids) > width:
            found[place] = f"longer than its window of {width:,} tokens"
        elif plan.trees:
            found[place] = "begins as no other text of its chunk"
        else:
            found[place] = "its chunk shares too little"
    return found


def why_not_trusted(
    model: Any,
    probes: Sequence[TokenRow],
    forward: Callable[[Sequence[TokenRow]], Any],
    rewards_of: Callable[[Any], Any],
) -> str:
    """Why trees are not to be used for this model, in words; empty where they give its scores.

    The `probes` are scored as trees and, by `forward`, alone and padded.
    """
    import torch

    firsts, _ = distinct([tuple(row.ids) for row in probes])
    rows = [probes[place] for place in firsts]
    trees = plan_for(model, rows).trees
    if not trees:
        width = window(model)
        if width is not None and any(len(row.ids) > width for row in rows):
            return f"its window of {width} tokens is shorter than the texts this is tried with"
        return "its texts are too short to share a prompt"
    shown = [rows[place] for tree in trees for place in tree.places]
    ids = [row.ids for row in rows]

    def floats(logits: Any) -> list[float]:
        return [float(value) for value in rewards_of(logits).tolist()]

    try:
        with torch.inference_mode():
            alone = [value for row in shown for value in floats(forward([row]))]
            half = model.dtype != torch.float32
            padded = floats(forward(shown)) if half else alone
            shared = floats(tree_logits(model, trees, ids, model.config.pad_token_id))
    except Exception as error:  # Whatever it raises, texts can be tried one by one.
        return f"reading prompts once failed with {type(error).__name__}"
    why = why_not_alike(alone, padded, shared, torch.finfo(model.dtype).eps)
    return f"with prompts read once {why}" if why else ""


def _rope_types(config: Any) -> set[str]:
    """How positions are turned: one way for all layers, or one for each kind of layer."""
    told = getattr(config, "rope_parameters", None) or {}
    kinds = [told, *(one for one in told.values() if isinstance(one, dict))]
    return {str(kind["rope_type"]) for kind in kinds if "rope_type" in kind}
