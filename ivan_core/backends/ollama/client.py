"""An Ollama server: what it is, which models it has, and a chat with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ivan_core.backends.openai.client import Redirected, is_loopback, is_redirect, redirect_told
from ivan_core.datasets.guarded_http import Bounds, Transport, bounded, request_seconds
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable, BadInput
from ivan_core.labels.completions import counted, shortened, whole_text
from ivan_core.settings import seconds_of, setting

if TYPE_CHECKING:
    import httpx
    from ollama import Client

HOST, TIMEOUT = "OLLAMA_API_HOST", "OLLAMA_API_TIMEOUT"
DEFAULT_HOST = "http://localhost:11434"
DEFAULT_TIMEOUT = 600.0
"""Seconds without a byte: loading a large model and waiting for a free slot both count."""
CONNECT_SECONDS = 5.0
PULL_SECONDS = 7 * 24 * 3600.0
PORT = 11434
_MOST_BYTES = 10**15
_MOST_PULLED = 256 * 2**20
"""Bytes of lines that tell how far a download is."""
SUGGESTED = ("gemma4:e4b", "gemma4:12b", "qwen3.5:4b", "qwen3.5:9b")
"""Models to offer where the server has none."""

PullProgress = Callable[[int, int, str], object]
"""Called with bytes done, bytes in all (0 while unknown) and the server's word for the step."""


class ModelMissing(BackendUnavailable):
    """The server does not have the model; it can be pulled."""

    def __init__(self, model: str, host: str) -> None:
        super().__init__(
            f"The Ollama server at {host} does not have {model}.",
            f"Pull it: `ollama pull {model}`, or choose one that it has.",
        )
        self.model = model


class OllamaBusy(BackendUnavailable):
    """The server's queue is full; a moment later it may not be."""


class OllamaSilent(BackendUnavailable):
    """The server took the request and did not finish it: too slow, cut off, or a broken model."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that the server has; `size` in bytes, `digest` tells versions of a name apart."""

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """One answer as it came, and the tokens that the server counted."""

    text: str
    finish: str
    input_tokens: int | None
    output_tokens: int | None


