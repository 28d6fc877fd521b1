"""Tiny random decoders of many types, without tokenizers: their texts are rows of token ids."""

from __future__ import annotations

from typing import Any

VOCABULARY = 50
PAD = 0

_SIZE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 48,
    "max_position_embeddings": 256,
    "pad_token_id": PAD,
    "num_labels": 1,
}
_GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16}
_EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 24}
_OWN: dict[str, dict[str, Any]] = {
    "gemma": {"head_dim": 16},
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA,
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 2, "n_positions": 256},
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "phi3": {"num_key_value_heads": 2},
    "qwen3": {"head_dim": 16},
    "qwen3_moe": {"head_dim": 16, "num_experts": 4, **_EXPERTS},
    "qwen3_next": {
        "head_dim": 16,
        "num_experts": 4,
        "shared_expert_intermediate_size": 24,
        "linear_num_value_heads": 2,
        "linear_num_key_heads": 2,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        **_EXPERTS,
    },
}


def tiny_decoder(kind: str, **config: Any) -> Any:
    """A random causal model of a type, with one score a text, ready on the CPU."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    size = {"gpt2": {"vocab_size": VOCABULARY, "pad_token_id": PAD, "num_labels": 1}}.get(
        kind, _SIZE
    )
    settings = AutoConfig.for_model(kind, **(size | _OWN.get(kind, {}) | config))
    with torch.random.fork_rng():
        torch.manual_seed(11)
        model = AutoModelForSequenceClassification.from_config(settings).eval()
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.3)
    return model.requires_grad_(False)
