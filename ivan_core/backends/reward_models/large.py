"""Models larger than one device: their layers spread over several, or their weights in 8 bits."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ivan_core.domain.errors import BackendUnavailable

Device = int | str
"""A CUDA device by its number, or "cpu" or "disk"."""

ROOM = 0.8
"""Share of a device's free memory that weights may take; texts at work need the rest."""
INT8 = "int8"


def free_memory() -> dict[Device, int]:
    """Bytes free on each CUDA device of this machine, by its number."""
    import torch

    return {
        number: int(torch.cuda.mem_get_info(number)[0])
        for number in range(torch.cuda.device_count())
    }


def shares(model_id: str, size: int | None, free: Mapping[Device, int]) -> dict[Device, int] | None:
    """What each device may hold of a model of so many bytes; None where the first holds it all.

    A model of unknown size is taken to fit.

    Raises:
        BackendUnavailable: all devices together are too small.
    """
    may = {device: int(memory * ROOM) for device, memory in free.items()}
    if size is None or not may or size <= next(iter(may.values())):
        return None
    if size > sum(may.values()):
        raise BackendUnavailable(
            f"{model_id} needs about {size / ROOM / 2**30:.0f} GiB, and the graphics cards of this "
            f"machine have {sum(free.values()) / 2**30:.0f} GiB free.",
            "Free them, load its weights in 8 bits, or choose a smaller model.",
        )
    return may


def loading_options(
    model_id: str, spread: Mapping[Device, int] | None, quantization: str
) -> dict[str, Any]:
    """What transformers' `from_pretrained` is told so that it spreads or quantises a model.

    8 bits are those of torchao: the weights of linear layers alone, rounded for each output, so
    that a text's score depends on no other text of its batch. Heads stay as they are.

    Raises:
        BackendUnavailable: a package is missing, with the way to install it.
    """
    options: dict[str, Any] = {}
    if spread is not None:
        _need("accelerate", f"{model_id} fits no single device, and spreading it over several")
        options |= {"device_map": "auto", "max_memory": dict(spread)}
    if quantization == INT8:
        _need("torchao", "Loading a model in 8 bits")
        options["quantization_config"] = _int8()
    return options


def _need(package: str, what: str) -> None:
    if find_spec(package) is None:
        raise BackendUnavailable(
            f"{what} needs the package {package}, which is not installed.",
            "Install it beside IVAN: pip install 'ivan[large]'.",
        )


def _int8() -> Any:
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    heads = ["score", "classifier", "classification_head", "pooler"]
    return TorchAoConfig(Int8WeightOnlyConfig(), modules_to_not_convert=heads)


def quiet_torchao() -> None:
    """Keep it off the screen that torchao lacks kernels: transformers imports it where it is."""
    for name in ("torchao", "torch.utils._pytree"):
        logging.getLogger(name).setLevel(logging.ERROR)


def is_int8(model: Any) -> bool:
    """Whether a loaded model has weights in 8 bits."""
    return getattr(model.config, "quantization_config", None) is not None


def devices_of(model: Any) -> int:
    """Over how many devices a loaded model is spread; 1 where it is not."""
    return len(set(getattr(model, "hf_device_map", {}).values())) or 1


def check_spread(model_id: str, model: Any) -> None:
    """Read one short text with a model that is spread.

    Some architectures reach past their layers into weights that lie elsewhere.

    Raises:
        BackendUnavailable: it cannot be read so.
    """
    import torch

    try:
        with torch.inference_mode():
            ids = torch.zeros((1, 8), dtype=torch.long, device=model.device)
            model(input_ids=ids, attention_mask=torch.ones_like(ids))
    except Exception as error:  # Whatever the architecture raises, it cannot be used so.
        raise BackendUnavailable(
            f"{model_id} is of an architecture that cannot be spread over several devices "
            f"({type(error).__name__}).",
            "Use a card that holds it whole, or load its weights in 8 bits.",
        ) from error
