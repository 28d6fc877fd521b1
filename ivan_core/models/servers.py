"""The servers that may answer: which models an Ollama server has, who is asked for batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ivan_core.backends.ollama.client import DEFAULT_HOST, HOST, ModelMissing, OllamaServer
from ivan_core.backends.openai.client import KEY, SHOWN_SECONDS, account_for, is_demo, is_loopback
from ivan_core.domain.errors import BackendUnavailable, IvanError
from ivan_core.models.names import on_servers, way_of
from ivan_core.settings import setting


@dataclass(frozen=True, slots=True)
class OllamaModels:
    """The models of the Ollama server; `problem` and `hint` say why there are none."""

    names: tuple[str, ...]
    problem: str = ""
    hint: str = ""

    def has(self, model: str) -> bool:
        """Whether a model is among them; one without a tag is the latest of its name."""
        return model in self.names or f"{model}:latest" in self.names


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers at a base URL. `ready` tells whether a batch could be sent there.

    `problem` and `hint` say what is missing; a key is only ever told to be there or not.
    """

    host: str
    demo: bool
    ready: bool
    problem: str = ""
    hint: str = ""


def ollama_address() -> str:
    """Where the Ollama server is looked for."""
    return setting(HOST, DEFAULT_HOST)


def ollama_models() -> OllamaModels:
    """What the Ollama server has, if it answers."""
    try:
        return OllamaModels(tuple(model.name for model in OllamaServer().models()))
    except IvanError as error:
        return OllamaModels((), error.message, error.hint)


def ollama_has(model: str) -> bool:
    """Whether the Ollama server has a model.

    Raises:
        BackendUnavailable: the server is away.
    """
    try:
        OllamaServer().find(model)
    except ModelMissing:
        return False
    return True


def pull(model: str, progress: Callable[[int, int, str], None]) -> None:
    """Download a model to the Ollama server.

    Raises:
        BackendUnavailable: the server is away, has no such model to give, or stopped half way.
    """
    OllamaServer().pull(model, progress)


def ollama_is_demo() -> bool:
    """Whether the demo server answers in place of Ollama, said within half a second."""
    address = ollama_address()
    return is_demo(address if "//" in address else f"http://{address}", SHOWN_SECONDS)


def answered_by_demo(names: Iterable[str]) -> list[str]:
    """Those for which the demo server answers; only this machine is asked."""
    return [
        name
        for name in on_servers(names)
        if is_demo(account_for().base_url if way_of(name) == "openai" else OllamaServer().url)
    ]


def provider(base_url: str = "") -> Provider:
    """Who would be asked for batches, for a page: it waits half a second for a server to say it.

    Raises:
        BadInput: it is no address of a server.
    """
    try:
        account = account_for(base_url)
    except BackendUnavailable as error:
        return Provider("OpenAI", False, False, error.message, error.hint)
    return Provider(account.host, is_demo(account.base_url, SHOWN_SECONDS), True)


def has_key() -> bool:
    """Whether a key of OpenAI is set; never which."""
    return bool(setting(KEY).strip())


def may_charge() -> bool:
    """Whether the OpenAI-compatible server of the settings may charge: none on this machine does.

    Raises:
        BadInput: the address of the server makes no sense.
        BackendUnavailable: OpenAI itself is asked and there is no key.
    """
    return not is_loopback(account_for().base_url)
