"""Reward models by name: the embedded ones, those of the catalog or the hub, directories, and the
addresses of servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ivan_core import catalog
from ivan_core.backends.embedded import model as embedded
from ivan_core.backends.reward_models.large import ROOM
from ivan_core.backends.reward_models.model_files import parameters_in
from ivan_core.backends.served.address import address_of, check_key_is_for_one, is_address
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import InputFormat, ModelCard, Quantization, RewardModel, SystemTurns
from ivan_core.domain.words import number_of
from ivan_core.models.names import OWN
from ivan_core.settings import gpu_memory, has_gpu, memory_bytes, named_devices

_SERVED = "Tokenised here, scored by the server."


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether this machine can run a model, and why, in words."""

    runs: bool | None
    reason: str


def offered() -> tuple[str, ...]:
    """All models of the catalog, the embedded ones first."""
    return (*embedded.NAMES, *catalog.models())


def split_revision(name: str) -> tuple[str, str]:
    """`id@revision` as (id, revision); a local path keeps its `@`, an address has no revision."""
    if is_served(name):
        return name, ""
    if Path(name).expanduser().exists():
        return name, ""
    model_id, _, revision = name.partition("@")
    return model_id, revision


def is_embedded(model_id: str) -> bool:
    """Whether it ships with IVAN, to be had without a download."""
    return model_id.startswith(OWN)


def is_served(name: str) -> bool:
    """Whether it is the address of a server that runs the model."""
    return is_address(name)


def remarks(names: Iterable[str]) -> list[str]:
    """What should be known before texts go to servers; nothing is asked there.

    Raises:
        BadInput: an address makes no sense, or the key of the settings would go to two servers.
        BackendUnavailable: the key of the settings is none.
    """
    addresses = [address_of(name) for name in names if is_served(name)]
    check_key_is_for_one(addresses)
    hosts = list(dict.fromkeys(address.host for address in addresses))
    told = [f"The texts go to {host}." for host in hosts]
    return [*told, *dict.fromkeys(remark for one in addresses for remark in one.remarks)]


def who_answers(name: str) -> str:
    """What says that it is there at an address, in a sentence; no text is sent.

    Raises:
        BackendUnavailable: nothing that gives scores does.
    """
    from ivan_core.backends.served.client import Server
    from ivan_core.backends.served.probing import engine_at

    server = Server(address_of(name))
    told = engine_at(server).told
    return f"{told.engine} {told.version} answers at {server.host}, with {told.model}."


def fit_together(names: Iterable[str]) -> bool:
    """Whether the models can be loaded at once: the embedded ones share one small encoder."""
    return all(map(is_embedded, names))


def is_local(name: str) -> bool:
    """Whether a model's name is a path rather than a hub id."""
    return Path(name).expanduser().exists() or name.startswith(("/", "./", "../", "~"))


def card(name: str) -> ModelCard:
    """What is known of a model by its name, catalog or not; nothing is loaded.

    Raises:
        BadInput: an `ivan/` name that does not exist.
    """
    model_id, _ = split_revision(name)
    if is_embedded(model_id):
        return embedded.card(model_id)
    if is_served(name):
        return ModelCard(id=name, note=_SERVED)
    if is_local(name):
        return ModelCard(id=model_id, parameters=parameters_in(Path(name).expanduser()))
    return ModelCard(id=model_id, **catalog.models().get(model_id, {}))


def check(name: str, instead: Sequence[str] = ()) -> None:
    """What can be refused before any work; `instead` is offered, by default the catalog.

    Raises:
        BadInput: the name is no catalog name, no hub id, no directory and no address.
    """
    model_id, _ = split_revision(name)
    if is_embedded(model_id):
        embedded.read_head(model_id)
    elif is_served(name):
        address_of(name)
    elif is_local(name):
        if not (Path(name).expanduser() / "config.json").exists():
            raise BadInput(
                f"There is no model in {name}.",
                "Give the folder that holds its config.json and its weights.",
            )
    elif model_id.count("/") != 1 or any(c.isspace() for c in model_id):
        raise BadInput(
            f"{name!r} is neither in the catalog, nor a name on the hub, nor a folder.",
            f"Write owner/name for one on the hub, or choose {', '.join(instead or offered())}.",
        )


def fit(model: ModelCard, quantization: Quantization = "none") -> Fit:
    """Whether this machine can run a model, by size and memory.

    A graphics card computes in half precision: two bytes a weight, or one where it is quantised.
    """
    if is_embedded(model.id):
        return Fit(True, "runs here, ships with IVAN")
    if is_served(model.id):
        return Fit(True, "runs on its server")
    if model.parameters is None:
        return Fit(None, "size unknown")
    bytes_a_weight = 1 if quantization == "int8" else 4
    needed = _cpu_bytes(model.parameters, bytes_a_weight)
    if has_gpu():
        return _fit_gpus(model.parameters, quantization)
    if needed > memory_bytes() * 0.8:
        return Fit(False, f"needs about {needed / 2**30:.0f} GiB of memory or a GPU")
    download = "" if is_local(model.id) else "; download needed"
    return Fit(True, f"runs here on the CPU, slowly{download}")


