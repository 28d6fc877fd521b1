"""How the hub's library asks: its token stays with the hub, and answers end and have a limit."""

from __future__ import annotations

from typing import Any

from ivan_core.datasets.guarded_http import Bounds, Transport, request_seconds

MOST_FACTS = 64 * 2**20
"""Bytes of what the hub tells of a repository; a list of a thousand files has 300 kB."""
MOST_FILE = 2**40
_installed = False


def guard_hub() -> None:
    """From now on the hub's library asks through a transport of ours, in this process."""
    global _installed
    if _installed:
        return
    import httpcore2
    import httpx2
    from huggingface_hub import get_session, set_client_factory

    own_hooks = get_session().event_hooks["request"]
    seconds = request_seconds()

    def usual(path: str) -> Bounds:
        return Bounds(seconds, MOST_FACTS if path.startswith("/api/") else MOST_FILE)

    def client() -> httpx2.Client:
        transport: Any = Transport(httpx2, httpcore2, usual)
        return httpx2.Client(
            transport=transport,
            event_hooks={"request": [*own_hooks, keep_token_home]},
            follow_redirects=True,
            timeout=None,
        )

    set_client_factory(client)
    _installed = True


def keep_token_home(request: Any) -> None:
    """Take the token off a request that goes to another place than the hub.

    The library forwards it from one address of a hub to another, and from http to https.
    """
    import httpx2
    from huggingface_hub import constants

    hub, url = httpx2.URL(constants.ENDPOINT), request.url
    same = (url.scheme, url.host, url.port) == (hub.scheme, hub.host, hub.port)
    part = url.scheme == hub.scheme == "https" and url.host.endswith(f".{hub.host}")
    if not (same or part):
        request.headers.pop("Authorization", None)
