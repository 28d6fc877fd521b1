"""Servers that send a request on to another address: what they are asked goes nowhere else."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from ivan_core.domain.errors import BackendUnavailable

_LONGEST_ADDRESS = 100


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
