"""How long a model's matrix products alone would take: what no way of batching can undercut."""

from __future__ import annotations

from time import perf_counter
from typing import Any

AT_ONCE = {"cpu": 512, "cuda": 65_536}
"""Tokens put through a layer at a time."""
_HEADS = ("score", "classifier", "classification_head", "pooler", "pre_classifier", "logits_proj")
_ROUNDS = 2


def products_seconds(model: Any, tokens: int) -> float | None:
    """Seconds for every linear layer of the model, one after the other, on so many tokens.

    Measured on a few hundred tokens (65,536 on a GPU), best of two rounds, and scaled. None for
    models whose products stand in no linear layer (mixtures of experts).
    """
    import torch
    from transformers.pytorch_utils import Conv1D

    if any(parameter.dim() == 3 for parameter in model.parameters()):
        return None
    layers = [
        layer
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear | Conv1D) and not name.startswith(_HEADS)
    ]
    device = model.device.type
    at_once = min(AT_ONCE.get(device, AT_ONCE["cpu"]), max(tokens, 1))

    def rows(layer: Any) -> Any:
        width = layer.weight.shape[0] if isinstance(layer, Conv1D) else layer.in_features
        return torch.ones(at_once, width, dtype=model.dtype, device=layer.weight.device)

    best = float("inf")
    with torch.inference_mode():
        given = {id(layer): rows(layer) for layer in layers}
        for _ in range(1 + _ROUNDS):  # The first pays for things the others do not.
            start = perf_counter()
            for layer in layers:
                layer(given[id(layer)])
            if device == "cuda":
                torch.cuda.synchronize()
            best = min(best, perf_counter() - start)
    return best * tokens / at_once
