"""DeBERTa on CUDA without padding: the optional package disentangled-flash, checked before use."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

from ivan_core.backends.reward_models.probes import same_verdicts
from ivan_core.backends.reward_models.tokens import TokenRow

Forward = Callable[[Sequence[TokenRow]], Any]
"""Rows of tokens to logits, shape (rows, logits)."""

NOISE = 0.002
"""Scores in fp16 may differ by this much for no other reason than rounding."""


def available(model: Any) -> bool:
    """The package is installed, the model is a DeBERTa v2 or v3 and it is on a CUDA device."""
    return (
        find_spec("disentangled_flash") is not None
        and model.config.model_type == "deberta-v2"
        and model.device.type == "cuda"
    )


def enable(model: Any) -> Forward | None:
    """Swap the encoder's attention for the packed one; None where the package refuses it.

    Source: disentangled-flash 1.1.1, `optimize_deberta` and `encoder.forward_packed`.
    """
    from disentangled_flash import optimize_deberta

    original = model.deberta.encoder
    optimize_deberta(model.deberta)
    if model.deberta.encoder is original:
        return None
    return lambda rows: _packed_logits(model, rows)


def trusted_forward(
    model: Any, eager: Forward, rewards: Callable[[Any], list[float]], probes: Sequence[TokenRow]
) -> Forward | None:
    """The packed forward, if it gives the eager verdicts on the probes; else None and a warning.

    `rewards` turns logits into rewards; every two of the `probes` (8 are enough) are compared.
    Where it gives None, the model is as it was.
    """
    expected = rewards(eager(probes))
    encoder = model.deberta.encoder
    attentions = [layer.attention.self for layer in encoder.layer]
    try:
        packed = enable(model)
        if packed is None:
            return None
        found = rewards(packed(probes))
        same = same_verdicts(expected, found, NOISE)
        trouble = "" if same else "its verdicts differ from the plain model's"
    except Exception as error:  # Whatever the package raises, the plain path still works.
        trouble = f"it failed with {type(error).__name__}"
    if not trouble:
        return packed
    for layer, attention in zip(encoder.layer, attentions, strict=True):
        layer.attention.self = attention
    model.deberta.encoder = encoder
    warnings.warn(
        f"disentangled-flash is not used: {trouble}. Scoring goes on, slower.", stacklevel=2
    )
    return None


def _packed_logits(model: Any, rows: Sequence[TokenRow]) -> Any:
    """Logits of rows laid end to end: no padding, and no attention between them."""
    import torch
    from disentangled_flash.packed import PackedSequenceInfo

    lengths = tuple(len(row.ids) for row in rows)
    offsets = tuple(accumulate(lengths, initial=0))

    def flat(values: list[int]) -> Any:
        return torch.tensor(values, device=model.device)

    hidden = model.deberta.embeddings(
        input_ids=flat([i for row in rows for i in row.ids])[None],
        token_type_ids=flat([t for row in rows for t in row.types or [0] * len(row.ids)])[None],
        position_ids=flat([p for length in lengths for p in range(length)])[None],
    )[0]
    boundaries = torch.tensor(offsets, dtype=torch.int32, device=model.device)
    longest = max(lengths)
    hidden = model.deberta.encoder.forward_packed(
        hidden,
        boundaries,
        longest,
        output_hidden_states=False,
        packed_info=PackedSequenceInfo(offsets, lengths, longest),
    ).last_hidden_state
    first = hidden[boundaries[:-1].long()][:, None]
    return model.classifier(model.dropout(model.pooler(first)))
