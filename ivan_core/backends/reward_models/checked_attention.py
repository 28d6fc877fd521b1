"""The library's fused attention, kept only where it gives the scores of the plain one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ivan_core.backends.reward_models.agreeing import why_not_alike

PLAIN, FUSED = "eager", "sdpa"


def use_checked_attention(
    model: Any, alone: Callable[[], list[float]], padded: Callable[[], list[float]]
) -> bool:
    """Whether the model keeps fused attention; it has plain attention if the scores differ.

    `alone` and `padded` score the same probes one by one and in one batch.
    """
    import torch

    if model.config._attn_implementation != FUSED:
        return False
    fused: list[float] = []
    trouble = ""
    try:
        fused = padded()
    except Exception as error:  # Whatever a kernel raises, plain attention may still work.
        trouble = f"scoring failed with {type(error).__name__}"
    model.set_attn_implementation(PLAIN)
    try:
        one_by_one, together = alone(), padded()
    except Exception:  # Then it is not the attention: each text will be told what is wrong.
        model.set_attn_implementation(FUSED)
        return True
    trouble = trouble or why_not_alike(one_by_one, together, fused, torch.finfo(model.dtype).eps)
    if not trouble:
        model.set_attn_implementation(FUSED)
        return True
    warnings.warn(
        f"Fused attention is not used: with it {trouble}. Scoring goes on, slower.", stacklevel=2
    )
    return False
