"""Which account a base URL is asked with, and a client that sends that account's key only.

And what is known of a server by its address: whether it is on this machine, the demo server, or one
that sends requests on to another, where what it is asked never goes.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ivan_core.datasets.guarded_http import Bounds, Transport, request_seconds
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.settings import setting

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

OPENAI_URL = "https://api.openai.com/v1"
KEY, ORGANIZATION, BASE_URL = "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_BASE_URL"
ENDPOINT_KEY = "IVAN_ENDPOINT_KEY"
"""The key for base URLs that are typed in; without it they are asked with no key."""
DEMO_HEADER = "x-ivan-demo"
CONNECT_SECONDS = 10.0

_UNUSED_KEY = "no-key"
"""What stands in place of a key: the client insists on one, and so do some local servers."""
_LONGEST_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to ask and as whom. The key is in no repr, message or log."""

    base_url: str
    key: str = field(default="", repr=False)
    organization: str = ""
    of_environment: bool = True

    @property
    def fingerprint(self) -> str:
        """Tells accounts apart and reveals nothing: of key, organisation and base URL."""
        facts = "\n".join(("ivan-account", self.base_url, self.organization, self.key))
        return sha256(facts.encode()).hexdigest()[:24]

    @property
    def host(self) -> str:
        """The server as messages name it."""
        return urlsplit(self.base_url).netloc


def account_for(base_url: str = "") -> Account:
    """The account for a base URL: the environment's own if none is typed in, or the same one.

    The environment's key goes to the environment's base URL only.

    Raises:
        BadInput: it is no address of a server.
        BackendUnavailable: OpenAI itself is asked and there is no key.
    """
    own = _normal(setting(BASE_URL, OPENAI_URL))
    url = _normal(base_url) if base_url.strip() else own
    if url != own:
        return Account(url, key_of(ENDPOINT_KEY), of_environment=False)
    key = key_of(KEY)
    if not key and _is_openai(url):
        raise BackendUnavailable(
            "No key for OpenAI is set.",
            f"Put {KEY}=… into the file .env and start IVAN again, or try everything without one: "
            "`ivan demo-server` pretends to be a provider.",
        )
    return Account(url, key, setting(ORGANIZATION).strip())


def make_client(account: Account, *, read_seconds: float = 60.0) -> OpenAI:
    """A client for the account, without retries of its own: a repeated request may be paid twice.

    It adds nothing from the environment to what the account says, nor a proxy for this machine, and
    it follows no redirect: key and request are for the account's server alone. A request ends
    `read_seconds` after its last byte, and within `request_seconds` in all.
    """
    import httpcore2
    import httpx2
    import openai

    timeout, proxies = timeouts(read_seconds), not is_loopback(account.base_url)
    usual = Bounds(request_seconds())
    transport: Any = Transport(httpx2, httpcore2, lambda path: usual, proxies=proxies)
    http_client = openai.DefaultHttpxClient(
        timeout=timeout,
        transport=transport,
        trust_env=proxies,
        follow_redirects=False,
        event_hooks={"request": [_only(account)]},
    )
    return openai.OpenAI(
        base_url=account.base_url,
        api_key=account.key or _UNUSED_KEY,
        organization=account.organization or None,
        timeout=timeout,
        max_retries=0,
        http_client=http_client,
    )


def timeouts(read_seconds: float) -> httpx2.Timeout:
    """Patience with an answer; whether a server is there at all shows sooner."""
    import httpx2

    return httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS)


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_DEMO_SECONDS = 10.0
"""A server on a busy machine may be slow to say what it is; who answers decides what is paid."""
SHOWN_SECONDS = 0.5
"""How long a page waits for that, which only says it: silence is told as a server that charges."""


def is_demo(base_url: str, seconds: float = _DEMO_SECONDS) -> bool:
    """Whether the demo server answers there. Only addresses on this machine are asked.

    A server that says nothing for so many seconds is taken for another.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "http" or not parts.hostname or not is_loopback(base_url):
        return False
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=seconds)
    try:
        connection.request("GET", parts.path.rstrip("/") + "/models")
        return connection.getresponse().getheader(DEMO_HEADER) is not None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def key_of(name: str) -> str:
    """The key that a setting holds; empty if none.

    Raises:
        BackendUnavailable: it holds a character that keys never have.
    """
    key = setting(name).strip()
    if key.isascii() and key.isprintable() and " " not in key:
        return key
    raise BackendUnavailable(
        f"The value of {name} is no key: it holds a character that keys never have.",
        "Copy the key again, without quotes or spaces.",
    )


def _normal(url: str) -> str:
    """A base URL in one spelling, so that accounts can be compared."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _no_address() from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise _no_address()
    if parts.query or parts.fragment:
        raise _no_address()
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _no_address() -> BadInput:
    return BadInput(
        "That is no base URL of an API.",
        f"Give one like {OPENAI_URL} or http://localhost:8000/v1; keys go into .env, not into it.",
    )


def _is_openai(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def _only(account: Account) -> Callable[[Any], None]:
    """Removes from a request what the client adds by itself from variables of the environment."""
    custom = os.environ.get("OPENAI_CUSTOM_HEADERS", "")
    foreign = [line.partition(":")[0].strip().lower() for line in custom.splitlines()]
    drop = set() if account.of_environment else {"openai-project", *filter(None, foreign)}
    if not account.organization:
        drop.add("openai-organization")
    own = f"Bearer {account.key or _UNUSED_KEY}"

    def clean(request: Any) -> None:
        for name in drop:
            request.headers.pop(name, None)
        request.headers["Authorization"] = own

    return clean


class Redirected(BackendUnavailable):
    """The server sends the request on to another address. Nobody was asked there."""


def is_redirect(status: int) -> bool:
    return 300 <= status < 400


def redirect_told(server: str, url: str, status: int, location: object) -> str:
    """The sentence for an answer of `server`, asked at `url`, that is a redirect to `location`."""
    return (
        f"{server} answers with a redirect to {_origin(url, location)} (HTTP {status}), "
        "which IVAN does not follow."
    )


def _origin(url: str, location: object) -> str:
    """Where a redirect leads, as far as it can be shown: scheme, host and port."""
    try:
        parts = urlsplit(urljoin(url, location if isinstance(location, str) else ""))
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        here = urlsplit(url)
    except ValueError:
        return "an odd address"
    if (parts.scheme, parts.netloc) == (here.scheme, here.netloc):
        return "another address of its own"
    known = parts.scheme in ("http", "https") and bool(parts.netloc)
    shown = origin.isascii() and origin.isprintable() and len(origin) <= _LONGEST_ADDRESS
    return origin if known and shown else "an odd address"