class OllamaServer:
    """A server by its address (`OLLAMA_API_HOST` if none is given). Nothing is asked twice."""

    def __init__(self, host: str = "", timeout: float | None = None) -> None:
        own = _address(setting(HOST, DEFAULT_HOST))
        self.url = _address(host) if host.strip() else own
        self.timeout = seconds_of(TIMEOUT, DEFAULT_TIMEOUT) if timeout is None else timeout
        self._own = self.url == own
        self._made: Client | None = None

    @property
    def host(self) -> str:
        """The server as messages name it."""
        return urlsplit(self.url).netloc

    def version(self) -> str:
        """The server's version.

        This and the other methods raise BackendUnavailable where the server is away or fails.
        """
        import httpx

        with (
            self._problems(),
            httpx.Client(transport=self._transport(), timeout=CONNECT_SECONDS) as client,
            bounded(min(2 * CONNECT_SECONDS, request_seconds())),
        ):
            answer = client.get(f"{self.url}/api/version")
            self._stay_here(answer)
            answer.raise_for_status()
            return shortened(answer.json()["version"])

    def models(self) -> tuple[InstalledModel, ...]:
        """The models that the server has, in its order."""
        with self._problems():
            listed = self._client().list().models
        return tuple(
            InstalledModel(
                whole_text(entry.model), _bytes(entry.size), whole_text(entry.digest or "")
            )
            for entry in listed
            if entry.model
        )

    def find(self, model: str) -> InstalledModel:
        """The model by name; raises ModelMissing where the server has no such one."""
        full = model if ":" in model.rpartition("/")[2] else f"{model}:latest"
        for entry in self.models():
            if entry.name == full:
                return entry
        raise ModelMissing(model, self.host)

    def longest_context(self, model: str) -> int | None:
        """The longest context that a model was made for, in tokens; None where nobody tells."""
        with self._problems(model):
            shown = self._client().show(model)
        lengths = (
            value
            for name, value in (shown.modelinfo or {}).items()
            if name.endswith(".context_length") and counted(value)
        )
        return next(lengths, None)

    def pull(self, model: str, progress: PullProgress = lambda done, total, step: None) -> None:
        """Download a model to the server. What `progress` raises ends it; what came is kept."""
        sizes: dict[str, tuple[int, int]] = {}
        step = ""
        for part in self._pulling(model):
            step = shortened(part.status) if part.status else step
            if part.digest:
                sizes[part.digest] = (_bytes(part.completed), _bytes(part.total))
            done = sum(size[0] for size in sizes.values())
            progress(done, sum(size[1] for size in sizes.values()), step)
        if step != "success":
            raise OllamaSilent(
                f"The download of {model} ended before it was complete.",
                "Pull it again: what has come is kept.",
            )

    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, object] | None = None,
        think: Any = False,
        options: Mapping[str, object] | None = None,
    ) -> ChatAnswer:
        """One answer. ModelMissing, OllamaBusy and OllamaSilent tell the causes apart."""
        with self._problems(model):
            answer = self._client().chat(
                model,
                messages,
                think=think,
                format=dict(schema) if schema else None,
                options=dict(options or {}),
            )
        return ChatAnswer(
            whole_text(answer.message.content or ""),
            whole_text(answer.done_reason or ""),
            counted(answer.prompt_eval_count),
            counted(answer.eval_count),
        )

    def release(self, model: str) -> None:
        """Have a server on this machine drop a model from memory; elsewhere it is not our room."""
        if not is_loopback(self.url):
            return
        with suppress(BackendUnavailable), self._problems(model):
            self._client().generate(model, keep_alive=0)

    def _pulling(self, model: str) -> Iterator[Any]:
        with self._problems(model, pulling=True):
            steps = iter(self._client().pull(model, stream=True))
            with bounded(PULL_SECONDS, _MOST_PULLED):
                first = next(steps, None)
            if first is not None:
                yield first
                yield from steps

    def _client(self) -> Client:
        if self._made is None:
            import httpx
            import ollama

            def own_key_only(request: httpx.Request) -> None:
                # The client adds OLLAMA_API_KEY to whatever address it asks.
                if not self._own:
                    request.headers.pop("Authorization", None)

            self._made = ollama.Client(
                self.url,
                timeout=httpx.Timeout(self.timeout, connect=CONNECT_SECONDS),
                transport=self._transport(),
                trust_env=not is_loopback(self.url),
                follow_redirects=False,
                event_hooks={"request": [own_key_only], "response": [self._stay_here]},
            )
        return self._made

    def _transport(self) -> Any:
        import httpcore
        import httpx

        # The first byte of a chat comes with its last: the silence that is allowed comes first.
        usual = Bounds(self.timeout + request_seconds())
        return Transport(httpx, httpcore, lambda path: usual, proxies=not is_loopback(self.url))

    def _stay_here(self, answer: httpx.Response) -> None:
        """Refuse to be sent to another server, with texts or a key."""
        if is_redirect(answer.status_code):
            location = answer.headers.get("location")
            raise Redirected(
                redirect_told(self.host, self.url, answer.status_code, location),
                "Texts go to the server you named alone. "
                f"If that address is right, set {HOST} to it.",
            )

    @contextmanager
    def _problems(self, model: str = "", *, pulling: bool = False) -> Iterator[None]:
        import httpx
        import ollama

        try:
            yield
        except ollama.ResponseError as error:
            raise self._refused(error.status_code, error.error, model, pulling) from None
        except httpx.HTTPStatusError as error:
            raise self._refused(error.response.status_code, "", model, pulling) from None
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout):
            raise BackendUnavailable(
                f"No Ollama server answers at {self.host}.",
                f"Start it with `ollama serve`, set {HOST} to where it runs, or use the rules that "
                "ship with IVAN.",
            ) from None
        except httpx.TimeoutException:
            raise OllamaSilent(
                f"The Ollama server at {self.host} did not answer within {self.timeout:g} seconds.",
                f"Raise {TIMEOUT}, or choose a smaller model.",
            ) from None
        except httpx.TransportError:
            raise OllamaSilent(
                f"The Ollama server at {self.host} broke off in the middle of its answer.",
                "See its log: the model may be too large for the machine's memory.",
            ) from None
        except ODD_DATA:
            raise self._another() from None

    def _refused(self, status: int, said: object, model: str, pulling: bool) -> BackendUnavailable:
        """What to raise for an error the server told; −1 is one in the middle of a stream."""
        words = shortened(said).rstrip(".") if isinstance(said, str) else ""
        told = f": {words}" if words else ""
        if pulling:
            return OllamaSilent(
                f"The Ollama server could not pull {model}{told}.",
                "Check the name on ollama.com/library and the network; what has come is kept.",
            )
        if status == 404:
            return ModelMissing(model, self.host) if model else self._another()
        if status == 503:
            return OllamaBusy(
                f"The Ollama server at {self.host} has too many requests waiting.",
                "Try again in a moment, with fewer at a time.",
            )
        if status in (401, 403):
            return BackendUnavailable(
                f"The Ollama server at {self.host} does not let you in.", "Check OLLAMA_API_KEY."
            )
        return OllamaSilent(
            f"The Ollama server at {self.host} failed{told}.",
            "See its log: the model may be too large for the machine's memory.",
        )

    def _another(self) -> BackendUnavailable:
        return BackendUnavailable(
            f"What answers at {self.host} is not an Ollama server.", f"Check {HOST}."
        )


def _bytes(told: object) -> int:
    return counted(told, _MOST_BYTES) or 0


def _address(host: str) -> str:
    """The server's URL from what people write: a name, host:port, or a URL."""
    text = host.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or (None if "://" in text else PORT)
    except ValueError:
        parts, port = urlsplit(""), None
    name = parts.hostname or ("127.0.0.1" if text.startswith(":") else "")
    if parts.scheme not in ("http", "https") or not name or parts.username is not None:
        raise BadInput("That is no address of an Ollama server.", f"Give one like {DEFAULT_HOST}.")
    # A server that listens on every address is reached at this machine's own.
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "") + parts.path.rstrip("/")
