"""What answers at an address: each engine is known by what it tells of itself."""

from __future__ import annotations

from ivan_core.backends.served import sglang, tei, vllm
from ivan_core.backends.served.client import Server
from ivan_core.backends.served.engine import Engine
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable

_ASKED = (tei.found, sglang.found, vllm.found)


def engine_at(server: Server) -> Engine:
    """The engine that answers.

    Raises:
        BackendUnavailable: none does that is known, it is away, or it serves another model.
    """
    wanted = server.address.model
    for found in _ASKED:
        try:
            engine = found(server, wanted)
        except ODD_DATA:  # it tells of itself what none of this kind tells
            continue
        if engine:
            _check_wanted(server, engine, wanted)
            return engine
    raise BackendUnavailable(
        f"What answers at {server.host} is none of vLLM, SGLang and text-embeddings-inference "
        "(asked: /info, /model_info, /get_model_info, /version, /v1/models).",
        "Check the address and the port; the handbook tells how to start each.",
    )


def _check_wanted(server: Server, engine: Engine, wanted: str) -> None:
    """Refuse a name that is another model's; a folder only says where the tokenizer is."""
    served = (engine.told.model, *engine.told.tokenizer)
    if not wanted or wanted in served or wanted.startswith("/"):
        return
    if any(name.count("/") == 1 and not name.startswith("/") for name in served):
        raise BackendUnavailable(
            f"{server.host} does not serve {wanted}.", f"It serves {engine.told.model}."
        )
