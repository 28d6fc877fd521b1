"""The address of a server as people type it: where it is, which model, whether it gets the key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ivan_core.backends.openai.client import is_loopback, key_of
from ivan_core.domain.errors import BadInput
from ivan_core.settings import setting

KEY, URL = "IVAN_SERVER_KEY", "IVAN_SERVER_URL"
_EXAMPLE = "Give one like http://localhost:8000, or http://localhost:8000#owner/name for one model."


@dataclass(frozen=True, slots=True)
class Address:
    """A server's URL, without a slash at its end, and the model that is meant; empty for the only
    one. The key is in no repr, message or log."""

    url: str
    model: str = ""
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The server as messages name it."""
        return urlsplit(self.url).netloc

    @property
    def key_hint(self) -> str:
        """What to do where the server does not take the key, or was given none."""
        if not self.key and setting(KEY).strip():
            return f"The key of {KEY} goes to the server of {URL} alone: set that to this one."
        return f"Set {KEY} in .env to the key of this server."

    @property
    def remarks(self) -> tuple[str, ...]:
        """What should be known before anything is sent there."""
        if self.key and self.url.startswith("http://") and not is_loopback(self.url):
            return (
                f"The key goes to {self.host} over plain http: whoever is on the way can read it.",
            )
        return ()


def is_address(name: str) -> bool:
    """Whether a model's name is the address of a server."""
    return name.strip().lower().startswith(("http://", "https://"))


def address_of(name: str) -> Address:
    """What an address says, with the key of the settings where it goes there.

    Where `IVAN_SERVER_URL` names a server, the key goes to that one alone.

    Raises:
        BadInput: it is no address of a server, or holds a user, a password or a query.
        BackendUnavailable: the key of the settings is none.
    """
    text = name.strip()
    try:
        parts = urlsplit(text)
        origin = _origin(parts)
    except ValueError:
        raise BadInput("That is no address of a server.", _EXAMPLE) from None
    if "@" in parts.netloc:
        raise BadInput(
            "The address of a server holds a name or a password, which would be kept with the run.",
            f"Leave it out; a key goes into {KEY} of the settings.",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise BadInput("That is no address of a server.", _EXAMPLE)
    path = parts.path.rstrip("/").removesuffix("/v1")
    model = parts.fragment.strip()
    if model.startswith((".", "~")):
        raise BadInput(
            f"The folder {model} behind the # is not a whole path.", "Begin it with a slash."
        )
    return Address(origin + path, model, _key_for(origin))


def check_key_is_for_one(addresses: Iterable[Address]) -> None:
    """Refuse to give the key of the settings to more than one server.

    Raises:
        BadInput: two of these would get it.
    """
    hosts = sorted({one.host for one in addresses if one.key})
    if len(hosts) > 1:
        raise BadInput(
            f"The key of {KEY} would go to {' and '.join(hosts)}.",
            f"Set {URL} to the one that it belongs to.",
        )


def _key_for(origin: str) -> str:
    own = setting(URL).strip()
    try:
        if own and _origin(urlsplit(own)) != origin:
            return ""
    except ValueError:
        return ""
    return key_of(KEY)


def _origin(parts: SplitResult) -> str:
    """Scheme, host and port, written in one way. Raises ValueError for a port that is none."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{host}{port}"