def _fit_gpus(parameters: int, quantization: Quantization) -> Fit:
    sizes = gpu_memory()
    needed = parameters * (1 if quantization == "int8" else 2) / ROOM
    if not sizes or needed <= max(sizes):
        return Fit(True, "runs here on the GPU")
    if needed <= sum(sizes):
        return Fit(True, f"runs here, spread over {len(sizes)} GPUs")
    smaller = "; in 8 bits it fits" if quantization == "none" and needed / 2 <= sum(sizes) else ""
    has = f"{number_of(len(sizes), 'GPU')} with {sum(sizes) / 2**30:.0f} GiB"
    return Fit(False, f"needs about {needed / 2**30:.0f} GiB, and there is {has}{smaller}")


def unchanged(names: Iterable[str], quantization: Quantization) -> list[str]:
    """What to say of models that ship with IVAN where weights in fewer bits were asked for."""
    if quantization == "none":
        return []
    return [f"{name} ships with IVAN and stays as it is." for name in names if is_embedded(name)]


def devices_for(names: Sequence[str], quantization: Quantization = "none") -> tuple[str, ...]:
    """The devices on which models score at the same time, in one process each.

    Those that are named in the settings, else all NVIDIA cards of this machine if there are several
    and each may hold each model. None where one process is enough.

    Raises:
        BadInput: the settings name something that is no device of this machine.
    """
    if any(map(is_served, names)):
        return ()
    if named := named_devices():
        return named
    sizes = gpu_memory() if has_gpu() else ()
    if len(sizes) < 2 or any(map(is_embedded, names)):
        return ()
    a_weight = 1 if quantization == "int8" else 2
    needed = max((card(name).parameters or 0) * a_weight / ROOM for name in names)
    return tuple(f"cuda:{number}" for number in range(len(sizes))) if needed <= min(sizes) else ()


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads models in one way, in this process or in another one: see `make`."""

    input_format: InputFormat | None = None
    max_tokens: int | None = None
    system: SystemTurns = "keep"
    quantization: Quantization = "none"
    kept: dict[str, ModelCard] = field(default_factory=dict)
    """The cards that a run keeps of its models; a served one is known by it when loaded again."""

    def __call__(self, name: str, revision: str) -> RewardModel:
        model = make(
            name,
            revision,
            self.input_format,
            self.max_tokens,
            self.system,
            self.quantization,
            kept=self.kept.get(name),
        )
        if model.card.server:
            self.kept.setdefault(name, model.card)
        return model


def threads_at_work() -> int:
    """How many threads a model that was loaded in this process has on a processor."""
    import torch

    return int(torch.get_num_threads())


def _cpu_bytes(parameters: int, bytes_a_weight: int = 4) -> float:
    """The memory that a model takes on a processor, texts at work included."""
    return parameters * bytes_a_weight * 1.3


def make(
    name: str,
    revision: str = "",
    input_format: InputFormat | None = None,
    max_tokens: int | None = None,
    system: SystemTurns = "keep",
    quantization: Quantization = "none",
    plain: bool = False,
    kept: ModelCard | None = None,
) -> RewardModel:
    """A reward model by catalog name, hub id (`id@revision` pins one), directory or address, ready
    to score.

    `plain` leaves out the faster ways that not every machine has; `kept` is its card in a run that
    goes on: a server without revisions is known by it again. Only workers and benchmarks call
    this: it brings in torch.

    Raises:
        IvanError: the model cannot be had, with the reason and a next step.
    """
    model_id, asked = split_revision(name)
    if is_embedded(model_id):
        from ivan_core.backends.embedded.model import EmbeddedRewardModel

        return EmbeddedRewardModel(model_id)
    if is_served(name):
        from ivan_core.backends.served import model as served

        if quantization != "none":
            raise BadInput(
                "In which precision a model behind a server computes is the server's affair.",
                "Leave the quantisation out, and start the server with it.",
            )
        asked_for = served.Asked(input_format, max_tokens, system)
        return served.make(name, asked_for, card, kept, revision)
    from ivan_core.backends.reward_models.loading import load_model
    from ivan_core.backends.reward_models.scoring import TransformersRewardModel

    known = card(name)
    load = partial(
        load_model,
        model_id,
        revision=revision or asked or None,
        input_format=input_format or known.input_format,
        max_tokens=max_tokens,
        system=system,
        card=known,
    )
    if quantization == "none":
        return TransformersRewardModel(load(), plain)
    from ivan_core.backends.reward_models.quantized import QuantizedRewardModel

    loaded = load(quantization=quantization)
    room = _cpu_bytes(loaded.card.parameters or 0) <= memory_bytes() * ROOM

    def full() -> RewardModel:
        return TransformersRewardModel(load(device="cpu"), plain)

    return QuantizedRewardModel(loaded, plain, full if room else None)
