"""One request to a server: its answer as JSON, or what went wrong as a sentence and a next step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivan_core.backends.openai.client import Redirected, is_loopback, is_redirect, redirect_told
from ivan_core.backends.openai.errors import seconds_asked, words_of
from ivan_core.backends.served.address import KEY, Address
from ivan_core.datasets.guarded_http import Bounds, Transport, bounded, request_seconds
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 5.0
FACT_SECONDS = 5.0
"""How long a server may take to say what it is."""
MOST_ANSWER = 2**20
"""Bytes of an answer: the scores of a full request take a few thousand."""
RESUME = "Resume the run once it does: finished chunks are kept."


class Busy(BackendUnavailable):
    """The server answers, but not now. `retry_after` is the wait in seconds it asked for."""

    def __init__(self, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class Away(BackendUnavailable):
    """The server does not answer, or breaks off; a moment later it may."""


class OddAnswer(BackendUnavailable):
    """What came is no answer to what was asked: something between may have gone wrong."""


class TooLarge(BackendUnavailable):
    """The server takes a smaller request only."""


class Refused(BackendUnavailable):
    """The server will not do this request; `words` is what it says, from ": " on."""

    def __init__(self, message: str, hint: str = "", words: str = "") -> None:
        super().__init__(message, hint)
        self.words = words


class NotThere(BackendUnavailable):
    """The server has no such address or model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of an answer. Header names are in lower case."""

    content: Any
    headers: Mapping[str, str]


class Server:
    """A server by its address. Nothing is asked twice, and nothing is asked elsewhere."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._made: httpx.Client | None = None

    @property
    def host(self) -> str:
        return self.address.host

    def fact(self, path: str) -> dict[str, Any] | None:
        """What a GET tells, within seconds; None where it is nothing that a program tells.

        Raises:
            BackendUnavailable: the server is away, wants another key, or sends elsewhere.
        """
        try:
            with bounded(FACT_SECONDS, MOST_ANSWER):
                found = self._send("GET", path).content
        except (NotThere, Refused, OddAnswer, Busy, TooLarge):
            return None
        return found if isinstance(found, dict) else None

    def ask(self, path: str, question: Mapping[str, Any]) -> Answer:
        """What a POST answers.

        Raises:
            BackendUnavailable: of the kinds above, or plain where asking again changes nothing.
        """
        return self._send("POST", path, json.dumps(question, separators=(",", ":")).encode())

    def _send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        import httpx

        headers = {"Content-Type": "application/json"} if body else {}
        if self.address.key:
            headers["Authorization"] = f"Bearer {self.address.key}"
        try:
            came = self._client().request(
                method, self.address.url + path, content=body, headers=headers
            )
        except httpx.ConnectError:
            raise Away(f"No server answers at {self.host}.", _START) from None
        except httpx.TimeoutException:
            raise Away(f"The server at {self.host} did not answer in time.", RESUME) from None
        except httpx.HTTPError:
            raise Away(
                f"The server at {self.host} broke off in the middle of its answer.", RESUME
            ) from None
        if came.status_code == 200:
            return self._read(came)
        raise self._refused(came)

    def _read(self, came: httpx.Response) -> Answer:
        try:
            content = json.loads(came.content)
            if self.address.key:
                content = _without(self.address.key, content)
        except ODD_DATA:
            raise OddAnswer(
                f"The server at {self.host} answered with something that is no JSON.",
                "See whether a proxy stands between, and whether the address is right.",
            ) from None
        return Answer(content, {name.lower(): value for name, value in came.headers.items()})

    def _refused(self, came: httpx.Response) -> BackendUnavailable:
        status, host = came.status_code, self.host
        if is_redirect(status):
            return Redirected(
                redirect_told(host, self.address.url, status, came.headers.get("location")),
                "Key and texts go to the server you named alone. "
                "If that address is right, name it.",
            )
        words = words_of(_body(came), self.address.key)
        told: dict[int, Callable[[], BackendUnavailable]] = {
            400: lambda: Refused(f"{host} refused the request{words}.", _LOOK, words),
            401: lambda: BackendUnavailable(
                f"{host} did not accept the key."
                if self.address.key
                else f"{host} asks for a key.",
                self.address.key_hint,
            ),
            403: lambda: BackendUnavailable(
                f"{host} does not allow that{words}.", f"Check {KEY} in .env and its rights."
            ),
            404: lambda: NotThere(
                f"{host} has no such address or model{words}.",
                "Check the address and the name of the model behind the #.",
            ),
            413: lambda: TooLarge(f"A request was too large for {host}.", _LOOK),
            424: lambda: BackendUnavailable(
                f"The model behind {host} failed{words}.",
                "See the server's log: it may serve no reward model, or give no finite number.",
            ),
            429: lambda: _busy(host, came),
            503: lambda: _busy(host, came),
        }
        told[405], told[422] = told[404], told[400]
        if status in told:
            return told[status]()
        if status >= 500:
            return Away(f"The server at {host} failed (HTTP {status}){words}.", RESUME)
        return BackendUnavailable(f"{host} refused the request (HTTP {status}){words}.", _LOOK)

    def _client(self) -> httpx.Client:
        if self._made is None:
            import httpcore
            import httpx

            usual = Bounds(request_seconds(), MOST_ANSWER)
            transport: Any = Transport(
                httpx, httpcore, lambda path: usual, proxies=not is_loopback(self.address.url)
            )
            self._made = httpx.Client(
                transport=transport,
                timeout=httpx.Timeout(usual.seconds, connect=CONNECT_SECONDS),
                trust_env=False,
                follow_redirects=False,
            )
        return self._made


_LOOK = "See the server's log for the reason."
_START = "Start it, or check the address; a run that stopped can be resumed."


def _without(key: str, told: Any) -> Any:
    """What JSON tells, with "…" where its texts repeat the key: SGLang tells all its settings."""
    if isinstance(told, dict):
        return {name: _without(key, value) for name, value in told.items()}
    if isinstance(told, list):
        return [_without(key, value) for value in told]
    return told.replace(key, "…") if isinstance(told, str) else told


def _busy(host: str, came: httpx.Response) -> Busy:
    wait = seconds_asked(came.headers)
    asked = "" if wait is None else f" and asks to wait {wait:.0f} seconds"
    return Busy(
        f"{host} has too many requests waiting{asked}.",
        "Resume the run when it has fewer: finished chunks are kept.",
        wait,
    )


def _body(came: httpx.Response) -> object:
    """The body of a refusal as JSON; vLLM before 0.10 and TEI have their words at the top."""
    try:
        return json.loads(came.content)
    except ODD_DATA:
        return None
